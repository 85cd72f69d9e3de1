"""`compress tradeoff`: what is missing is made, point by point, through stops and failures, and not again."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compress.artifacts.atomic import read_json
from compress.errors import Interrupted, NotFoundError
from compress.jobs.train import train_run
from compress.pipeline.engine import Failure, Planned, make_missing
from compress.pipeline.tradeoff import (
    ReportedTradeoff,
    TradeoffPlan,
    TradeoffPoint,
    plan_tradeoff,
    report_tradeoff,
)
from compress.progress import Event, Note, clear_interrupt, request_interrupt, silent
from compress.workspace import Workspace
from tests.encoding.examples import CLASSES, shards, videos

REQUEST: dict[str, Any] = {
    "runs": ("mrl",), "codecs": ("int8",), "controls": ("original", "pca"), "heads": ("ridge",), "threads": 1,
    "device": "cpu",
}  # fmt: skip
NAMES = ["original", "mrl-d3-int8", "pca-3-int8", "mrl-int8", "pca-6-int8", "original-int8"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.pipeline.tradeoff.TIMING_SECONDS", 0.01)
    monkeypatch.setattr("compress.metrics.resampling.RESAMPLES", 20)
    clear_interrupt()


def train(workspace: Workspace, name: str, seed: int = 0, *, fresh: bool = False) -> None:
    train_run(
        workspace, dim=6, encoder="linear", epochs=1, batch_size=16, name=name, fresh=fresh, seed=seed,
        settings=("nested_dims=[3]", "precision=fp32"), threads=1, device="cpu",
    )  # fmt: skip


@pytest.fixture
def trained(tmp_path: Path) -> Workspace:
    """60 training and 40 validation videos, and one nested run."""
    shards(tmp_path, "train", videos(60))
    shards(tmp_path, "validate", videos(40, 100))
    patterns = (str(tmp_path / "train*.tfrecord"),), (str(tmp_path / "validate*.tfrecord"),)
    workspace = Workspace(tmp_path, *patterns, num_classes=CLASSES)
    train(workspace, "mrl")
    return workspace


def plan(workspace: Workspace, *, timed: bool = False, **changes: Any) -> TradeoffPlan:
    return plan_tradeoff(workspace, **{**REQUEST, **changes}, timed=timed)


def planned(workspace: Workspace, **changes: Any) -> list[Planned[TradeoffPoint]]:
    return plan(workspace, **changes).points


def ran(workspace: Workspace, report: Any = silent, **changes: Any) -> list[Failure]:
    return make_missing(planned(workspace, **changes), report)


def reported(workspace: Workspace, failures: Sequence[Failure] = (), **changes: Any) -> ReportedTradeoff:
    return report_tradeoff(workspace, plan(workspace, **changes), failures, made=False)


def states(workspace: Workspace, **changes: Any) -> dict[str, str]:
    return {one.target.name: str(one.status.state) for one in planned(workspace, **changes)}


def test_what_is_missing_is_made_once_and_reported(trained: Workspace) -> None:
    assert [one.target.point.name for one in planned(trained)] == NAMES
    assert states(trained) == dict.fromkeys(NAMES, "to compute") | {
        "mrl-d3-int8": "to encode",
        "mrl-int8": "to encode",
    }
    assert ran(trained) == []
    assert set(states(trained).values()) == {"measured"}
    notes: list[Event] = []
    assert ran(trained, notes.append) == []
    assert notes == []
    done = reported(trained)
    assert [point.name for point in done.table.points] == sorted(
        NAMES, key=lambda name: (read_json(trained.evaluation / f"{name}.json")["bytes_per_video"], name)
    )
    learned = next(point for point in done.table.points if point.name == "mrl-d3-int8")
    assert set(learned.rivals) == {"gap", "map", "precision"}
    assert learned.rivals["gap"].name == "pca-3-int8"
    assert all(path.is_file() for path in (done.markdown, done.json, done.html, done.svg))


@pytest.mark.parametrize("name", ["original-5", "pca-9999", "nothing-5", "linear-0"])
def test_a_name_that_says_nothing_that_can_be_made_is_no_run(trained: Workspace, name: str) -> None:
    with pytest.raises(NotFoundError, match=f"no finished run '{name}'"):
        planned(trained, runs=(name,))


def test_the_report_says_what_the_evaluation_of_a_half_says(trained: Workspace) -> None:
    ran(trained, points=("mrl-int8",), runs=())
    done = reported(trained, points=("mrl-int8",), runs=())
    point = next(point for point in done.table.points if point.name == "mrl-int8")
    row = read_json(trained.evaluation / "mrl-int8.json")["halves"]
    for which, half in (("selection", point.selection), ("confirmation", point.confirmation)):
        assert half.videos == row[which]["videos"]
        for metric in ("gap", "map"):
            assert half.figures[metric].value == row[which]["figures"][metric]["value"]
            assert half.delta[metric].value == pytest.approx(row[which]["delta"][metric]["value"])


def test_after_a_stop_the_same_call_goes_on_to_the_same_figures(trained: Workspace, tmp_path: Path) -> None:
    ran(trained)
    whole = {name: read_json(trained.evaluation / f"{name}.json")["figures"] for name in NAMES}
    other = tmp_path / "other"
    other.mkdir()
    stopped = replace(trained, root=other)
    train(stopped, "mrl")
    rounds = 0

    def stop(event: Event) -> None:
        if isinstance(event, Note) and event.text.startswith("["):
            request_interrupt(signal.SIGINT)

    while True:
        clear_interrupt()
        if not any(one.missing for one in planned(stopped)):
            break
        with pytest.raises(Interrupted):
            ran(stopped, stop)
        clear_interrupt()
        rounds += 1
        one = next(one for one in planned(stopped) if one.missing)
        make_missing([one], silent)
    assert rounds == len(NAMES)
    assert {name: read_json(other / "evaluation" / f"{name}.json")["figures"] for name in NAMES} == whole


def test_a_run_that_was_trained_again_is_encoded_and_measured_again(trained: Workspace) -> None:
    changes: dict[str, Any] = {"points": ("mrl-int8",), "runs": ()}
    ran(trained, **changes)
    train(trained, "mrl", seed=1, fresh=True)
    assert states(trained, **changes) == {"original": "measured", "mrl-int8": "to encode"}
    assert states(trained, **{**changes, "heads": ("knn",)}) == {
        "original": "to evaluate",
        "mrl-int8": "to encode",
    }


def test_other_shards_are_encoded_again(trained: Workspace) -> None:
    changes: dict[str, Any] = {"points": ("pca-3-int8",), "runs": ()}
    ran(trained, **changes)
    shards(trained.root, "validate", videos(30, 100))
    assert set(states(trained, **changes).values()) == {"to encode"}


def test_figures_without_neighbours_do_until_neighbours_are_asked_for(trained: Workspace) -> None:
    changes: dict[str, Any] = {"points": ("pca-3-int8",), "runs": ()}
    ran(trained, **changes, retrieval=False)
    assert set(states(trained, **changes, retrieval=False).values()) == {"measured"}
    assert set(states(trained, **changes).values()) == {"to evaluate"}
    done = reported(trained, **changes, retrieval=False)
    assert "precision" not in done.table.baseline.confirmation.figures


def test_heads_of_other_seeds_lie_apart_and_runs_of_other_seeds_take_their_part(trained: Workspace) -> None:
    train(trained, "mrl-seed1", seed=1)
    changes: dict[str, Any] = {"points": ("mrl-int8", "pca-3-int8"), "runs": (), "seeds": 2}
    ran(trained, **changes)
    folder = trained.evaluation / "seeds" / "1"
    assert sorted(path.stem for path in folder.glob("*.json")) == ["mrl-seed1-int8", "original", "pca-3-int8"]
    assert read_json(folder / "original.json")["head_training"]["seed"] == 1
    points = {point.name: point for point in reported(trained, **changes).table.points}
    assert (points["mrl-int8"].heads, points["mrl-int8"].encoders) == (2, 2)
    assert (points["pca-3-int8"].heads, points["pca-3-int8"].encoders) == (2, 1)


def test_a_run_of_another_seed_is_no_point_of_its_own(trained: Workspace) -> None:
    train(trained, "mrl-seed1", seed=1)
    found = {one.target.point.run for one in planned(trained, runs=(), controls=())}
    assert found == {"original", "mrl"}


def test_a_point_that_fails_is_told_and_the_others_go_on(trained: Workspace) -> None:
    changes: dict[str, Any] = {"points": ("original-pq3", "original-int8"), "runs": ()}
    failed = ran(trained, **changes)  # 60 videos are too few to train 256 centroids
    assert [failure.target.name for failure in failed] == ["original-pq3"]
    done = reported(trained, failed, **changes)
    assert [point.name for point in done.table.points] == ["original-int8", "original"]
    assert done.table.failures[0].startswith("original-pq3 failed: ")


def test_only_what_is_measured_is_reported_and_what_is_not_is_told(trained: Workspace) -> None:
    with pytest.raises(NotFoundError, match="baseline 'original' is not measured"):
        reported(trained)
    ran(trained, points=("pca-3-int8",), runs=())
    done = reported(trained)
    assert {point.name for point in done.table.points} == {"original", "pca-3-int8"}
    assert done.table.failures == ("4 planned points are not measured yet.",)


def test_the_plan_says_how_long_each_missing_point_takes(trained: Workspace) -> None:
    changes: dict[str, Any] = {"points": ("mrl-int8", "pca-3-int8"), "runs": (), "seeds": 2}
    found = plan(trained, timed=True, **changes).points
    assert all(one.seconds is not None and one.seconds > 0 for one in found)
    make_missing(found, silent)
    assert {one.seconds for one in plan(trained, timed=True, **changes).points} == {0.0}


def test_an_encoder_that_is_named_by_its_size_is_trained_for_all_sizes(trained: Workspace) -> None:
    changes: dict[str, Any] = {"runs": ("mlp-5",), "dims": (2, 5), "controls": ()}
    assert states(trained, **changes) == {
        "original": "to compute",
        "mlp-5-d2-int8": "to train",
        "mlp-5-int8": "to train",
    }
    found = plan(trained, timed=True, **changes).points
    first, second = (one.seconds or 0.0 for one in found[1:])
    assert first > second > 0  # which finds it trained
    assert make_missing(found, silent) == []
    assert set(states(trained, **changes).values()) == {"measured"}
    assert read_json(trained.run("mlp-5") / "config.json")["config"]["nested_dims"] == [2]


def test_where_nothing_was_trained_the_usual_encoder_is(trained: Workspace, tmp_path: Path) -> None:
    empty = replace(trained, root=tmp_path / "empty")
    found = {one.target.point.name: str(one.status.state) for one in planned(empty, runs=(), controls=())}
    assert found["residual_cnn-320-d64-int8"] == "to train"


def test_the_command_says_what_differs_from_the_defaults(trained: Workspace) -> None:
    assert plan_tradeoff(trained, timed=False).command == "compress tradeoff"
    found = plan_tradeoff(
        trained,
        runs=("mrl",),
        preset="paper",
        codecs=("int8",),
        controls=(),
        sizes=(3,),
        seeds=3,
        heads=("moe", "ridge"),
        head_epochs=2,
        head_mixup=0.4,
        seed=5,
        timed=False,
    )
    assert found.command == (
        "compress tradeoff --run mrl --preset paper --codecs int8 --controls none --bytes 3 "
        "--seeds 3 --heads moe,ridge --head-epochs 2 --head-mixup 0.4 --seed 5"
    )

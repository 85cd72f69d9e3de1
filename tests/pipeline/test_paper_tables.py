"""`compress report --run`: what is missing is made, row by row, through stops and failures."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compress.artifacts.atomic import read_json
from compress.errors import NO_MEMORY, Interrupted, UsageError
from compress.evaluation.models.row import load_models
from compress.jobs.paper_runs import stand_in_notes, stand_ins
from compress.papers import Catalogue, CatalogueRow, FullData, PaperFigures, StandIn, catalogue
from compress.pipeline.engine import Failure, Planned, State, Status, make_missing
from compress.pipeline.maker import Maker
from compress.pipeline.paper_tables import TableRow, plan_tables, table_rows, why_not_made
from compress.progress import Event, Note, Progress, clear_interrupt, request_interrupt, silent
from compress.reports import model_table
from compress.run_config import read_run_config, write_run_config
from compress.training.cost import Cost
from compress.training.run import load_model, model_sha256, save_model
from compress.workspace import Workspace
from tests.encoding.examples import CLASSES, DIM, clips, shards

REQUEST: dict[str, Any] = {"tables": ("2", "3"), "seed": 0, "threads": 1, "device": "cpu"}
FIGURES = PaperFigures(0.8, 0.7, 0.8, 0.4)
SMALL = {"precision": "fp32", "batch_size": 16}


def row(run: str, encoder: str, table: str = "3", dim: int | None = 3, **changes: Any) -> CatalogueRow:
    level = "frame" if table == "2" else "video"
    made = CatalogueRow(
        table, run, f"Row {run}", encoder, 2, "best", "moe", level, 0.01, "Table", dim, SMALL, FIGURES
    )
    options = {**SMALL, **changes.pop("options", {})}
    return replace(made, options=options, **changes)


def table_of(*rows: CatalogueRow) -> Catalogue:
    stand_in = StandIn("multi_modal", DIM, {"modalities": [5, 7]}, "Parts stand in.")
    return Catalogue({"2": "Two", "3": "Three"}, rows, (stand_in,), FullData(10**6, CLASSES, 10**4))


VIDEO = table_of(row("a", "linear"), row("b", "residual_cnn_fc"), row("c", "identity", dim=None))


@pytest.fixture
def frames(workspace: Workspace) -> Workspace:
    """The same with frames beside the videos."""
    videos = clips([3 + number % 4 for number in range(32)])
    shards(workspace.root / "frames", "train", videos[:24])
    shards(workspace.root / "frames", "validate", videos[24:])
    patterns = (f"{workspace.root}/frames/{split}*" for split in ("train", "validate"))
    train, validate = ((pattern,) for pattern in patterns)
    return replace(workspace, train_frames=train, validate_frames=validate)


def planned(workspace: Workspace, known: Catalogue, **changes: Any) -> list[Planned[TableRow]]:
    return plan_tables(workspace, catalogue=known, **{**REQUEST, **changes})


def ran(workspace: Workspace, known: Catalogue, report: Any = silent, **changes: Any) -> list[Failure]:
    return make_missing(planned(workspace, known, **changes), report)


class FixedCosts:
    """A training of 10 seconds per epoch and 2 per validation, of two epochs."""

    def training(self, training: Any) -> Cost:
        return Cost(0.0, 10.0, 2.0, 2, 0, 1)


def states(workspace: Workspace, rows: Catalogue) -> dict[str, str]:
    return {one.target.run: str(one.status.state) for one in planned(workspace, rows)}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less time for timing, and no request to stop left over."""
    monkeypatch.setattr("compress.pipeline.paper_tables.TIMING_SECONDS", 0.01)
    clear_interrupt()


def test_missing_rows_are_made_in_order_and_then_none_is_missing(workspace: Workspace) -> None:
    said: list[str] = []

    def report(event: Event) -> None:
        said.extend([event.text] if isinstance(event, Note) and event.text.startswith("[") else [])

    assert ran(workspace, VIDEO, report) == []
    assert said == ["[1/3] a: Row a", "[2/3] b: Row b", "[3/3] c: Row c"]
    assert states(workspace, VIDEO) == dict.fromkeys("abc", "measured")
    measured = {model.name: model for model in load_models(workspace.evaluation / "models")}
    assert set(measured) == {"a", "b", "c"}
    assert measured["b"].encoders == ("residual_cnn_fc",)
    before = _files(workspace)
    assert ran(workspace, VIDEO) == []
    assert _files(workspace) == before


def _files(workspace: Workspace) -> dict[str, int]:
    kept = (workspace.runs, workspace.evaluation)
    return {
        str(path): path.stat().st_mtime_ns for folder in kept for path in folder.rglob("*") if path.is_file()
    }


def test_the_plan_says_state_cost_and_epochs_before_anything_is_trained(workspace: Workspace) -> None:
    plan = planned(workspace, VIDEO, epochs=5)
    assert [one.target.run for one in plan] == ["a", "b", "c"]
    assert {one.status.state for one in plan} == {State.TO_DO}
    assert all(one.seconds and one.facts["weights_bytes"] > 0 for one in plan)
    assert {one.target.training.epochs for one in plan} == {5}
    assert not workspace.runs.exists()


def test_chosen_rows_alone_are_planned_and_unknown_ones_refused(workspace: Workspace) -> None:
    assert [one.target.run for one in planned(workspace, VIDEO, rows=("c", "a"))] == ["a", "c"]
    with pytest.raises(UsageError, match=r"no row 'z'.*choose from a, b, c"):
        planned(workspace, VIDEO, rows=("z",))


def test_rows_of_another_level_are_left_out_with_the_reason(workspace: Workspace, frames: Workspace) -> None:
    rows = table_of(row("l", "lstm", "2"), row("a", "linear"))
    only_frames = replace(workspace, train=frames.train_frames, validate=frames.validate_frames)
    for here, left_out in ((workspace, "l"), (only_frames, "a")):
        plan = planned(here, rows)
        assert [one.target.run for one in plan if not one.missing] == [left_out]
        assert "-level data, the shards are" in why_not_made(plan, [])[0][left_out][0]
    assert all(one.missing for one in planned(frames, rows))
    assert ran(only_frames, rows) == []
    assert states(only_frames, rows) == {"l": "measured", "a": "does not fit"}


def test_a_stopped_row_goes_on_where_it_was_to_the_same_weights(workspace: Workspace, tmp_path: Path) -> None:
    ran(replace(workspace, root=tmp_path / "whole"), VIDEO)

    def stop(event: Event) -> None:
        inside = isinstance(event, Progress) and event.stage == "epoch 2/2" and event.done < event.total
        if inside and (workspace.evaluation / "models" / "a.json").exists():
            request_interrupt(signal.SIGINT)

    with pytest.raises(Interrupted):
        ran(workspace, VIDEO, stop)
    clear_interrupt()
    plan = {one.target.run: one for one in planned(workspace, VIDEO)}
    assert [str(one.status.state) for one in plan.values()] == ["measured", "partly trained", "to do"]
    assert plan["b"].status.epochs_done == 1
    left, whole = plan["b"].work[0].seconds, plan["b"].target.work(Status(State.TO_DO), FixedCosts())
    assert (left > 0, [part.seconds for part in whole]) == (True, [24.0, 2.0])
    one_epoch = Status(State.PARTLY_TRAINED, 1)
    assert [part.seconds for part in plan["b"].target.work(one_epoch, FixedCosts())] == [12.0, 2.0]
    assert ran(workspace, VIDEO) == []
    for run in "abc":
        assert model_sha256(workspace.run(run)) == model_sha256(tmp_path / "whole" / "runs" / run)


def test_a_row_stopped_between_training_and_evaluation_is_only_evaluated(workspace: Workspace) -> None:
    ran(workspace, VIDEO)
    weights = model_sha256(workspace.run("a"))
    (workspace.evaluation / "models" / "a.json").unlink()
    assert states(workspace, VIDEO) == {"a": "trained", "b": "measured", "c": "measured"}
    (one,) = (one for one in planned(workspace, VIDEO) if one.missing)
    training, evaluation = one.work
    assert (training.what, training.seconds) == ("runs/a", 0.0)
    assert (evaluation.what, evaluation.seconds > 0) == ("evaluation/models/a", True)
    assert ran(workspace, VIDEO) == []
    assert model_sha256(workspace.run("a")) == weights


@pytest.mark.parametrize("damage", ["{", '{"seal": "", "schema_version": 1}'])
def test_a_damaged_evaluation_is_made_again(workspace: Workspace, damage: str) -> None:
    ran(workspace, VIDEO, rows=("a",))
    path = workspace.evaluation / "models" / "a.json"
    before = path.read_text()
    path.write_text(damage)
    assert ran(workspace, VIDEO, rows=("a",)) == []
    assert path.read_text() == before


def test_a_run_that_was_trained_again_is_evaluated_again(workspace: Workspace) -> None:
    ran(workspace, VIDEO, rows=("a",))
    model, facts = load_model(workspace.run("a"))
    save_model(workspace.run("a") / "model", {k: 2 * v for k, v in model.state_dict().items()}, facts)
    assert states(workspace, VIDEO)["a"] == "trained"


def test_a_row_that_fails_is_told_and_the_others_go_on(workspace: Workspace) -> None:
    rows = table_of(row("a", "linear"), row("bad", "linear", options={"norm": 7}), row("z", "linear"))
    plan = planned(workspace, rows)
    assert plan[1].refusal is not None
    assert "norm" in plan[1].refusal.reason
    assert plan[1].seconds is None
    (failed,) = ran(workspace, rows)
    assert (failed.target.name, failed.exit_code) == ("bad", UsageError.exit_code)
    assert states(workspace, rows) == {"a": "measured", "bad": "to do", "z": "measured"}
    assert not workspace.run("bad").exists()
    table = model_table(
        "3", load_models(workspace.evaluation / "models"), notes=why_not_made(plan, [failed])[0], rows=rows
    )
    line = next(line for line in table.lines if line.run == "bad")
    assert str(line.judgement) == "NOT RUN"
    assert line.notes[0].startswith("Failed: ")


def test_another_model_of_a_rows_name_is_neither_measured_nor_trained_over(workspace: Workspace) -> None:
    ran(workspace, table_of(row("a", "linear")))
    before = _files(workspace)
    (failed,) = ran(workspace, table_of(row("a", "residual_cnn_fc")))
    assert "the run is another model (encoder linear, not residual_cnn_fc)" in failed.reason
    assert "use another workspace, or train it again with --fresh" in failed.reason
    assert _files(workspace) == before
    (other,) = planned(workspace, table_of(row("a", "linear", options={"norm": False})))
    (same,) = planned(workspace, table_of(row("a", "linear")))
    assert other.refusal is not None
    assert "norm" in other.refusal.reason
    assert same.status.state is State.MEASURED


def test_a_run_of_other_settings_fails_and_is_not_touched(workspace: Workspace) -> None:
    ran(workspace, VIDEO, rows=("a",))
    (workspace.run("a") / "model" / "manifest.json").unlink()
    (workspace.evaluation / "models" / "a.json").unlink()
    config = read_run_config(workspace.run("a"))
    write_run_config(workspace.run("a"), {**config, "config": {**config["config"], "mixup": 0.125}})
    before = _files(workspace)
    (failed,) = ran(workspace, VIDEO, rows=("a",))
    assert "mixup 0.125 -> 0" in failed.reason
    assert {k: v for k, v in _files(workspace).items() if not k.endswith(".lock")} == {
        k: v for k, v in before.items() if not k.endswith(".lock")
    }


def test_an_error_that_is_not_ours_fails_its_row_alone(workspace: Workspace, monkeypatch) -> None:
    def broken(workspace: Workspace, *, name: str, **training: Any) -> None:
        if name == "b":
            raise RuntimeError("CUDA out of memory\nsecond line")

    monkeypatch.setattr("compress.pipeline.maker.train_run", broken)
    monkeypatch.setattr("compress.pipeline.maker.evaluate_runs", lambda *words, **options: None)
    (failed,) = ran(workspace, VIDEO)
    assert failed.facts == {"table": "3", "row": "b", "reason": NO_MEMORY, "exit_code": 69}


def test_a_mistake_in_the_code_is_not_taken_for_a_row_that_fails(workspace: Workspace, monkeypatch) -> None:
    def broken(workspace: Workspace, **training: Any) -> None:
        raise AttributeError("no such attribute")

    monkeypatch.setattr("compress.pipeline.maker.train_run", broken)
    with pytest.raises(AttributeError, match="no such attribute"):
        ran(workspace, VIDEO)


def test_data_without_a_modality_get_the_stand_in_and_the_note(frames: Workspace) -> None:
    part = {"dim": 4, "sizes": [4]}
    options = {"modalities": [8, 4], "encoders": ["lstm", "lstm"], "encoder_options": [part, part]}
    rows = table_of(row("m", "multi_modal", "2", dim=4, options=options), row("l", "lstm", "2", dim=4))
    assert stand_in_notes(frames, rows) == {}
    assert stand_ins(replace(frames, train=(), train_frames=()), rows) == {}
    line, other = model_table("2", [], stand_ins=stand_ins(frames, rows), rows=rows).paper
    assert "--set 'modalities=[5, 7]'" in line.command
    assert (line.notes, other.notes) == (("Parts stand in.",), ())
    assert ran(frames, rows) == []
    config = read_json(frames.run("m") / "config.json")["config"]
    assert config["encoder_options"]["modalities"] == [5, 7]
    assert stand_in_notes(frames, rows) == {"m": ["Parts stand in."]}
    (model,) = (one for one in load_models(frames.evaluation / "models") if one.name == "m")
    assert model.parameters["side_heads"] > 0
    assert "--set 'modalities=[5, 7]'" in model.command


def test_a_run_that_two_rows_share_is_paid_once(workspace: Workspace) -> None:
    known = table_of(row("cnn-320-max", "linear"), row("a", "linear"))
    plan = {(one.target.table, one.target.name): one for one in planned(workspace, known, tables=("3", "4"))}
    first, second = plan["3", "cnn-320-max"], plan["4", "cnn-320-max"]
    assert [work.what for work in first.work] == ["runs/cnn-320-max", "evaluation/models/cnn-320-max"]
    assert [work.what for work in second.work] == ["embeddings/cnn-320-max", "evaluation/cnn-320-max"]
    assert all(work.seconds > 0 for work in (*first.work, *second.work))
    assert (first.facts["weights_bytes"] > 0, second.facts["weights_bytes"]) == (True, 0)
    assert plan["4", "original-int8"].target.training.epochs is None


def test_rows_of_table_4_that_cannot_be_made_are_told_in_sentences(frames: Workspace) -> None:
    known = table_of(row("lstm-1280-640", "lstm", "2", dim=640))
    only_frames = replace(frames, train=frames.train_frames, validate=frames.validate_frames)
    plan = planned(only_frames, known, tables=("4",), rows=("original",))
    stored = next(row for row in table_rows(Maker(frames), ("4",), None, known) if row.name == "pca-640")
    moe = table_rows(Maker(frames), ("3",), None, catalogue())[0]
    failed = [Failure(stored, "no memory", 70), Failure(moe, "no memory", 70)]
    notes, (unfit, failure) = why_not_made(plan, failed)
    assert unfit.startswith("Not run: original, it reads video-level data, the shards are frame-level")
    assert failure == "Failed: pca-640, no memory."
    assert notes == {"moe": ["Failed: no memory."]}


def test_table_4_starts_with_the_baseline_and_has_the_controls_of_the_papers_sizes(frames: Workspace) -> None:
    known = table_of(row("lstm-1280-640", "lstm", "2", dim=640), row("cnn-320-max", "residual_cnn", dim=320))
    rows = table_rows(Maker(frames), ("4",), None, known)
    paper = [("lstm-1280-640", "LSTM 2 layer, (1280,640)"), ("cnn-320-max", "ResidualCNN-320, Max Pooling")]
    assert [(row.name, row.answers) for row in rows] == [
        ("original", None),
        ("original-int8", None),
        *paper,
        *((f"{stem}-{size}", None) for stem in ("pca", "random") for size in (320, 640)),
    ]
    made_by_hand = frames.run("residual_cnn-320") / "model"
    made_by_hand.mkdir(parents=True)
    (made_by_hand / "manifest.json").write_text("{}")
    assert table_rows(Maker(frames), ("4",), None, known)[3].name == "residual_cnn-320"


def test_the_rows_of_table_4_are_stored_and_judged_by_fresh_heads(workspace: Workspace, monkeypatch) -> None:
    monkeypatch.setattr("compress.evaluation.judges.names.TITLES", {"ridge": "ridge regression"})
    known = table_of(row("cnn-320-max", "residual_cnn_fc", dim=5))
    assert ran(workspace, known, tables=("4",)) == []
    rows = {path.stem for path in workspace.evaluation.glob("*.json")}
    assert rows == {"original", "original-int8", "cnn-320-max", "pca-5", "random-5"}
    assert not [one for one in planned(workspace, known, tables=("4",)) if one.missing]
    (workspace.evaluation / "pca-5.json").write_text("{")
    assert ran(workspace, known, tables=("4",)) == []
    assert read_json(workspace.evaluation / "pca-5.json")["row"] == "pca-5"


def test_without_video_level_features_table_4_has_nothing_to_compare_with(frames: Workspace) -> None:
    only_frames = replace(frames, train=frames.train_frames, validate=frames.validate_frames, train_frames=())
    known = table_of(row("lstm-1280-640", "lstm", "2"))
    plan = planned(only_frames, known, tables=("4",))
    assert {str(one.status.state) for one in plan} == {"does not fit"}
    assert "the original video-level features" in next(o for o in plan if o.target.answers).status.reason
    assert why_not_made(plan, [])[0] == {}

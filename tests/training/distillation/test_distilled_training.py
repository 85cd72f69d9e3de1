"""Students: they learn from their teachers, the same however scores are had, and go on after a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compress.artifacts.atomic import read_json
from compress.errors import Interrupted, SchemaError, UsageError
from compress.labels import Labels
from compress.progress import Event, Note, clear_interrupt, silent
from compress.training import TrainConfig, TrainResult, load_model, train
from compress.training.distillation import Distillation
from compress.training.inputs import Table, batch
from tests.training.distillation.teaching import NAMES, distillation, student, teachers
from tests.training.examples import (
    CLASSES,
    LINEAR,
    LSTM,
    RESIDUAL_CNN,
    contents,
    frame_table,
    interrupt_after,
    tables,
    video_table,
    with_labels,
)

STEPS = 9
RECIPES = {
    "kept": student(),
    "computed": student(teacher_scores="computed"),
    "mixed": student(mixup=0.4),
    "warm": student(RESIDUAL_CNN),
    "frames": student(LSTM),
    "frames, mixed": student(LSTM, mixup=0.4),
    "hot, asymmetric": student(temperature=2.0, class_loss="asymmetric"),
    "nested, quantised": student(nested_dims=(2, 4), quantize="int8"),
}
UNLABELLED = {"video": video_table(27, seed=2), "frame": frame_table(13, seed=2)}  # not whole batches


def without(table: Table) -> Table:
    """The table without its labels."""
    return replace(table, labels=Labels(np.zeros(len(table) + 1, np.int64), np.zeros(0, np.int32), CLASSES))


def trained(
    school: Path,
    config: TrainConfig,
    run: Path,
    unlabelled: Table | None = None,
    report: Any = silent,
    **changes: Any,
) -> TrainResult:
    lesson = distillation(school, config, unlabelled=unlabelled, **changes) if config.teachers else None
    return train(config, *tables(config), run, report=report, distillation=lesson)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(load_model(run)[0].state_dict())


def same(one: Path, other: Path) -> bool:
    ours, theirs = weights(one), weights(other)
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("extra", [False, True], ids=["labelled", "unlabelled too"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_student_that_was_stopped_goes_on_as_if_it_had_not_been(
    school: Path, tmp_path: Path, recipe: str, extra: bool
) -> None:
    config = RECIPES[recipe]
    more = without(UNLABELLED["frame" if config.encoder == "lstm" else "video"]) if extra else None
    trained(school, config, tmp_path / "whole", more)
    for steps in (2, 1, 4):
        with pytest.raises(Interrupted):
            trained(school, config, tmp_path / "parts", more, interrupt_after(steps))
        clear_interrupt()
        for scores in (school / "cache").glob("*-scores*"):  # made again, they are the same
            for file in scores.iterdir():
                file.unlink()
    trained(school, config, tmp_path / "parts", more)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


@pytest.mark.parametrize("unlabelled", [None, UNLABELLED["video"]], ids=["labelled", "unlabelled too"])
def test_it_makes_no_difference_whether_scores_are_kept(
    school: Path, tmp_path: Path, unlabelled: Table | None
) -> None:
    # In float32: in bfloat16, products depend on how many videos are scored at once.
    exact = Distillation(_exact(school), unlabelled, tmp_path / "cache")
    for scores in ("kept", "computed"):
        config = student(teacher_scores=scores)
        train(config, *tables(config), tmp_path / scores, distillation=exact)
    ours, theirs = weights(tmp_path / "kept"), weights(tmp_path / "computed")
    assert all(torch.allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-4) for name in ours)


def _exact(school: Path):
    found = teachers(school)
    return replace(found, members=tuple(replace(one, precision="fp32") for one in found.members))


def test_teachers_their_weight_and_temperature_make_a_difference(school: Path, tmp_path: Path) -> None:
    recipes = {
        "alone": LINEAR,
        "taught": student(),
        "much": student(distill_weight=0.9),
        "hot": student(temperature=2.0),
    }
    for name, config in recipes.items():
        trained(school, config, tmp_path / name)
    trained(school, student(), tmp_path / "more", UNLABELLED["video"])
    trained(school, student(unlabelled_ratio=0.5), tmp_path / "less", UNLABELLED["video"])
    names = [*recipes, "more", "less"]
    assert not any(same(tmp_path / one, tmp_path / other) for one in names for other in names if one < other)


def test_a_student_of_teachers_alone_does_not_look_at_labels(school: Path, tmp_path: Path) -> None:
    config = student(distill_weight=1.0, class_priors=False)
    (table, validation), others = tables(config), video_table(seed=4).labels
    lesson = distillation(school, config)
    train(config, table, validation, tmp_path / "one", distillation=lesson)
    train(config, with_labels(table, others), validation, tmp_path / "other", distillation=lesson)
    assert same(tmp_path / "one", tmp_path / "other")


def test_labels_of_the_unlabelled_are_not_looked_at(school: Path, tmp_path: Path) -> None:
    for name, more in (("bare", without(UNLABELLED["video"])), ("labelled", UNLABELLED["video"])):
        trained(school, student(), tmp_path / name, more)
    assert same(tmp_path / "bare", tmp_path / "labelled")


def test_it_comes_to_say_what_its_teachers_say_also_of_videos_without_labels(
    school: Path, tmp_path: Path
) -> None:
    plain = replace(LINEAR, encoder_options={"dim": 8}, learning_rate=0.02, keep="last")
    config, more = student(plain, distill_weight=1.0), UNLABELLED["video"]
    trained(school, config, tmp_path / "short")
    trained(school, replace(config, epochs=20), tmp_path / "long")
    trained(school, replace(config, epochs=20), tmp_path / "more", more)

    def distance(name: str, table: Table) -> float:
        """Mean square of what student and teachers differ by."""
        inputs, _ = batch(table, np.arange(len(table)), torch.device("cpu"))
        with torch.no_grad():
            ours = torch.sigmoid(load_model(tmp_path / name)[0](inputs))
        return float((ours - torch.sigmoid(teachers(school).logits(inputs).float())).square().mean())

    assert distance("long", tables(plain)[0]) < 0.5 * distance("short", tables(plain)[0])
    assert distance("more", more) < 0.75 * distance("long", more)


def test_the_run_says_who_taught_it(school: Path, tmp_path: Path) -> None:
    trained(school, student(), tmp_path / "run", UNLABELLED["video"], shards=("more*.tfrecord",))
    facts, config = load_model(tmp_path / "run")[1], read_json(tmp_path / "run" / "config.json")
    assert facts["train_config"]["teachers"] == list(NAMES)
    for told in (facts, config):
        assert told["teacher_sha256"] == teachers(school).sha256s
        assert (told["unlabelled_videos"], told["unlabelled_shards"]) == (27, ["more*.tfrecord"])
    trained(school, LINEAR, tmp_path / "alone")
    assert "teacher_sha256" not in read_json(tmp_path / "alone" / "config.json")


def test_another_teacher_is_another_training(school: Path, tmp_path: Path) -> None:
    trained(school, student(), tmp_path / "run")
    swapped = teachers(school)
    first, second = swapped.members
    swapped = replace(swapped, members=(replace(first, sha256="0" * 64), second))
    with pytest.raises(UsageError, match=r"other settings \(the teachers\)"):
        train(
            student(),
            *tables(LINEAR),
            tmp_path / "run",
            distillation=Distillation(swapped, None, school / "cache"),
        )
    with pytest.raises(UsageError, match=r"other settings \(the unlabelled videos\)"):
        trained(school, student(), tmp_path / "run", UNLABELLED["video"])
    with pytest.raises(UsageError, match=r"teachers.*->"):
        trained(school, LINEAR, tmp_path / "run")


def test_of_the_scores_it_is_told_what_they_take_and_where(
    school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(config: TrainConfig, name: str) -> str:
        events: list[Event] = []
        trained(school, config, tmp_path / name, report=events.append)
        return next(e.text for e in events if isinstance(e, Note) and "teachers' scores" in e.text)

    assert told(student(), "auto").endswith(f"(0.00 GB) are computed once and kept in {school / 'cache'}")
    assert told(student(mixup=0.2), "mixed").endswith("are computed for every batch")
    monkeypatch.setattr("compress.training.distillation.memory_bytes", lambda: 40 * CLASSES * 7)
    assert told(student(), "small machine").endswith("are computed for every batch")
    assert "computed once" in told(student(teacher_scores="kept"), "small machine, but asked for")


@pytest.mark.parametrize(
    ("config", "changes", "error", "message"),
    [
        (student(mixup=0.3, teacher_scores="kept"), {}, UsageError, "mixup makes new inputs in every epoch"),
        (student(teacher_scores="kept"), {"cache": None}, UsageError, "no cache folder to keep scores in"),
        (student(), {"unlabelled": frame_table()}, SchemaError, "unlabelled videos are frame-level"),
        (student(), {"unlabelled": video_table(20, seed=1)}, SchemaError, "'w0000' and 19 more"),
        (student(), {"unlabelled": video_table(0)}, UsageError, "the shards hold no videos"),
        (replace(student(), teachers=NAMES[:1]), {}, UsageError, "the recipe names the teachers"),
    ],
)
def test_what_does_not_fit_is_refused(
    school: Path, tmp_path: Path, config: TrainConfig, changes: dict, error: type, message: str
) -> None:
    lesson = distillation(school, student(), **changes)
    with pytest.raises(error, match=message):
        train(config, *tables(config), tmp_path / "run", distillation=lesson)
    assert not (tmp_path / "run").exists()  # the right recipe may want that folder


def test_in_another_order_teachers_are_the_same_teachers(school: Path, tmp_path: Path) -> None:
    trained(school, student(epochs=1), tmp_path / "run")
    assert trained(school, replace(student(epochs=1), teachers=NAMES[::-1]), tmp_path / "run").best_epoch == 1


def test_a_recipe_with_teachers_is_not_trained_without_them(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"names the teachers knows-all, knows-less, not none.*--teacher"):
        train(student(), *tables(LINEAR), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"teachers": "one"},
        {"teachers": ["one", "one"]},
        {"teachers": [1]},
        {"distill_weight": 0},
        {"distill_weight": 1.5},
        {"temperature": 0},
        {"temperature": float("nan")},
        {"teacher_scores": "top"},
        {"unlabelled_ratio": 0},
    ],
)
def test_a_recipe_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(changes))):
        replace(LINEAR, **changes)

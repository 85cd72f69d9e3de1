"""Which videos without labels come with which step."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.datasets.batches import Position
from compress.progress import silent
from compress.training.distillation import lessons, unlabelled_batch_size
from compress.training.inputs import Table, training_order
from encoders import Blended, Inputs, dequantize
from tests.training.distillation.teaching import distillation, student
from tests.training.examples import LINEAR, LSTM, frame_table, tables, video_table


def taken(school: Path, config, more: Table, step: int, count: int) -> list[torch.Tensor]:
    """The unlabelled inputs of `count` steps from `step` on."""
    lesson = distillation(school, config, unlabelled=more)
    start = Position(*divmod(step, 3))
    found = lessons(lesson, config, tables(config)[0], step, start, "cpu", silent)
    inputs = [one.further[0].inputs for one in islice(found, count)]
    found.close()
    return [read(one) for one in inputs]


def read(inputs: Inputs) -> torch.Tensor:
    """Features or frames as a model without an input norm would read them."""
    if isinstance(inputs, torch.Tensor):
        return inputs
    if not isinstance(inputs, Blended):
        return inputs[0]
    if isinstance(inputs.inputs, torch.Tensor):
        return inputs.of_features(inputs.inputs)
    frames, num_frames = inputs.inputs
    return inputs.of_frames(dequantize(frames), num_frames)[0]


@pytest.mark.parametrize("mixup", [0.0, 0.5])
@pytest.mark.parametrize(("config", "more"), [(LINEAR, video_table(27, seed=2)), (LSTM, frame_table(9))])
def test_those_of_a_step_depend_on_its_number_alone(school: Path, config, more: Table, mixup: float) -> None:
    recipe = student(config, mixup=mixup)
    all_steps = taken(school, recipe, more, 0, 8)
    for step in (1, 5):
        later = taken(school, recipe, more, step, 8 - step)
        assert all(torch.equal(one, other) for one, other in zip(later, all_steps[step:], strict=True))


def test_each_comes_once_before_any_comes_again(school: Path) -> None:
    more = video_table(27, seed=2)
    found = taken(school, student(unlabelled_ratio=0.5), more, 0, 8)
    assert [len(one) for one in found] == [8, 8, 8, 3] * 2
    for half in (found[:4], found[4:]):
        assert sorted(map(tuple, torch.cat(half).tolist())) == sorted(map(tuple, more.features.tolist()))
    assert not torch.equal(found[0], found[4])


def test_kept_scores_are_those_of_the_videos_that_come(school: Path) -> None:
    config, more = student(), video_table(27, seed=2)
    lesson = distillation(school, config, unlabelled=more)
    found = lessons(lesson, config, video_table(), 4, Position(1, 1), "cpu", silent)
    for one in islice(found, 5):
        further, logits = one.further
        said = logits(torch.empty(0))
        again = lesson.teachers.logits(further.inputs)
        assert np.allclose(said.float(), again.float(), rtol=0, atol=0.04)
    found.close()


@pytest.mark.parametrize(
    ("ratio", "videos", "expected"),
    [(1.0, 100, 16), (0.5, 100, 8), (2.0, 100, 32), (0.001, 100, 1), (4, 9, 9)],
)
def test_how_many_come_with_a_step(ratio: float, videos: int, expected: int) -> None:
    assert unlabelled_batch_size(student(unlabelled_ratio=ratio), videos) == expected


def test_their_order_has_nothing_to_do_with_that_of_the_labelled(school: Path) -> None:
    config, table = student(), video_table()
    found = taken(school, config, table, 0, 1)[0]
    _, rows = next(training_order(table, config.batch_size, config.seed, Position()))
    labelled = torch.from_numpy(table.features[rows])
    assert found.shape == labelled.shape
    assert not torch.equal(found, labelled)

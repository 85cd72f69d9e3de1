"""What teachers say: one, or the mean of several; and who may not teach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.errors import CorruptArtifactError, NotFoundError, SchemaError, UsageError
from compress.training import TrainConfig, train
from compress.training.checks import check_teachers
from compress.training.inputs import batch
from compress.training.run import Run, load_model, save_model
from compress.training.scoring import probabilities
from compress.training.teachers import Teacher, Teachers, load_teachers
from tests.training.distillation.teaching import FRAME_NAMES, NAMES, teachers
from tests.training.examples import DIM, LINEAR, frame_table, tables, video_table

CPU = torch.device("cpu")
ROWS = np.arange(9)


def test_several_say_the_mean_of_their_probabilities(school: Path) -> None:
    inputs, _ = batch(video_table(), ROWS, CPU)
    found = teachers(school)
    each = [probabilities(one.model, inputs, one.precision).double() for one in found.members]
    said = torch.sigmoid(found.logits(inputs).double())
    assert torch.allclose(said, sum(each) / len(each), rtol=4e-3, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_one_says_what_its_model_says(school: Path, name: str) -> None:
    inputs, _ = batch(video_table(), ROWS, CPU)
    model = load_model(school / name)[0]
    found = teachers(school, (name,))
    with torch.autocast("cpu", torch.bfloat16, enabled=found.members[0].precision == "bf16"):
        expected = model(inputs).detach().half()
    assert torch.equal(found.logits(inputs), expected)


def test_their_order_does_not_matter(school: Path) -> None:
    inputs, _ = batch(video_table(), ROWS, CPU)
    one, other = teachers(school), teachers(school, NAMES[::-1])
    assert torch.equal(one.logits(inputs), other.logits(inputs))
    assert one.sha256s == other.sha256s


def test_frames_can_be_taught_too(school: Path) -> None:
    inputs, labels = batch(frame_table(), ROWS, CPU)
    assert teachers(school, FRAME_NAMES).logits(inputs).shape == labels.shape


def test_what_is_all_but_certain_stays_so() -> None:
    class Sure(torch.nn.Module):
        def __init__(self, logits: float) -> None:
            super().__init__()
            self.logits = logits

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return torch.full((len(inputs), 1), self.logits)

    for sign in (1, -1):  # both beyond what 1 - p of a float32 can say
        members = [
            (str(number), Sure(sign * value), None, "fp32") for number, value in enumerate((30.0, 40.0))
        ]
        found = Teachers(tuple(Teacher(sha256, sha256, *rest) for sha256, *rest in members))
        expected = sign * (30 + np.log(2))
        assert float(found.logits(torch.zeros(1, 1))) == pytest.approx(expected, abs=0.02)


def test_a_teacher_draws_no_random_numbers_and_learns_nothing(school: Path) -> None:
    inputs, _ = batch(video_table(), ROWS, CPU)
    found, before = teachers(school), torch.get_rng_state()
    said = found.logits(inputs)
    assert torch.equal(torch.get_rng_state(), before)
    assert not said.requires_grad
    assert not said.is_inference()  # a loss could not keep it for its gradient
    assert not any(weight.requires_grad for one in found.members for weight in one.model.parameters())


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ((), UsageError, "name each teacher once"),
        (("knows-all", "knows-all"), UsageError, "name each teacher once"),
        (("nobody",), NotFoundError, "no trained encoder here"),
    ],
)
def test_who_is_not_there_once_cannot_teach(school: Path, names, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        teachers(school, names)


def test_without_a_head_there_is_nothing_to_teach(tmp_path: Path) -> None:
    train(TrainConfig("pca", {"dim": 3}, head=None, input_norm="l2"), *tables(LINEAR), tmp_path / "pca")
    with pytest.raises(UsageError, match=r"has no head.*--set head=moe"):
        load_teachers([tmp_path / "pca"], "cpu")


def test_weights_that_are_not_numbers_are_refused_as_those_of_the_teacher(
    school: Path, tmp_path: Path
) -> None:
    model, facts = load_model(school / NAMES[0])
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    weights["head.bias"][0] = torch.nan
    save_model(Run(tmp_path / "broken").model, weights, facts)
    with pytest.raises(CorruptArtifactError, match="a weight is not a number"):
        load_teachers([tmp_path / "broken"], "cpu")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dims": (DIM + 1,)}, r"mean \(16 dimensions\), .* and 12 classes; the student"),
        ({"num_classes": 13}, "16 dimensions and 13 classes"),
        ({"level": "frame"}, "the student reads .*, frame-level"),
        ({"names": ("rgb",)}, "the student reads rgb"),
    ],
)
def test_a_teacher_reads_what_the_student_reads(school: Path, changes: dict, message: str) -> None:
    schema = video_table().schema
    check_teachers(teachers(school), schema)
    with pytest.raises(SchemaError, match=message):
        check_teachers(teachers(school), replace(schema, **changes))

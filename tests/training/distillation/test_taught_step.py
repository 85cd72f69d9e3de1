"""One step with teachers, beside the mean over all its videos written out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.datasets.batches import Position
from compress.training.distillation import Lesson
from compress.training.feed import Batch
from compress.training.inputs import batch
from compress.training.new_model import new_model
from compress.training.objective import loss_function
from compress.training.optimizer import WeightAverage, build_optimizer
from compress.training.state import TrainState, step
from tests.training.distillation.teaching import student, teachers
from tests.training.examples import LINEAR, video_table

CPU = torch.device("cpu")
PLAIN = replace(LINEAR, encoder_options={"dim": 8}, precision="fp32", clip_norm=0.0)


@pytest.mark.parametrize("further", [0, 1, 7])
def test_every_video_of_a_step_counts_as_much_with_labels_or_without(school: Path, further: int) -> None:
    config, table, found = student(PLAIN, distill_weight=0.25), video_table(), teachers(school)
    torch.manual_seed(0)
    model = new_model(config, table).train()
    state = TrainState(model, WeightAverage(model, 0.0), build_optimizer(model, config))
    inputs, labels = batch(table, np.arange(9), CPU)
    more, unknown = batch(table, np.arange(9, 9 + further), CPU)
    rest = (Batch(Position(), further, more, unknown), found.logits) if further else None

    every = torch.cat([inputs, more])
    targets = torch.sigmoid(found.logits(every).float())
    targets[:9] = 0.75 * labels + 0.25 * targets[:9]
    wanted = model.loss(every, targets) + model.penalty()
    gradients = torch.autograd.grad(wanted, list(model.parameters()))

    loss_of = loss_function(config, model, "cpu")
    loss = step(config, state, inputs, labels, loss_of, Lesson(found.logits, rest))
    torch.testing.assert_close(loss, wanted.detach(), rtol=1e-5, atol=1e-6)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5)

"""The loss with a teacher in one piece: torch finds nothing in it that it cannot compile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.training.inputs import batch
from compress.training.new_model import new_model
from compress.training.objective import compiled, loss_function
from tests.training.distillation.teaching import student, teachers
from tests.training.examples import LINEAR, video_table

# torch.compile uses what torch has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PLAIN = replace(LINEAR, encoder_options={"dim": 8}, precision="fp32")


@pytest.mark.parametrize("labelled", [True, False], ids=["labels", "teachers alone"])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_compiled_it_is_the_same(school: Path, temperature: float, labelled: bool) -> None:
    config, table = student(PLAIN, temperature=temperature), video_table()
    torch.manual_seed(0)
    torch._dynamo.reset()
    model = new_model(config, table).train()
    found = []
    loss_of = loss_function(config, model, "cpu")
    for each in (loss_of, compiled(loss_of, "cpu", backend="eager")):
        for rows in (np.arange(9), np.arange(9, 18)):  # the second batch is not that of the compilation
            inputs, labels = batch(table, rows, torch.device("cpu"))
            model.zero_grad()
            loss = each(inputs, labels if labelled else None, teachers(school).logits(inputs))
            loss.backward()
            found.append((loss.detach(), model.encoder.weight.grad.clone()))
    for plain, one_piece in zip(found[:2], found[2:], strict=True):
        assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(plain, one_piece, strict=True))

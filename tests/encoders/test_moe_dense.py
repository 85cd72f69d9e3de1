"""The MoE's loss with each position computed both ways against the one that looks for the positives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from encoders.heads.moe_loss import MoELoss, activations_to_gradients, loss_and_gradients


def example(k: int, *, share: float = 0.3, size: float = 3.0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(k)
    planes = size * torch.randn(20, 2 * k + 1, 13, dtype=torch.float64, generator=random)
    return planes, torch.rand(20, 13, generator=random) < share


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_loss_and_gradients_are_the_same(k: int, share: float) -> None:
    planes, labels = example(k, share=share)
    wanted_gradients = planes.clone()
    wanted = activations_to_gradients(wanted_gradients, labels)
    loss, gradients = loss_and_gradients(planes, labels)
    torch.testing.assert_close(loss, wanted, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradients, wanted_gradients, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
def test_huge_activations_stay_finite(size: float) -> None:
    planes, labels = example(2, size=size)
    loss, gradients = loss_and_gradients(planes.float(), labels)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradients).all()


def test_gradients_have_the_type_of_the_activations_and_float32s_loss() -> None:
    planes, labels = example(2)
    loss, gradients = loss_and_gradients(planes.bfloat16(), labels)
    assert loss.dtype == torch.float32
    assert gradients.dtype == torch.bfloat16


def test_an_empty_batch_has_no_loss() -> None:
    loss, gradients = loss_and_gradients(torch.zeros(0, 5, 3), torch.zeros(0, 3, dtype=torch.bool))
    assert loss == 0
    assert gradients.shape == (0, 5, 3)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # dynamo does
@pytest.mark.parametrize("bfloat16", [False, True])
def test_what_is_compiled_is_this_loss_in_one_piece(bfloat16: bool) -> None:
    torch._dynamo.reset()
    random = torch.Generator().manual_seed(0)
    inputs = [torch.randn(shape, generator=random) for shape in ((6, 4), (5, 7, 4), (2, 7))]
    labels = torch.rand(6, 7, generator=random) < 0.3

    def loss(*inputs: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return MoELoss.apply(*inputs, labels)

    found = []
    for function in (loss, torch.compile(loss, backend="aot_eager", fullgraph=True)):
        leaves = [tensor.clone().requires_grad_() for tensor in inputs]
        value = function(*leaves)
        value.backward()
        found.append([value.detach(), *(leaf.grad for leaf in leaves)])
    for ours, compiled in zip(*found, strict=True):
        bound = 2e-2 if bfloat16 else 1e-5
        assert (ours - compiled).norm() < bound * ours.norm()

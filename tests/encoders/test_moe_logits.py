"""The MoE's logits with a backward pass of their own against autograd through their definition."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from encoders.heads.moe import MoE, MoEConfig
from encoders.heads.moe_loss import MoELogits, logits_and_derivatives, moe_logits


def example(k: int, *, videos: int = 40, size: float = 3.0) -> Tensor:
    random = torch.Generator().manual_seed(k)
    return size * torch.randn(videos, 2 * k + 1, 13, dtype=torch.float64, generator=random)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_logits_and_derivatives_are_those_of_autograd(k: int) -> None:
    planes = example(k).requires_grad_()
    wanted = moe_logits(planes)
    (gradient,) = torch.autograd.grad(wanted.sum(), planes)
    with torch.no_grad():
        logits, derivatives = logits_and_derivatives(planes.clone())
    torch.testing.assert_close(logits, wanted, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(derivatives, gradient, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("videos", [0, 1, 16, 17, 40])
def test_blocks_end_where_the_batch_does(videos: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoders.heads.moe_loss._BLOCK_LOGITS", 0)  # blocks of 16 videos
    planes, slopes = example(2, videos=videos), torch.randn(videos, 13, dtype=torch.float64)
    ours, definition = (planes.clone().requires_grad_() for _ in range(2))
    logits, wanted = MoELogits.apply(ours * 1), moe_logits(definition)
    logits.backward(slopes)
    wanted.backward(slopes)
    torch.testing.assert_close(logits, wanted)
    torch.testing.assert_close(ours.grad, definition.grad)


@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
def test_huge_activations_have_finite_logits_and_derivatives(size: float) -> None:
    planes = example(2, size=size).float()
    logits, derivatives = logits_and_derivatives(planes.clone())
    torch.testing.assert_close(logits, moe_logits(planes), rtol=1e-5, atol=1e-6 * size)
    assert torch.isfinite(logits).all()
    assert torch.isfinite(derivatives).all()


def test_derivatives_have_the_type_of_the_activations() -> None:
    logits, derivatives = logits_and_derivatives(example(2).bfloat16())
    assert logits.dtype == torch.float32
    assert derivatives.dtype == torch.bfloat16


def test_a_loss_of_soft_targets_keeps_one_tensor_of_activations() -> None:
    head = MoE(MoEConfig(4, 500))
    saved: list[int] = []

    def count(tensor: Tensor) -> Tensor:
        saved.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        loss = head.loss(torch.randn(20, 4), torch.rand(20, 500))
    assert sum(saved) < 20 * 500 * (5 + 2) * 1.1  # activations; logits and targets
    loss.backward()


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # dynamo does
def test_a_compiled_loss_of_soft_targets_is_the_same_in_one_piece() -> None:
    torch._dynamo.reset()
    torch.manual_seed(0)
    head, embedding, targets = MoE(MoEConfig(4, 7)), torch.randn(6, 4), torch.rand(6, 7)
    found = []
    for function in (head.loss, torch.compile(head.loss, backend="aot_eager", fullgraph=True)):
        loss = function(embedding, targets)
        found.append((loss.detach(), *torch.autograd.grad(loss, list(head.parameters()))))
    for ours, compiled in zip(*found, strict=True):
        torch.testing.assert_close(ours, compiled)

"""Batch norm over valid frames against plain batch norm of the frames picked out one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from encoders.layers.norm import MaskedBatchNorm, norm_without_shift

LENGTHS = [5, 1, 0, 3]


def example(lengths: list[int] = LENGTHS, frames: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(len(lengths), frames, 3, dtype=torch.float64, generator=generator) * 2 + 1
    return x, torch.arange(frames) < torch.tensor(lengths)[:, None]


def valid_frames(x: Tensor, mask: Tensor) -> Tensor:
    return torch.stack([x[b, t] for b in range(len(x)) for t in range(x.shape[1]) if mask[b, t]])


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("shift", [False, True])
def test_training_equals_the_formula_over_the_valid_frames(scale: bool, shift: bool) -> None:
    norm = MaskedBatchNorm(3, momentum=0.25, eps=1e-3, scale=scale, shift=shift).double()
    gamma = torch.tensor([0.5, 2.0, 3.0]).double() if scale else torch.ones(3).double()
    beta = torch.tensor([1.0, -1.0, 0.5]).double() if shift else torch.zeros(3).double()
    with torch.no_grad():
        for parameter, value in ((norm.norm.weight, gamma), (norm.norm.bias, beta)):
            if parameter is not None:
                parameter.copy_(value)
    assert len(list(norm.parameters())) == scale + shift
    x, mask = example()
    rows = valid_frames(x, mask)
    mean, variance = rows.mean(0), rows.var(0, unbiased=False)
    normed = norm(x, mask)
    for b, t in mask.nonzero().tolist():
        expected = (x[b, t] - mean) / (variance + 1e-3).sqrt() * gamma + beta
        torch.testing.assert_close(normed[b, t], expected)
    torch.testing.assert_close(norm.norm.running_mean, 0.25 * mean)
    torch.testing.assert_close(norm.norm.running_var, 0.75 + 0.25 * rows.var(0))


def test_without_padding_it_is_plain_batch_norm() -> None:
    norm, (x, mask) = MaskedBatchNorm(3).double(), example([5, 5])
    expected = F.batch_norm(x.flatten(0, 1), None, None, training=True, eps=1e-3).view(x.shape)
    torch.testing.assert_close(norm(x, mask), expected)


@pytest.mark.parametrize("training", [False, True])
def test_padding_comes_out_as_zero_and_changes_nothing(training: bool) -> None:
    x, mask = example()
    results = []
    for padding in (0.0, float("nan")):
        norm = MaskedBatchNorm(3).double().train(training)
        filled = torch.where(mask[:, :, None], x, padding).requires_grad_()
        normed = norm(filled, mask)
        assert not normed[~mask].any()
        (gradient,) = torch.autograd.grad((normed * x).sum(), filled)
        assert not gradient[~mask].any()
        results.append((normed, gradient, norm.norm.running_mean, norm.norm.running_var))
    for clean, dirty in zip(*results, strict=True):
        assert torch.equal(clean, dirty)


def test_the_gradient_is_that_of_the_formula() -> None:
    x, mask = example()
    norm = MaskedBatchNorm(3, scale=True).double()
    assert torch.autograd.gradcheck(lambda value: norm(value, mask), (x.requires_grad_(),))


def test_evaluation_uses_the_running_statistics_and_leaves_them() -> None:
    norm = MaskedBatchNorm(3, momentum=0.5).double()
    norm(*example())
    mean, variance = norm.norm.running_mean.clone(), norm.norm.running_var.clone()
    x, mask = example([2, 4])
    normed = norm.eval()(x, mask)
    torch.testing.assert_close(normed[mask], ((x - mean) / (variance + 1e-3).sqrt())[mask])
    assert torch.equal(norm.norm.running_mean, mean)
    assert torch.equal(norm.norm.running_var, variance)


@pytest.mark.parametrize("lengths", [[], [0, 0], [0, 1]])
def test_a_batch_without_variance_uses_the_running_statistics_and_leaves_them(lengths: list[int]) -> None:
    norm = MaskedBatchNorm(3).double()
    x, mask = example(lengths)
    normed = norm(x, mask)
    assert normed.shape == x.shape
    torch.testing.assert_close(normed[mask], x[mask] / 1.001**0.5)
    assert not norm.norm.running_mean.any()
    assert torch.equal(norm.norm.running_var, torch.ones(3).double())


def test_a_norm_without_shift_is_batch_norm_with_shift_zero() -> None:
    norm = norm_without_shift(3, 0.1, 1e-3, scale=True)
    assert [name for name, _ in norm.named_parameters()] == ["weight"]
    x = torch.randn(6, 3)
    torch.testing.assert_close(norm(x), F.batch_norm(x, None, None, training=True, eps=1e-3))


@pytest.mark.parametrize("mask", [torch.ones(2, 4, dtype=torch.bool), torch.ones(2, 5)])
def test_a_wrong_mask_is_refused(mask: Tensor) -> None:
    with pytest.raises(ValueError, match=r"mask must be \(2, 5\) bool"):
        MaskedBatchNorm(3)(torch.zeros(2, 5, 3), mask)

"""Heads read what a codec would leave of an embedding; gradients pass as if it were not there."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from encoders.quantizers import Quantizer, SignQuantizer, UniformQuantizer, build_quantizer

KINDS = ["int8", "int4", "binary"]


def normal(rows: int = 4096, dim: int = 3, seed: int = 0) -> Tensor:
    """Dimensions of different mean and deviation."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, dim, generator=generator) * torch.tensor([1.0, 0.2, 5.0]) + torch.tensor(
        [0, 3.0, -1]
    )


def settled(kind: str) -> Quantizer:
    """One that has seen plenty, in evaluation mode."""
    quantizer = build_quantizer(kind, 3).train()
    for seed in range(100):
        quantizer(normal(512, seed=seed))
    return quantizer.eval()


@pytest.mark.parametrize(("kind", "levels"), [("int8", 256), ("int4", 16), ("binary", 2)])
def test_each_dimension_has_as_many_levels_as_its_codec(kind: str, levels: int) -> None:
    quantised = settled(kind)(normal(40_000))
    for column in quantised.T:
        assert len(column.unique()) <= levels
        assert len(column.unique()) > levels * 0.9


@pytest.mark.parametrize(
    # The least that a uniform quantiser, and a sign, can do for a normal distribution (Max 1960).
    ("kind", "least"),
    [("int8", 0.0000877), ("int4", 0.01154), ("binary", 0.3634)],
)
def test_the_error_is_the_least_possible_for_normal_numbers(kind: str, least: float) -> None:
    x = normal(40_000, seed=1)
    error = (settled(kind)(x) - x).square().mean(0) / x.var(0)
    torch.testing.assert_close(error, torch.full((3,), least), rtol=0.15, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_passes_within_the_range_and_stops_outside(kind: str) -> None:
    quantizer = settled(kind)
    x = quantizer.mean + torch.tensor([[0.0], [1.4], [-1.4], [4.5], [-4.5]]) * quantizer.variance.sqrt()
    x.requires_grad_()
    (quantizer(x) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    passed = torch.tensor([1.0, 2.0, 3.0]).expand(3, 3)
    assert torch.equal(x.grad, torch.cat([passed, torch.zeros(2, 3)]))


@pytest.mark.parametrize("kind", KINDS)
def test_statistics_follow_training_alone(kind: str) -> None:
    quantizer = settled(kind)
    before = copy.deepcopy(quantizer.state_dict())
    quantizer(normal(64) + 10)
    assert all(torch.equal(before[name], value) for name, value in quantizer.state_dict().items())
    quantizer.train()(normal(64) + 10)
    assert (quantizer.mean > before["mean"]).all()


def test_the_first_batch_replaces_the_values_at_the_start() -> None:
    quantizer, x = build_quantizer("binary", 3).train(), normal(512)
    quantizer(x)
    torch.testing.assert_close(quantizer.mean, x.mean(0))
    torch.testing.assert_close(quantizer.variance, x.var(0, correction=0))
    for dim, column in enumerate(x.T):
        torch.testing.assert_close(quantizer.above[dim], column[column > column.mean()].mean())
        torch.testing.assert_close(quantizer.below[dim], column[column <= column.mean()].mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_dimension_stays_what_it_is(kind: str) -> None:
    quantizer, x = build_quantizer(kind, 3).train(), normal(512)
    x[:, 1] = 0.7
    for _ in range(3):
        quantizer(x)
    found = quantizer.eval()(x)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[:, 1], x[:, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_row_teaches_nothing_about_the_range(kind: str) -> None:
    quantizer = build_quantizer(kind, 3).train()
    quantizer(normal(1))
    assert quantizer.batches == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_out_is_a_level_to_the_bit_in_training_too(kind: str) -> None:
    quantizer = settled(kind)
    x = normal(512, seed=5)
    evaluated = quantizer(x)
    again = quantizer._quantised(x.clone().requires_grad_()).detach()
    assert torch.equal(evaluated, again)


def test_bfloat16_is_quantised_in_float32() -> None:
    quantizer = settled("int8")
    assert quantizer(normal(8).bfloat16()).dtype == torch.float32


def test_kinds_are_what_they_are_called() -> None:
    assert isinstance(build_quantizer("binary", 2), SignQuantizer)
    for kind, bits in (("int8", 8), ("int4", 4)):
        quantizer = build_quantizer(kind, 2)
        assert isinstance(quantizer, UniformQuantizer)
        assert quantizer.bits == bits
    with pytest.raises(ValueError, match="int8, int4, binary"):
        build_quantizer("none", 2)

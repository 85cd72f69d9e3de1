"""The penalty against its definition."""

from __future__ import annotations

import pytest
import torch

from encoders.layers.fully_connected import weight_penalty


@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 3, 4)])
def test_value_and_gradient_are_the_definition(shape: tuple[int, ...]) -> None:
    weight = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    (3 * weight_penalty(weight, 0.3)).backward()
    torch.testing.assert_close(weight_penalty(weight, 0.3), 0.15 * weight.square().sum())
    torch.testing.assert_close(weight.grad, 3 * 0.3 * weight.detach())


def test_the_gradient_equals_finite_differences() -> None:
    weight = torch.randn(4, 3, dtype=torch.float64).t().requires_grad_()
    assert torch.autograd.gradcheck(lambda w: weight_penalty(w, 0.7), weight)


def test_a_large_weight_is_summed_as_exactly_as_by_torch() -> None:
    weight = torch.randn(3000, 1000)
    assert float(weight_penalty(weight, 2.0)) == pytest.approx(
        float(weight.double().square().sum()), rel=1e-6
    )


def test_no_penalty_is_a_zero_without_a_gradient() -> None:
    penalty = weight_penalty(torch.ones(3, requires_grad=True), 0.0)
    assert penalty == 0
    assert not penalty.requires_grad

"""L2 on a weight as TensorFlow's l2_regularizer has it, in two passes over the weight instead of five."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def weight_penalty(weight: Tensor, factor: float) -> Tensor:
    """factor * sum(weight ** 2) / 2, a scalar of the weight's type; 0, without a gradient, for factor 0."""
    if factor == 0:
        return weight.new_zeros(())
    result: Tensor = _HalfSquare.apply(weight, factor)  # type: ignore[no-untyped-call]
    return result


class _HalfSquare(torch.autograd.Function):
    """The squares are summed where they are computed, and the gradient is the weight, times a number."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, factor: float) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.factor = factor
        # Rows first: one sum over millions of squares would lose four digits in float32.
        return torch.linalg.vector_norm(weight, dim=-1).square().sum() * (0.5 * factor)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        return weight * (outer[0] * ctx.factor), None

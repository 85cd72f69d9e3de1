"""dft_convolution as one operator of torch, for torch.compile, which then does not look into it.

Its loops over tiles and blocks would be unrolled into thousands of small operations: minutes of compiling for
code that is no faster.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from encoders.layers.convolution.dft import gradients, results
from encoders.layers.convolution.dft_plan import Plan, make_plan


@torch.library.custom_op("compress_encoders::dft_convolution", mutates_args=())
def _convolution(x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> tuple[Tensor, Tensor, Tensor]:
    """Results, and the transformed input and weight, which the gradient needs."""
    return results(x, weight, bias, _plan(x, weight, dilation))


@_convolution.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> tuple[Tensor, Tensor, Tensor]:
    plan = _plan(x, weight, dilation)
    length, batch, inputs = x.shape
    outputs, points = len(weight), plan.points
    return (
        x.new_empty(length, batch, outputs),
        x.new_empty(points, plan.tiles * dilation * batch, inputs),
        x.new_empty(points, outputs, inputs),
    )


@torch.library.custom_op("compress_encoders::dft_convolution_gradients", mutates_args=())
def _gradients(
    gradient: Tensor, points: Tensor, spectrum: Tensor, weight: Tensor, bias: Tensor, dilation: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Of input, weight and bias."""
    plan = _plan(gradient, weight, dilation)
    return gradients(gradient, points, spectrum, plan, weight.dtype, bias.dtype)


@_gradients.register_fake
def _(
    gradient: Tensor, points: Tensor, spectrum: Tensor, weight: Tensor, bias: Tensor, dilation: int
) -> tuple[Tensor, Tensor, Tensor]:
    length, batch, _ = gradient.shape
    x = points.new_empty(length, batch, points.shape[2])
    return x, torch.empty_like(weight, memory_format=torch.contiguous_format), torch.empty_like(bias)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    _, weight, bias, ctx.dilation = inputs
    ctx.save_for_backward(output[1], output[2], weight, bias)


def _backward(ctx: Any, gradient: Tensor, *unused: Tensor) -> tuple[Tensor | None, ...]:
    return *_gradients(gradient.contiguous(), *ctx.saved_tensors, ctx.dilation), None


_convolution.register_autograd(_backward, setup_context=_keep)


def dft_operator(x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
    """As `dft_convolution`, for `x` in the type that it is computed in."""
    result: Tensor = _convolution(x, weight, bias, dilation)[0]
    return result


def _plan(sequence: Tensor, weight: Tensor, dilation: int) -> Plan:
    return make_plan(int(sequence.shape[0]), dilation, int(weight.shape[2]))

"""A dilated convolution with long kernels by tiles of a real Fourier transform: all matrix products.

For kernel 9 it needs a fifth of the multiplications of the direct method. The transforms are orthogonal, so
in float32 the error is that of the direct method. Layout (L, B, C), positions first: a tile is then a block
of consecutive rows, whatever the dilation, and no transform needs a copy.

Source: overlap-save (Stockham 1966) as in Mathieu, Henaff, LeCun, Fast Training of Convolutional Networks
through FFTs (2013), with small tiles as in Vasilache et al., Fast Convolutional Nets With fbfft (2014).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from encoders.layers.convolution.dft_plan import Plan, make_plan, transforms
from encoders.torch_settings import compute_type

BLOCK = 16_384  # (output, input) pairs of a weight transformed at a time, so that they stay in the cache


def dft_convolution(x: Tensor, weight: Tensor, bias: Tensor, dilation: int = 1) -> Tensor:
    """y[p] = bias + sum over taps q of x[p + (q - k // 2) * dilation] @ weight[:, :, q].T; zeros outside.

    Args:
        x: (L, B, inputs) floating point; under autocast it is computed in autocast's type.
        weight: (outputs, inputs, k), k odd, as in nn.Conv1d.
        bias: (outputs,).
        dilation: distance of the taps, >= 1.

    Returns:
        (L, B, outputs), in the type it was computed in.

    Raises:
        ValueError: an even k, or an empty sequence.
    """
    x = x.to(compute_type(x))
    plan = make_plan(len(x), dilation, weight.shape[2])
    return _Convolution.apply(x, weight, bias, plan)  # type: ignore[no-untyped-call]


def transform_weight(weight: Tensor, plan: Plan, dtype: torch.dtype) -> Tensor:
    """(outputs, inputs, k) -> (points, outputs, inputs) of `dtype`, computed at least in float32."""
    outputs, inputs, kernel = weight.shape
    flat = weight.detach().reshape(-1, kernel)
    exact = torch.promote_types(weight.dtype, torch.float32)
    taps = transforms(plan.outputs, kernel, exact, weight.device)[1]
    result = flat.new_empty(plan.points, len(flat), dtype=dtype)
    with torch.no_grad(), torch.autocast(weight.device.type, enabled=False):
        for start in range(0, len(flat), BLOCK):
            rows = slice(start, start + BLOCK)
            result[:, rows] = taps @ flat[rows].to(exact).t().contiguous()  # MKL is slow without the copy
    return result.view(-1, outputs, inputs)


def _transform_weight_transposed(by_point: Tensor, plan: Plan, dtype: torch.dtype) -> Tensor:
    """Gradient of the transformed weight (points, outputs, inputs) -> of the weight (outputs, inputs, k)."""
    flat = by_point.flatten(1)
    exact = torch.promote_types(dtype, torch.float32)
    taps = transforms(plan.outputs, plan.kernel, exact, flat.device)[1]
    result = flat.new_empty(flat.shape[1], plan.kernel, dtype=dtype)
    for start in range(0, len(result), BLOCK):
        rows = slice(start, start + BLOCK)
        result[rows] = (taps.t() @ flat[:, rows].to(exact)).t()
    return result.view(*by_point.shape[1:], plan.kernel)


def convolve_transformed(x: Tensor, spectrum: Tensor, bias: Tensor, plan: Plan) -> Tensor:
    """`dft_convolution` of x (L, B, inputs) with a weight from `transform_weight`; without autograd."""
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        return _back(_products(_forth(x, plan), spectrum, bias, plan), plan, x.shape[1])


class _Convolution(torch.autograd.Function):
    """Keeps the transformed input and weight; the gradient is the same products, transposed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, plan: Plan) -> Tensor:
        y, points, spectrum = results(x, weight, bias, plan)
        ctx.save_for_backward(points, spectrum)
        ctx.plan, ctx.weight_dtype, ctx.bias_dtype = plan, weight.dtype, bias.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        points, spectrum = ctx.saved_tensors
        wanted = ctx.needs_input_grad[:3]
        found = gradients(gradient, points, spectrum, ctx.plan, ctx.weight_dtype, ctx.bias_dtype, wanted)
        return *found, None


def results(x: Tensor, weight: Tensor, bias: Tensor, plan: Plan) -> tuple[Tensor, Tensor, Tensor]:
    """Without autograd: y (L, B, outputs), and for `gradients` the transformed input and weight."""
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        spectrum, points = transform_weight(weight, plan, x.dtype), _forth(x, plan)
        return _back(_products(points, spectrum, bias, plan), plan, x.shape[1]), points, spectrum


def gradients(
    gradient: Tensor,
    points: Tensor,
    spectrum: Tensor,
    plan: Plan,
    weight_dtype: torch.dtype,
    bias_dtype: torch.dtype,
    wanted: tuple[bool, bool, bool] = (True, True, True),
) -> tuple[Any, ...]:
    """Without autograd: the gradients of x, weight and bias from that of y; None where not `wanted`."""
    with torch.no_grad(), torch.autocast(points.device.type, enabled=False):
        products = _back_transposed(gradient.to(points.dtype), plan)
        for_x = for_weight = for_bias = None
        if wanted[0]:
            for_x = _forth_transposed(torch.bmm(products, spectrum), plan, gradient.shape[1])
        if wanted[1]:
            by_point = torch.bmm(products.transpose(1, 2), points)
            for_weight = _transform_weight_transposed(by_point, plan, weight_dtype)
        if wanted[2]:  # point 0 of a tile's gradient is its mean
            for_bias = products[0].sum(0, dtype=bias_dtype) * plan.samples
        return for_x, for_weight, for_bias


def _forth(x: Tensor, plan: Plan) -> Tensor:
    """(L, B, C) -> transformed tiles (points, tiles * dilation * B, C)."""
    length, batch, channels = x.shape
    matrix = transforms(plan.outputs, plan.kernel, x.dtype, x.device)[0]
    padded = F.pad(x, (0, 0, 0, 0, plan.margin, plan.padded_inputs - plan.margin - length))
    rows = padded.view(plan.input_rows, plan.dilation * batch * channels)
    points = x.new_empty(plan.points, plan.tiles, rows.shape[1])
    for tile in range(plan.tiles):
        start = tile * plan.outputs
        torch.mm(matrix, rows[start : start + plan.samples], out=points[:, tile])
    return points.view(plan.points, plan.tiles * plan.dilation * batch, channels)


def _products(points: Tensor, spectrum: Tensor, bias: Tensor, plan: Plan) -> Tensor:
    products = torch.bmm(points, spectrum.transpose(1, 2))
    products[0] += bias * plan.samples  # a constant over the tile is its frequency 0
    return products


def _back(products: Tensor, plan: Plan, batch: int) -> Tensor:
    """Products (points, tiles * dilation * B, C) -> results (L, B, C)."""
    matrix = transforms(plan.outputs, plan.kernel, products.dtype, products.device)[2]
    channels = products.shape[2]
    tiles = products.view(plan.points, plan.tiles, plan.dilation * batch * channels)
    rows = products.new_empty(plan.tiles * plan.outputs, tiles.shape[2])
    for tile in range(plan.tiles):
        start = tile * plan.outputs
        torch.mm(matrix, tiles[:, tile], out=rows[start : start + plan.outputs])
    return rows.view(plan.padded_outputs, batch, channels)[: plan.length]


def _back_transposed(gradient: Tensor, plan: Plan) -> Tensor:
    """Gradient of results (L, B, C) -> gradient of products (points, tiles * dilation * B, C)."""
    length, batch, channels = gradient.shape
    matrix = transforms(plan.outputs, plan.kernel, gradient.dtype, gradient.device)[2].t()
    padded = F.pad(gradient, (0, 0, 0, 0, 0, plan.padded_outputs - length)).contiguous()
    rows = padded.view(plan.tiles * plan.outputs, plan.dilation * batch * channels)
    products = gradient.new_empty(plan.points, plan.tiles, rows.shape[1])
    for tile in range(plan.tiles):
        start = tile * plan.outputs
        torch.mm(matrix, rows[start : start + plan.outputs], out=products[:, tile])
    return products.view(plan.points, plan.tiles * plan.dilation * batch, channels)


def _forth_transposed(points: Tensor, plan: Plan, batch: int) -> Tensor:
    """Gradient of transformed tiles -> gradient of x (L, B, C): tiles overlap, so they add up."""
    matrix = transforms(plan.outputs, plan.kernel, points.dtype, points.device)[0].t()
    channels = points.shape[2]
    tiles = points.view(plan.points, plan.tiles, plan.dilation * batch * channels)
    rows = points.new_zeros(plan.input_rows, tiles.shape[2])
    for tile in range(plan.tiles):
        start = tile * plan.outputs
        rows[start : start + plan.samples].addmm_(matrix, tiles[:, tile])
    return rows.view(plan.padded_inputs, batch, channels)[plan.margin : plan.margin + plan.length]


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
    """As `dft_convolution`, but an operator that torch.compile can see; `x` already has the compute type."""
    return _convolution(x, weight, bias, dilation)[0]


def _plan(sequence: Tensor, weight: Tensor, dilation: int) -> Plan:
    return make_plan(int(sequence.shape[0]), dilation, int(weight.shape[2]))

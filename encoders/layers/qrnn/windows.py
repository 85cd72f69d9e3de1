"""A causal convolution over the frames as one matrix product: each row is a window of frames.

`windows` copies every window. `window_product` multiplies those of the valid frames alone, and keeps the
frames instead of the windows for the backward pass: a k-th of the memory.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def windows(padded: Tensor, window: int) -> Tensor:
    """(B, k - 1 + T, I) -> (B, T, k I): row t holds the frames t to t + k - 1."""
    if window == 1:
        return padded
    frames = padded.shape[1] - window + 1
    # A copy: BLAS takes no rows that overlap, and torch would make this copy for it anyway.
    return torch.cat([padded[:, first : first + frames] for first in range(window)], dim=2)


def window_product(padded: Tensor, weight: Tensor, mask: Tensor | None) -> Tensor:
    """windows(padded) @ weight.T, or windows(padded)[mask] @ weight.T; for tensors on the CPU.

    Args:
        padded: (B, k - 1 + T, I).
        weight: (O, k I), of any floating type: it is multiplied in the type of `padded`.
        mask: (B, T) bool, the frames that are wanted; None: all.

    Returns:
        In the type of `padded`: with a mask (N, O), a row for each of its N frames, in order; else (B, T, O).
    """
    batch, length, inputs = padded.shape
    window = weight.shape[1] // inputs
    frames = length - window + 1
    first = torch.arange(batch)[:, None] * length + torch.arange(frames)
    first = first.flatten() if mask is None else first[mask]
    product: Tensor = _Product.apply(padded.contiguous(), weight, first)  # type: ignore[no-untyped-call]
    return product if mask is not None else product.view(batch, frames, len(weight))


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, padded: Tensor, weight: Tensor, first: Tensor) -> Tensor:
        ctx.save_for_backward(padded, weight, first)
        with torch.autocast("cpu", enabled=False):
            return _rows(padded, weight, first) @ weight.to(padded.dtype).t()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        padded, weight, first = ctx.saved_tensors
        with torch.autocast("cpu", enabled=False):
            for_padded = for_weight = None
            if ctx.needs_input_grad[1]:
                for_weight = _transposed_product(gradient, _rows(padded, weight, first)).to(weight.dtype)
            if ctx.needs_input_grad[0]:
                for_padded = torch.zeros_like(padded)
                parts = weight.to(padded.dtype).split(padded.shape[2], dim=1)
                for offset, part in enumerate(parts):  # a frame is in k windows
                    for_padded.flatten(0, 1).index_add_(0, first + offset, gradient @ part)
            return for_padded, for_weight, None


def _rows(padded: Tensor, weight: Tensor, first: Tensor) -> Tensor:
    """(N, k I): the windows that begin at the rows `first` of all videos' frames in a line."""
    length, inputs = padded.shape[0] * padded.shape[1], padded.shape[2]
    window = weight.shape[1] // inputs
    if not len(first):
        return padded.new_empty(0, window * inputs)
    overlapping = padded.as_strided((length - window + 1, window * inputs), (inputs, 1))
    return overlapping.index_select(0, first)


def _transposed_product(a: Tensor, b: Tensor) -> Tensor:
    """a.T @ b. In half precision oneDNN is a sixth slower on tensors that only look transposed."""
    if a.element_size() > 2:
        return a.t() @ b
    return a.t().contiguous() @ b.t().contiguous().t()

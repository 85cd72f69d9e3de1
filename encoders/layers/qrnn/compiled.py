"""The two compiled loops of a QRNN's pooling (C and Triton) as one function that torch can differentiate.

Both save the gates before their nonlinearities and recompute everything else in the backward pass: that costs
less than writing it to memory and reading it again.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from encoders import native
from encoders.layers.qrnn import in_c
from encoders.layers.qrnn.in_c import Given

TYPES = (torch.float32, torch.bfloat16)


def why_not(method: Literal["native", "triton"], like: Tensor) -> str:
    """Why `method` cannot compute gates of this type on this device; "" if it can."""
    if like.dtype not in TYPES:
        return f"it computes float32 and bfloat16, not {like.dtype}"
    if method == "native":
        if like.device.type != "cpu":
            return f"it computes on the CPU, not on {like.device}"
        return "" if native.load() else "the C code is not compiled, or switched off"
    if not _triton_is_installed():
        return "triton is not installed"
    if like.device.type != "cuda" and os.environ.get("TRITON_INTERPRET") != "1":
        return f"it computes on CUDA, not on {like.device}"
    return ""


@functools.cache
def _triton_is_installed() -> bool:
    return importlib.util.find_spec("triton") is not None


def compiled_pooling(
    method: Literal["native", "triton"],
    gate_count: int,
    gates: Tensor,
    bias: Tensor,
    start: Tensor | None,
    mask: Tensor | None,
    kept: Tensor | None,
    reverse: bool,
) -> tuple[Tensor, Tensor]:
    """h (B, T, H) in the type of `gates`, and the last c (B, H) float32.

    The arguments are those of `gates.pool_gates`, which has checked them; bias and start are float32.
    """
    batch, frames = gates.shape[:2] if mask is None else mask.shape
    rows = torch.arange(batch * frames, device=gates.device).view(batch, frames)
    if mask is not None:
        if gates.dim() == 2:  # packed: the gates of valid frames alone
            rows = mask.flatten().cumsum(0).view(mask.shape) - 1
        rows = torch.where(mask, rows, -1)
    flat = gates.reshape(-1, gates.shape[-1]).contiguous()
    some = [None if tensor is None else tensor.contiguous() for tensor in (start, kept)]
    every_row = mask is None or gates.dim() == 2
    loops: ModuleType = in_c
    if method == "triton":
        from encoders.layers.qrnn import in_triton  # imports triton, which takes a second and may be absent

        loops = in_triton
    return _Pooling.apply(  # type: ignore[no-untyped-call]
        loops, flat, bias.contiguous(), *some, rows, gate_count, reverse, every_row
    )


class _Pooling(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        loops: ModuleType,
        gates: Tensor,
        bias: Tensor,
        start: Tensor | None,
        kept: Tensor | None,
        rows: Tensor,
        gate_count: int,
        reverse: bool,
        every_row: bool,
    ) -> tuple[Tensor, Tensor]:
        ctx.loops, ctx.gate_count, ctx.reverse, ctx.every_row = loops, gate_count, reverse, every_row
        ctx.save_for_backward(gates, bias, start, rows, kept)
        batch, frames = rows.shape
        size = gates.shape[1] // gate_count
        h = gates.new_empty(batch, frames, size)
        c = gates.new_empty(batch, size, dtype=torch.float32)
        loops.forward(Given(gates, bias, start, rows, kept, gate_count, reverse), h, c)
        return h, c

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, for_h: Tensor, for_c: Tensor) -> tuple[Tensor | None, ...]:
        gates, bias, start, rows, kept = ctx.saved_tensors
        given = Given(gates, bias, start, rows, kept, ctx.gate_count, ctx.reverse)
        # Rows of padding are never written, so they must be 0 from the start.
        for_gates = torch.empty_like(gates) if ctx.every_row else torch.zeros_like(gates)
        for_start = for_c.clone(memory_format=torch.contiguous_format)
        for_bias = bias.new_empty(len(rows), len(bias))
        ctx.loops.backward(given, for_h.contiguous(), for_start, for_gates, for_bias)
        return None, for_gates, for_bias.sum(0), None if start is None else for_start, *[None] * 5

"""The two compiled loops of a QRNN's pooling as one function that torch can differentiate.

Both keep the gates as they were before their nonlinearities and compute all else anew in the backward pass:
that costs less than writing it down and reading it again.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from types import ModuleType
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from encoders import native

TYPES = (torch.float32, torch.bfloat16)


class Given(NamedTuple):
    """What a pooling is given that has no gradient.

    count: G, the gates: 2 for f-pooling, 3 for fo, 4 for ifo. mask: (B, T) bool or None. kept: (B, T, H) bool
    or None. reverse: time runs backward. See `qrnn_gates.pool_gates`.
    """

    count: int
    mask: Tensor | None
    kept: Tensor | None
    reverse: bool


def why_not(method: Literal["native", "triton"], gates: Tensor) -> str:
    """Why `method` cannot compute these gates, "" when it can."""
    if gates.dtype not in TYPES:
        return f"it computes float32 and bfloat16, not {gates.dtype}"
    if method == "native":
        if gates.device.type != "cpu":
            return f"it computes on the CPU, not on {gates.device}"
        return "" if native.load() else "the C code is not compiled, or switched off"
    if not _triton_is_installed():
        return "triton is not installed"
    if gates.device.type != "cuda" and os.environ.get("TRITON_INTERPRET") != "1":
        return f"it computes on CUDA, not on {gates.device}"
    return ""


@functools.cache
def _triton_is_installed() -> bool:
    return importlib.util.find_spec("triton") is not None


def compiled_pooling(
    method: Literal["native", "triton"], gates: Tensor, start: Tensor | None, given: Given
) -> tuple[Tensor, Tensor]:
    """h (B, T, H) in the type of `gates`, and the last c (B, H) float32.

    Args:
        method: one that `why_not` has nothing against.
        gates: (B, T, G H) float32 or bfloat16, before the nonlinearities.
        start: (B, H) float32; None is 0.
        given: all else.
    """
    h, c = _Pooling.apply(_loops(method), gates.contiguous(), start, given)  # type: ignore[no-untyped-call]
    return h, c


def _loops(method: str) -> ModuleType:
    if method == "native":
        from encoders.layers import qrnn_native

        return qrnn_native
    from encoders.layers import qrnn_triton  # imports triton, which takes a second and may be absent

    return qrnn_triton


class _Pooling(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, loops: ModuleType, gates: Tensor, start: Tensor | None, given: Given
    ) -> tuple[Tensor, Tensor]:
        start = None if start is None else start.contiguous()
        given = given._replace(
            mask=None if given.mask is None else given.mask.contiguous(),
            kept=None if given.kept is None else given.kept.contiguous(),
        )
        ctx.loops, ctx.count, ctx.reverse = loops, given.count, given.reverse
        ctx.save_for_backward(gates, start, given.mask, given.kept)
        h, c = loops.forward(gates, start, given)
        return h, c

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, for_h: Tensor, for_c: Tensor) -> tuple[Tensor | None, ...]:
        gates, start, mask, kept = ctx.saved_tensors
        given = Given(ctx.count, mask, kept, ctx.reverse)
        for_gates, for_start = ctx.loops.backward(gates, start, given, for_h.contiguous(), for_c.contiguous())
        return None, for_gates, None if start is None else for_start, None

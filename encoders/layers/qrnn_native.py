"""The C loops of native/qrnn_pooling.c on tensors: a QRNN's pooling on the CPU, forward and backward.

Videos are independent: each of torch's threads takes some of them, so the result does not depend on how many
threads there are.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch
from torch import Tensor

from encoders import native
from encoders.layers.qrnn_compiled import Given

BLOCK = 256  # channels of the backward pass at a time, as in the C file
WORTH_A_THREAD = 2**20  # gates: a millisecond


class _Problem(ctypes.Structure):
    """`struct pooling` of the C file, where each field is explained."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("frames", "size", "gates", "half", "reverse", "kept_rows")),
        *(
            (name, ctypes.c_void_p)
            for name in ("before", "valid", "kept", "start", "h", "c", "for_h", "for_c", "for_before")
        ),
        ("scratch", ctypes.c_void_p),
    ]


def forward(gates: Tensor, start: Tensor | None, given: Given) -> tuple[Tensor, Tensor]:
    """h and the last c.

    Args:
        gates: (B, T, G H) float32 or bfloat16, contiguous as all tensors here.
        start: (B, H) float32 or None.
        given: the rest.
    """
    batch, frames, width = gates.shape
    h = gates.new_empty(batch, frames, width // given.count)
    c = gates.new_empty(batch, width // given.count, dtype=torch.float32)
    _for_all_videos("qrnn_forward", gates, start, given, h=h, c=c)
    return h, c


def backward(
    gates: Tensor, start: Tensor | None, given: Given, for_h: Tensor, for_c: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of `gates` and `start`.

    Args:
        gates: as in `forward`.
        start: the same.
        given: the same.
        for_h: (B, T, H) the gradient of h, in its type.
        for_c: (B, H) float32, that of the last c.
    """
    for_gates, for_start = torch.empty_like(gates), for_c.clone()
    _for_all_videos(
        "qrnn_backward", gates, start, given, for_h=for_h, for_c=for_start, for_before=for_gates
    )
    return for_gates, for_start


def _for_all_videos(
    name: str, gates: Tensor, start: Tensor | None, given: Given, **arrays: Tensor
) -> None:
    library = native.load()
    assert library is not None
    batch, frames, width = gates.shape
    size = width // given.count
    nowhere = torch.zeros(size, dtype=torch.bool)

    def some_videos(first: int, last: int) -> None:
        scratch = torch.empty(frames * 4 * min(size, BLOCK) if "for_h" in arrays else 0)
        tensors = {**arrays, "before": gates, "valid": given.mask, "start": start, "scratch": scratch}
        tensors["kept"] = nowhere if given.kept is None else given.kept
        problem = _Problem(
            frames,
            size,
            given.count,
            gates.dtype == torch.bfloat16,
            given.reverse,
            given.kept is not None,
            **{key: tensor.data_ptr() for key, tensor in tensors.items() if tensor is not None},
        )
        getattr(library, name)(ctypes.byref(problem), ctypes.c_int64(first), ctypes.c_int64(last))

    threads = min(torch.get_num_threads(), batch, 1 + gates.numel() // WORTH_A_THREAD)
    _in_threads(some_videos, batch, threads)


def _in_threads(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call work(first, last) for `threads` ranges that make up range(count)."""
    if threads <= 1:
        work(0, count)
        return
    bounds = [count * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda range_: work(*range_), pairwise(bounds)))

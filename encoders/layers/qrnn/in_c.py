"""The C loops of native/qrnn_pooling.c on tensors: a QRNN's pooling on the CPU, forward and backward.

Videos are independent, and each thread takes some of them: the result does not depend on the number of
threads.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from encoders import native

BLOCK = 64  # channels of the backward pass at a time, as in the C file
WORTH_A_THREAD = 2**20  # gates, which take a millisecond; starting a thread takes a tenth of that

NUMBERS = ("frames", "size", "gates", "half", "reverse", "kept_rows")
ARRAYS = ("before", "rows", "bias", "kept", "start", "h", "c")
FOR_ARRAYS = ("for_h", "for_c", "for_before", "for_bias", "scratch")


class Given(NamedTuple):
    """Input of the loops, all contiguous.

    gates: (rows, G H) float32 or bfloat16, before bias and nonlinearities. bias: (G H,) float32.
    start: (B, H) float32, or None for 0. rows: (B, T) int64, the row of `gates` of each frame; -1 for
    padding. kept: (B, T, H) bool, where zoneout keeps the state, or None. gate_count: G, 2 for f-pooling, 3
    for fo, 4 for ifo. reverse: time runs from the last frame to the first.
    """

    gates: Tensor
    bias: Tensor
    start: Tensor | None
    rows: Tensor
    kept: Tensor | None
    gate_count: int
    reverse: bool

    @property
    def size(self) -> int:
        return self.gates.shape[1] // self.gate_count


class _Problem(ctypes.Structure):
    """`struct pooling` of the C file, where each field is explained."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in NUMBERS),
        *((name, ctypes.c_void_p) for name in (*ARRAYS, *FOR_ARRAYS)),
    )


def forward(given: Given, h: Tensor, c: Tensor) -> None:
    """Fill h (B, T, H), of the type of the gates and 0 on padding, and the last c (B, H) float32."""
    _in_threads("qrnn_forward", given, {"h": h, "c": c})


def backward(given: Given, for_h: Tensor, for_c: Tensor, for_gates: Tensor, for_bias: Tensor) -> None:
    """From the gradient for_h (B, T, H) fill that of the gates and of the bias, (B, G H) float32 per video.

    for_c (B, H) float32: in, the gradient of the last c; out, of the start. Rows of for_gates that belong to
    no frame are left unchanged.
    """
    arrays = {"for_h": for_h, "for_c": for_c, "for_before": for_gates, "for_bias": for_bias}
    _in_threads("qrnn_backward", given, arrays)


def _in_threads(name: str, given: Given, arrays: dict[str, Tensor]) -> None:
    videos, frames = given.rows.shape
    threads = min(torch.get_num_threads(), videos, 1 + given.gates.numel() // WORTH_A_THREAD)
    loop = getattr(native.load(), name)
    kept = torch.zeros(given.size, dtype=torch.bool) if given.kept is None else given.kept
    tensors = {"before": given.gates, "rows": given.rows, "bias": given.bias, "kept": kept, **arrays}
    if given.start is not None:
        tensors["start"] = given.start
    half = given.gates.dtype == torch.bfloat16
    numbers = (frames, given.size, given.gate_count, half, given.reverse, given.kept is not None)

    def work(first: int, last: int) -> None:
        # One scratch per thread: the states of one video and one block of channels.
        scratch = torch.empty(frames * 4 * min(given.size, BLOCK) if "for_h" in arrays else 0)
        pointers = {key: tensor.data_ptr() for key, tensor in {**tensors, "scratch": scratch}.items()}
        problem = _Problem(*numbers, **pointers)
        loop(ctypes.byref(problem), ctypes.c_int64(first), ctypes.c_int64(last))

    if threads <= 1:
        work(0, videos)
        return
    bounds = [videos * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        for result in [pool.submit(work, *part) for part in pairwise(bounds)]:
            result.result()

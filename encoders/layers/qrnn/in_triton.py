"""A QRNN's pooling on CUDA, forward and backward: one program runs over a video with a block of channels.

Importing this imports triton. Nothing here waits for the GPU. Tested in Triton's interpreter, which runs the
same code on the CPU (TRITON_INTERPRET=1 before triton is imported); it has not been timed on a GPU.

As in native/qrnn_pooling.c the backward pass runs twice over time: forward for the states, then back.
"""

# mypy: disable-error-code="import-untyped, import-not-found"
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from encoders.layers.qrnn.in_c import Given

BLOCK = 128  # channels per program: 256 videos of 1280 channels give 2560 programs, enough for any GPU


def forward(given: Given, h: Tensor, c: Tensor) -> None:
    """As `in_c.forward`, on CUDA."""
    if not len(given.rows):
        return
    with torch.cuda.device_of(h):
        _forward[_grid(given)](*_inputs(given), h, c, **_constants(given))


def backward(given: Given, for_h: Tensor, for_c: Tensor, for_gates: Tensor, for_bias: Tensor) -> None:
    """As `in_c.backward`, on CUDA."""
    if not len(given.rows):
        return
    states = for_h.new_empty(for_h.shape, dtype=torch.float32)
    with torch.cuda.device_of(for_h):
        _backward[_grid(given)](
            *_inputs(given), for_h, for_c, for_gates, for_bias, states, **_constants(given)
        )


def _grid(given: Given) -> tuple[int, int]:
    return len(given.rows), triton.cdiv(given.size, BLOCK)


def _inputs(given: Given) -> tuple[Tensor | int, ...]:
    start = given.bias if given.start is None else given.start  # any pointer: it is not read
    kept = given.rows if given.kept is None else given.kept.view(torch.uint8)
    return given.gates, given.rows, given.bias, start, kept, given.rows.shape[1], given.size


def _constants(given: Given) -> dict[str, int | bool]:
    return {
        "GATES": given.gate_count,
        "HAS_START": given.start is not None,
        "HAS_KEPT": given.kept is not None,
        "REVERSE": given.reverse,
        "BLOCK": BLOCK,
    }


@triton.jit
def _tanh(x):
    """As in native/activations.h: a polynomial where 1 - 2 / (e^2x + 1) would cancel."""
    near = tl.abs(x) < 0.625
    square = tl.where(near, x * x, 0.0)
    p = -5.70498872745e-3 * square + 2.06390887954e-2
    p = p * square - 5.37397155531e-2
    p = p * square + 1.33314422036e-1
    p = p * square - 3.33332819422e-1
    large = 1.0 - 2.0 / (tl.exp(tl.where(tl.abs(x) > 43.0, 86.0, 2.0 * tl.abs(x))) + 1.0)
    return tl.where(near, p * square * x + x, tl.where(x < 0, -large, large))


@triton.jit
def _sigmoid(x):
    """As in native/activations.h."""
    return 1.0 / (1.0 + tl.exp(tl.where(x < -87.0, 87.0, -x)))


@triton.jit
def _gate(before, bias, row, number, j, here, size, GATES: tl.constexpr):
    """Gate `number` of the channels j, before its nonlinearity; float32."""
    at = number * size + j
    numbers = tl.load(before + row * GATES * size + at, mask=here, other=0.0)
    return numbers.to(tl.float32) + tl.load(bias + at, mask=here, other=0.0)


@triton.jit
def _activated(before, bias, kept, frame, row, j, here, size, GATES: tl.constexpr, HAS_KEPT: tl.constexpr):
    """Of one frame: z, f, the input gate, and where the state is kept."""
    z = _tanh(_gate(before, bias, row, 0, j, here, size, GATES))
    f = _sigmoid(_gate(before, bias, row, 1, j, here, size, GATES))
    taken = 1.0 - f
    if GATES == 4:
        taken = _sigmoid(_gate(before, bias, row, 3, j, here, size, GATES))
    still = here == 0
    if HAS_KEPT:
        still = still | (tl.load(kept + frame * size + j, mask=here, other=1) != 0)
    return z, f, taken, still


@triton.jit
def _forward(
    before, rows, bias, start, kept, frames, size, h, last,
    GATES: tl.constexpr, HAS_START: tl.constexpr, HAS_KEPT: tl.constexpr, REVERSE: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    video = tl.program_id(0).to(tl.int64)
    j = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = j < size
    c = tl.zeros((BLOCK,), dtype=tl.float32)
    if HAS_START:
        c = tl.load(start + video * size + j, mask=inside, other=0.0)
    for step in range(frames):
        frame = video * frames + (frames - 1 - step if REVERSE else step)
        row = tl.load(rows + frame)
        here = inside & (row >= 0)
        z, f, taken, still = _activated(before, bias, kept, frame, row, j, here, size, GATES, HAS_KEPT)
        c = tl.where(still, c, f * c + taken * z)
        result = c
        if GATES >= 3:
            result = c * _sigmoid(_gate(before, bias, row, 2, j, here, size, GATES))
        result = tl.where(here, result, 0.0)
        tl.store(h + frame * size + j, result.to(h.dtype.element_ty), mask=inside)
    tl.store(last + video * size + j, c, mask=inside)


@triton.jit
def _backward(
    before, rows, bias, start, kept, frames, size, for_h, for_last, for_before, for_bias, states,
    GATES: tl.constexpr, HAS_START: tl.constexpr, HAS_KEPT: tl.constexpr, REVERSE: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    video = tl.program_id(0).to(tl.int64)
    j = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = j < size
    c = tl.zeros((BLOCK,), dtype=tl.float32)
    if HAS_START:
        c = tl.load(start + video * size + j, mask=inside, other=0.0)
    for step in range(frames):
        frame = video * frames + (frames - 1 - step if REVERSE else step)
        row = tl.load(rows + frame)
        here = inside & (row >= 0)
        tl.store(states + frame * size + j, c, mask=inside)  # before the frame
        z, f, taken, still = _activated(before, bias, kept, frame, row, j, here, size, GATES, HAS_KEPT)
        c = tl.where(still, c, f * c + taken * z)
    for_c = tl.load(for_last + video * size + j, mask=inside, other=0.0)
    sum_z = tl.zeros((BLOCK,), dtype=tl.float32)
    sum_f, sum_o, sum_i = sum_z, sum_z, sum_z
    for back in range(frames):
        step = frames - 1 - back
        frame = video * frames + (frames - 1 - step if REVERSE else step)
        row = tl.load(rows + frame)
        here = inside & (row >= 0)
        previous = tl.load(states + frame * size + j, mask=inside, other=0.0)
        z, f, taken, still = _activated(before, bias, kept, frame, row, j, here, size, GATES, HAS_KEPT)
        c = tl.where(still, previous, f * previous + taken * z)
        gradient = tl.load(for_h + frame * size + j, mask=here, other=0.0).to(tl.float32)
        out = for_before + row * GATES * size + j
        if GATES >= 3:
            o = _sigmoid(_gate(before, bias, row, 2, j, here, size, GATES))
            for_o = gradient * c * o * (1.0 - o)
            tl.store(out + 2 * size, for_o.to(out.dtype.element_ty), mask=here)
            sum_o += for_o
            gradient = gradient * o
        for_c += gradient
        moved = tl.where(still, 0.0, for_c)
        for_z = moved * taken * (1.0 - z * z)
        for_f = moved * (previous if GATES == 4 else previous - z) * f * (1.0 - f)
        tl.store(out, for_z.to(out.dtype.element_ty), mask=here)
        tl.store(out + size, for_f.to(out.dtype.element_ty), mask=here)
        sum_z += for_z
        sum_f += for_f
        if GATES == 4:
            for_i = moved * z * taken * (1.0 - taken)
            tl.store(out + 3 * size, for_i.to(out.dtype.element_ty), mask=here)
            sum_i += for_i
        for_c = tl.where(still, for_c, for_c * f)
    tl.store(for_last + video * size + j, for_c, mask=inside)
    out_bias = for_bias + video * GATES * size + j
    tl.store(out_bias, sum_z, mask=inside)
    tl.store(out_bias + size, sum_f, mask=inside)
    if GATES >= 3:
        tl.store(out_bias + 2 * size, sum_o, mask=inside)
    if GATES == 4:
        tl.store(out_bias + 3 * size, sum_i, mask=inside)

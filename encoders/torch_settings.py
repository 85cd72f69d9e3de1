"""Settings of torch and the C library: fast and exact float32 products, freed memory that is kept.

torch hands float32 products to MKL, which has no AVX-512 code for processors of another maker: 98 GFLOP/s
instead of oneDNN's 205 on one core of an AMD EPYC 9005. torch uses oneDNN only if it may compute in bfloat16
("medium"). Without matrix units (AMX) oneDNN has no reason to, and computes in float32. This is measured once
per process, and the setting is undone where the products are not exact.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

import torch
from torch import Tensor

SWITCH = "COMPRESS_ONEDNN"
EXACT = 1e-5  # relative error of a float32 product; with bfloat16 factors 2e-3, with TF32 3e-4
SHAPES = ((64, 320, 512), (64, 40, 1024), (256, 512, 64))  # rows, inputs, outputs


def fast_float32_products() -> bool:
    """Let oneDNN compute the float32 matrix products of this process; returns whether it does.

    The setting holds for all threads and changes the last bits, so `build_model` makes it once, before any
    model computes. It is not made with COMPRESS_ONEDNN=off, where the caller has chosen a precision, or with
    a GPU, whose products it would make inexact.
    """
    if os.environ.get(SWITCH, "").lower() in ("off", "0", "no", "false"):
        return False
    return _switch()


@functools.cache
def _switch() -> bool:
    untouched = torch.get_float32_matmul_precision() == "highest"
    onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not untouched or not onednn or torch.cuda.is_available():
        return False
    torch.set_float32_matmul_precision("medium")
    if exact_products():
        return True
    torch.set_float32_matmul_precision("highest")
    return False


def exact_products() -> bool:
    """Whether float32 products have float32's error under the current setting."""
    return all(_error(*shape) < EXACT for shape in SHAPES)


@torch.no_grad()
def _error(rows: int, inputs: int, outputs: int) -> float:
    random = torch.Generator("cpu").manual_seed(0)  # torch's global generator belongs to the run
    x = torch.randn(2, rows, inputs, generator=random, device="cpu")
    w = torch.randn(2, outputs, inputs, generator=random, device="cpu")
    wanted = x[0].double() @ w[0].double().t()
    found = torch.stack([x[0] @ w[0].t(), torch.bmm(x, w.transpose(1, 2))[0]]).double()
    return float((found - wanted).norm(dim=(1, 2)).max() / wanted.norm())


M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h
NEVER = -1


def keep_freed_memory() -> bool:
    """Reuse freed memory for the next allocations of this process; call it once, before a long run.

    glibc maps every block above 32 MB anew, and the kernel then fills it with zeros page by page: a third of
    a ResidualCNN training step with 64 or more videos. The process keeps its peak size until it ends. Returns
    True with glibc; elsewhere False, and nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))


def compute_type(x: Tensor) -> torch.dtype:
    """Autocast's type if it is on for the device of `x`, else that of `x`; float64 is never cast."""
    device = x.device.type
    on = torch.is_autocast_enabled(device) and x.dtype != torch.float64
    return torch.get_autocast_dtype(device) if on else x.dtype

"""Settings of torch and the C library: fast float32 products that are exact, memory that is kept.

torch hands float32 products to MKL, which has no AVX-512 code for processors of another maker: 98 GFLOP/s
instead of 205 on one core of an AMD EPYC 9005. oneDNN gets them only where torch is told that it may compute
in bfloat16 ("medium"). Without matrix units (AMX) oneDNN has nothing to gain by that and stays with float32;
whether this is so is not believed but measured, once a process, and taken back where it is not.
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
    """Let oneDNN compute float32 matrix products of this process; `build_model` calls it.

    It is one setting for all threads, so it is made once, before any model computes: which library computes
    changes the last bits. COMPRESS_ONEDNN=off leaves torch as it is; so does a setting that somebody made
    before, or a GPU, whose products the same setting would make inexact.

    Returns:
        Whether oneDNN computes them.
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
    """Whether float32 products, as they are set now, have float32's error and not that of a shorter type."""
    return all(_error(*shape) < EXACT for shape in SHAPES)


@torch.no_grad()
def _error(rows: int, inputs: int, outputs: int) -> float:
    random = torch.Generator("cpu").manual_seed(0)  # torch's own generator belongs to the run
    x = torch.randn(2, rows, inputs, generator=random, device="cpu")
    w = torch.randn(2, outputs, inputs, generator=random, device="cpu")
    wanted = x[0].double() @ w[0].double().t()
    found = torch.stack([x[0] @ w[0].t(), torch.bmm(x, w.transpose(1, 2))[0]]).double()
    return float((found - wanted).norm(dim=(1, 2)).max() / wanted.norm())


M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h
NEVER = -1


def keep_freed_memory() -> bool:
    """Let freed memory serve the next allocations of this process; call it once, before a long run.

    glibc maps every block above 32 MB afresh, and the kernel then fills it with zeros page by page: a third
    of a ResidualCNN training step with 64 or more videos. The process keeps its peak size until it ends.

    Returns:
        True where it took effect (glibc), False elsewhere: then nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))


def compute_type(x: Tensor) -> torch.dtype:
    """Autocast's type where that is on for the device of `x`; float64, which autocast leaves alone, stays."""
    device = x.device.type
    on = torch.is_autocast_enabled(device) and x.dtype != torch.float64
    return torch.get_autocast_dtype(device) if on else x.dtype

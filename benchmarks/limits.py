"""What this machine can do at most, measured when it is first asked for, on one thread.

Arithmetic is the best of several libraries: which of them knows a CPU best differs from one to the next.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.measure import median_seconds
from compress.errors import UsageError

_ROUNDS = 7
_SIDE = 1024  # of the square matrices: 4 MB each, in the cache, as a good blocked product has it
_GPU_SIDE = 8192
_BYTES = 1 << 26  # far more than a cache holds


class Limits:
    """Rates by resource.

    Args:
        scratch: a folder on the disk whose speed counts.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch, self.rates = scratch, dict[str, float]()

    def rate(self, resource: str) -> float:
        """FLOP/s or bytes/s of a resource; UsageError for one that nobody knows."""
        if resource not in RESOURCES:
            raise UsageError(f"no resource {resource!r}", hint=f"known: {', '.join(RESOURCES)}")
        if resource not in self.rates:
            self.rates[resource] = RESOURCES[resource](self._scratch)
        return self.rates[resource]


def _float32(scratch: Path) -> float:
    a = np.random.default_rng(0).standard_normal((_SIDE, _SIDE), dtype=np.float32)
    b, out = a.T.copy(), np.empty_like(a)
    blas = 2 * _SIDE**3 / median_seconds(lambda: np.matmul(a, b, out=out), _ROUNDS)
    return max(blas, _torch_products("float32"), _torch_convolution("float32"))


def _bfloat16(scratch: Path) -> float:
    return max(_torch_products("bfloat16"), _torch_convolution("bfloat16"))


def _torch_products(dtype: str) -> float:
    """Of square matrices: MKL's, or oneDNN's in bf16."""
    import torch

    a = torch.randn(_SIDE, _SIDE).to(getattr(torch, dtype))
    b, out = a.t().contiguous(), torch.empty_like(a)
    return 2 * _SIDE**3 / median_seconds(lambda: torch.mm(a, b, out=out), _ROUNDS)


def _torch_convolution(dtype: str) -> float:
    """Of 512 filters over 9 positions of 256 channels: oneDNN's."""
    import torch

    x, filters = (torch.randn(shape).to(getattr(torch, dtype)) for shape in ((16, 256, 320), (512, 256, 9)))
    with torch.inference_mode():
        time = median_seconds(lambda: torch.conv1d(x, filters, padding=4), 3)
    return 2 * 16 * 320 * filters.numel() / time


def _copy(scratch: Path) -> float:
    source, target = np.ones(_BYTES, np.uint8), np.zeros(_BYTES, np.uint8)
    return _BYTES / median_seconds(lambda: np.copyto(target, source), _ROUNDS)


def _read(scratch: Path) -> float:
    import torch

    source = np.ones(_BYTES // 4, np.float32)
    tensor = torch.from_numpy(source)
    calls = (tensor.sum, lambda: np.dot(source, source))
    return _BYTES / min(median_seconds(call, _ROUNDS) for call in calls)


def _sha256(scratch: Path) -> float:
    data = bytes(_BYTES)
    return _BYTES / median_seconds(lambda: hashlib.sha256(data), 3)


def _crc32c(scratch: Path) -> float:
    from crc32c import crc32c

    data = bytes(_BYTES)
    return _BYTES / median_seconds(lambda: crc32c(data), _ROUNDS)


def _disk_write(scratch: Path) -> float:
    """Write and fsync, by the clock on the wall."""
    path, data = scratch / "limit", np.ones(_BYTES, np.uint8).data

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            for _ in range(2):
                file.write(data)
            os.fsync(file.fileno())

    try:
        return 2 * _BYTES / median_seconds(write, 3, "wall")
    finally:
        path.unlink(missing_ok=True)


def _gpu_bfloat16(scratch: Path) -> float:
    import torch

    a = torch.randn(_GPU_SIDE, _GPU_SIDE, device="cuda", dtype=torch.bfloat16)
    b, out = a.t().contiguous(), torch.empty_like(a)

    def product() -> None:
        torch.mm(a, b, out=out)
        torch.cuda.synchronize()

    return 2 * _GPU_SIDE**3 / median_seconds(product, _ROUNDS, "wall")


RESOURCES: Mapping[str, Callable[[Path], float]] = {
    "fp32 arithmetic": _float32,
    "bf16 arithmetic": _bfloat16,
    "memory copy": _copy,
    "memory read": _read,
    "sha256": _sha256,
    "crc32c": _crc32c,
    "write and fsync": _disk_write,
    "GPU bf16 arithmetic": _gpu_bfloat16,
}

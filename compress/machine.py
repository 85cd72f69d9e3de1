"""The CPU cores, memory and GPU that this process may use, and the number of threads that it uses."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from compress.errors import ConfigError, UnavailableError, UsageError
from compress.limits import LIMITS, within

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
CGROUP = Path("/sys/fs/cgroup")


def cpu_count(cgroup: Path = CGROUP) -> int:
    """CPU cores that this process may use: its affinity, limited by the container's quota; at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(cgroup)
    return allowed if quota is None else max(1, min(allowed, round(quota)))


def cpu_quota(cgroup: Path = CGROUP) -> float | None:
    """Cores that the container may use (cgroup v2, then v1), or None without a quota."""
    version_2 = cgroup / "cpu.max"
    if version_2.is_file():
        quota, period = version_2.read_text().split()[:2]
        return None if quota == "max" else int(quota) / int(period)
    version_1 = cgroup / "cpu" / "cpu.cfs_quota_us"
    if version_1.is_file():
        quota_us = int(version_1.read_text())
        period_us = int((cgroup / "cpu" / "cpu.cfs_period_us").read_text())
        return None if quota_us <= 0 else quota_us / period_us
    return None


def memory_bytes(cgroup: Path = CGROUP) -> int | None:
    """Memory that this process may use: the machine's or the container's limit; None if unknown."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in (cgroup / "memory.max", cgroup / "memory" / "memory.limit_in_bytes"):
        if limit.is_file() and (text := limit.read_text().strip()) != "max":
            return min(installed, int(text))
    return installed


def use_threads(threads: int) -> int:
    """Let torch, faiss and numpy use `threads` CPU threads; returns the number.

    0 stands for the user's own OMP_NUM_THREADS or, without it, all cores that are allowed. Call this before
    the first import of these libraries (for torch it also works afterwards).

    Raises:
        ConfigError: OMP_NUM_THREADS is not a number of threads.
        UsageError: too many threads.
    """
    # Waiting threads sleep: spinning made training three times slower when other programs used the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if threads == 0 and "OMP_NUM_THREADS" in os.environ:
        text = os.environ["OMP_NUM_THREADS"]
        first = text.split(",")[0].strip()  # OpenMP takes a list, one number per level of nesting
        number = int(first) if first.isascii() and first.isdigit() and len(first) < 9 else 0
        if not (number and LIMITS["threads"].allows(number)):
            hint = f"set it to 1 to {LIMITS['threads'].at_most}, or unset it; --threads overrides it"
            raise ConfigError(f"not a number of threads: {text!r}", where="OMP_NUM_THREADS", hint=hint)
        return number
    within("threads", threads, "--threads")
    number = threads or cpu_count()
    for name in THREAD_VARIABLES:
        os.environ[name] = str(number)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(number)
    return number


def use_torch_threads(threads: int) -> None:
    """Let torch use so many threads from now on; 0 leaves them as they are. UsageError for too many."""
    within("threads", threads, "threads")
    if threads:
        import torch

        torch.set_num_threads(threads)


def choose_device(wanted: str) -> str:
    """The device for "auto": "cuda" if torch can use a GPU, else "cpu"; others are returned as they are.

    Raises:
        UsageError: another word.
        UnavailableError: "cuda" was asked for and torch sees no GPU.
    """
    if wanted not in ("auto", "cpu", "cuda"):
        raise UsageError(f"unknown device {wanted!r}", where="device", hint='use "auto", "cpu" or "cuda"')
    if wanted == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise UnavailableError(
            "torch sees no GPU", where="--device cuda", hint="use --device cpu, or see `compress doctor`"
        )
    return "cpu"


def installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    return importlib.util.find_spec(module) is not None

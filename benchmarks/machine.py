"""What was measured on: without it no figure means anything."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from compress.machine import cpu_count, memory_bytes

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = (
    "torch",
    "numpy",
    "faiss-gpu",
    "faiss-cpu",
    "h5py",
    "protobuf",
    "tfrecord",
    "scikit-learn",
    "triton",
)
_FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "asimd", "sve", "bf16")


@dataclass(frozen=True)
class Machine:
    """Hardware, software and state at the start.

    Args:
        cpu: model name.
        cores: those that this process may use.
        flags: instruction sets that matter here.
        memory: bytes; 0 where unknown.
        gpu: name, "" without one.
        system: kernel and architecture.
        versions: of Python and of the packages that do the work, by name.
        date: UTC, to the second.
        commit: of this checkout, with "+" when files were changed; "" outside git.
        load: load average of the last minute at the start; -1 where the system tells none.
    """

    cpu: str
    cores: int
    flags: tuple[str, ...]
    memory: int
    gpu: str
    system: str
    versions: dict[str, str]
    date: str
    commit: str
    load: float


def this_machine() -> Machine:
    """Look around."""
    model, flags = _cpu()
    return Machine(
        cpu=model or platform.processor() or "unknown",
        cores=cpu_count(),
        flags=tuple(flag for flag in _FLAGS if flag in flags),
        memory=memory_bytes() or 0,
        gpu=gpu_name(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        versions={"python": platform.python_version(), **_versions()},
        date=datetime.now(UTC).replace(microsecond=0).isoformat(),
        commit=_commit(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0,
    )


def gpu_name() -> str:
    """The first CUDA device; "" where torch sees none."""
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""


def _cpu(path: Path = Path("/proc/cpuinfo")) -> tuple[str, set[str]]:
    if not path.is_file():
        return "", set()
    facts: dict[str, str] = {}
    for line in path.read_text().splitlines():
        name, colon, value = line.partition(":")
        if colon:
            facts.setdefault(name.strip(), value.strip())
    return facts.get("model name", ""), set((facts.get("flags") or facts.get("Features", "")).split())


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str:
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()

"""What is wrong with this machine and how to mend it: one check a library or resource; nothing is changed."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compress import native
from compress.errors import CompressError
from compress.machine import cpu_count, cpu_quota, memory_bytes

State = Literal["ok", "warn", "fail"]
GB = 1e9
ENOUGH_MEMORY, ENOUGH_DISK = 4 * GB, 5 * GB
# What importing a broken or half-installed library ends in. All else is a mistake of ours and goes through.
BROKEN = (ImportError, OSError, AttributeError, RuntimeError, TypeError, ValueError, LookupError)
REINSTALL = "pip install --force-reinstall {name}"


@dataclass(frozen=True)
class Check:
    """One finding: `mend` is empty when there is nothing to do."""

    name: str
    state: State
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Health:
    """All findings; `healthy` means that none failed, warnings are bearable."""

    healthy: bool
    checks: tuple[Check, ...]


def examine(folder: Path) -> Health:
    """Look at everything that the commands need.

    Args:
        folder: where work would be written; its disk is measured.
    """
    checks = [_guarded(name, check) for name, check in CHECKS.items()]
    checks.append(check_disk(folder))
    return Health(all(check.state != "fail" for check in checks), tuple(checks))


def check_python() -> Check:
    """Python 3.11 or newer, 64 bits."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    if sys.maxsize < 2**32:
        return Check("python", "fail", found, "a 64-bit Python is needed")
    return Check("python", "ok", found)


def check_torch() -> Check:
    """torch, its threads, the GPU if it has one, and bf16."""
    import torch

    threads = f"{torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
        bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16"
        return Check(
            "torch", "ok", f"{torch.__version__}, CUDA {torch.version.cuda}, {names}, {bf16}, {threads}"
        )
    bf16 = "bf16 in hardware" if _cpu_has_bf16() else "no bf16 in hardware"
    found = f"{torch.__version__}, no GPU, {bf16}, {threads}"
    if torch.version.cuda is not None and shutil.which("nvidia-smi"):
        return Check(
            "torch",
            "warn",
            found,
            "torch has CUDA but sees no GPU: compare `nvidia-smi` with torch's CUDA version",
        )
    return Check("torch", "ok", found)


def check_faiss() -> Check:
    """faiss, that exactly one distribution owns it, and its GPUs."""
    from compress.faiss_engine import faiss, num_gpus, owners

    module, owned_by = faiss(), owners()
    found = f"{module.__version__} from {', '.join(owned_by) or 'an own build'}, {num_gpus()} GPUs"
    if owned_by == ["faiss-cpu"] and shutil.which("nvidia-smi"):
        return Check(
            "faiss", "warn", found, "this machine has a GPU: pip uninstall faiss-cpu && pip install faiss-gpu"
        )
    return Check("faiss", "ok", found)


def check_numpy() -> Check:
    """numpy."""
    import numpy

    return Check("numpy", "ok", numpy.__version__)


def check_h5py() -> Check:
    """h5py and the HDF5 it was built with."""
    import h5py

    return Check("h5py", "ok", f"{h5py.__version__} with HDF5 {h5py.version.hdf5_version}")


def check_protobuf() -> Check:
    """protobuf, and whether it parses in native code."""
    from google.protobuf.internal import api_implementation

    version, kind = importlib.metadata.version("protobuf"), api_implementation.Type()
    if kind == "python":
        return Check(
            "protobuf",
            "warn",
            f"{version}, pure Python",
            "shards are read many times slower: " + REINSTALL.format(name="protobuf"),
        )
    return Check("protobuf", "ok", f"{version}, {kind}")


def check_crc32c() -> Check:
    """crc32c computes the right checksum, in native code."""
    import crc32c

    if crc32c.crc32c(b"123456789") != 0xE3069283:
        return Check("crc32c", "fail", "gives wrong checksums", REINSTALL.format(name="crc32c"))
    hardware = "in hardware" if getattr(crc32c, "hardware_based", False) else "in software"
    return Check("crc32c", "ok", f"{importlib.metadata.version('crc32c')}, {hardware}")


def check_native() -> Check:
    """The compiled code (reading, metrics, search, QRNN pooling), or why slower Python code runs."""
    missing = {folder: reason for folder in native.folders() if (reason := native.why_not(folder))}
    if not missing:
        return Check("native", "ok", f"compiled C code in use; {native.SWITCH}=off switches it off")
    reasons = "; ".join(sorted(set(missing.values())))
    mend = (
        "install a C compiler (apt-get install gcc), then this package once more "
        "(pip install --force-reinstall --no-deps --no-cache-dir), or type `make native` in its source"
    )
    if native.switched_off():
        mend = f"unset {native.SWITCH}"
    return Check("native", "warn", f"slower Python code runs: {reasons}", mend)


def check_cpu() -> Check:
    """Cores that this process may use."""
    quota = cpu_quota()
    limit = "" if quota is None else f", the container grants {quota:g}"
    return Check("cpu", "ok", f"{cpu_count()} cores to use{limit}")


def check_memory() -> Check:
    """Memory of the machine or the container."""
    found = memory_bytes()
    if found is None:
        return Check("memory", "warn", "unknown on this system")
    if found < ENOUGH_MEMORY:
        return Check(
            "memory", "warn", f"{found / GB:.1f} GB", "training may not fit: choose a smaller --batch-size"
        )
    return Check("memory", "ok", f"{found / GB:.1f} GB")


def check_disk(folder: Path) -> Check:
    """Space and permission where work would be written."""
    import os

    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Check("disk", "fail", f"{folder} cannot be written", "choose another folder with --workspace")
    if free < ENOUGH_DISK:
        return Check(
            "disk",
            "warn",
            f"{free / GB:.1f} GB free in {folder}",
            "free some space before you train or encode",
        )
    return Check("disk", "ok", f"{free / GB:.1f} GB free in {folder}")


def _cpu_has_bf16() -> bool:
    import torch

    capabilities = getattr(torch.backends.cpu, "get_cpu_capability", lambda: "")()
    flags = Path("/proc/cpuinfo")
    return "AMX" in capabilities or (flags.is_file() and "avx512_bf16" in flags.read_text())


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except CompressError as error:
        return Check(name, "fail", error.what, error.hint)
    except BROKEN as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())
        return Check(name, "fail", found, REINSTALL.format(name=name))


CHECKS: dict[str, Callable[[], Check]] = {
    "python": check_python,
    "torch": check_torch,
    "faiss": check_faiss,
    "numpy": check_numpy,
    "h5py": check_h5py,
    "protobuf": check_protobuf,
    "crc32c": check_crc32c,
    "native": check_native,
    "cpu": check_cpu,
    "memory": check_memory,
}

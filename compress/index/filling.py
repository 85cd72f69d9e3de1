"""Training an index and adding the videos to it, on the CPU or with the help of a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compress import faiss_engine
from compress.errors import UsageError
from compress.index.factory import base_of, is_refined, num_lists, refiner_of
from compress.index.selection import Selection
from compress.index.vectors import BLOCK_BYTES
from compress.progress import Note, Progress, Reporter, check_interrupt

_PER_LIST = 64  # Training rows a list; FAISS wants 39 at least and uses no more than 256.
_AT_LEAST = 65_536  # What an 8-bit product quantiser can use: 256 rows for each of 256 centroids.
_HINT = "the index that was there is untouched; run the same command again"

OnBlock = Callable[[int, np.ndarray], None]


def training_rows(index: Any, num_vectors: int) -> int:
    """How many rows of a sample are enough to train `index`."""
    return 0 if index.is_trained else min(num_vectors, max(_PER_LIST * num_lists(index), _AT_LEAST))


def bytes_per_video(index: Any) -> int:
    """What `index` holds of each video: its code, and in lists its number."""
    return int(index.sa_code_size()) + (8 if num_lists(index) else 0)


def memory_estimate(index: Any, num_vectors: int, recall_queries: int) -> tuple[int, int]:
    """Bytes of the finished index, and bytes needed besides while it is built."""
    lists = num_lists(index)
    finished = num_vectors * bytes_per_video(index) + lists * index.d * 4
    training = 2 * training_rows(index, num_vectors) * index.d * 4
    growth = finished // 2 if lists else 0  # Lists grow by doubling; a flat array is reserved at once.
    return finished, max(training, growth) + 4 * BLOCK_BYTES + 2 * recall_queries * index.d * 4


def fill(
    index: Any, selection: Selection, seed: int, device: str, on_block: OnBlock, report: Reporter
) -> Any:
    """Train `index` on a seeded sample and add every video of `selection`.

    Args:
        index: empty, from `make_index`.
        device: "cpu" or "cuda". A GPU does all the work for index types that FAISS has on GPUs; for the
            others (fast scan, re-ranking) it only clusters.
        on_block: called with (first row, comparable float32 (b, d)) for each block, so that one pass over the
            store serves other purposes as well.

    Returns:
        The filled index, in main memory.
    """
    sample = selection.take(selection.sample(training_rows(index, len(selection)), (seed, 0)))
    if device == "cpu":
        _train(index, sample, report)
        _reserve(index, len(selection))
        return _add(index, selection, on_block, report)
    if _has_gpu_type(index):
        on_gpu = faiss_engine.move_to_gpu(index)
        _train(on_gpu, sample, report)
        return faiss_engine.move_to_cpu(_add(on_gpu, selection, on_block, report))
    with faiss_engine.clustering_on_gpu(base_of(index)):
        _train(index, sample, report)
    return _add(index, selection, on_block, report)


def _has_gpu_type(index: Any) -> bool:
    return not is_refined(index) and "FastScan" not in type(index).__name__


def _train(index: Any, sample: np.ndarray, report: Reporter) -> None:
    if index.is_trained:
        return
    report(Note(f"Training the index on {len(sample):,} videos."))
    with faiss_engine.translated(
        UsageError,
        f"FAISS cannot train this index on {len(sample):,} videos",
        where="--factory",
        hint="use --factory Flat",
    ):
        index.train(sample)


def _add(index: Any, selection: Selection, on_block: OnBlock, report: Reporter) -> Any:
    faiss_engine.prefer_matrix_products(index.d)
    for first, block in selection.blocks():
        check_interrupt(_HINT)
        with faiss_engine.translated(UsageError, "FAISS cannot add videos to this index", where="--factory"):
            index.add(block)
        on_block(first, block)
        report(Progress("index", first + len(block), len(selection)))
    return index


def _reserve(index: Any, num_vectors: int) -> None:
    # FAISS has no reserve(), and growing by doubling would need the memory of a flat index twice.
    flat = refiner_of(index) if is_refined(index) else index
    if hasattr(flat, "codes") and hasattr(flat.codes, "clear"):
        flat.codes.resize(num_vectors * flat.code_size)
        flat.codes.clear()

"""FAISS indexes: the supported types, training them, and adding the videos.

Functions that make or read an index return its real type; its members (`base_index`, `quantizer`) need
`downcast_index`. The index itself must not be downcast: the new handle would not own it, and it is freed with
the old one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from compress import faiss_engine
from compress.errors import DataError, UsageError
from compress.index.rows import BLOCK_BYTES, Selection
from compress.progress import Note, Progress, Reporter, check_interrupt

EXACT_BELOW = 500_000
# Up to here a query is compared with all codes. For a million videos of 320 dimensions that takes 12 (binary)
# to 44 ms (int4) of one core, float32 rows take 48; lists of decoded rows would need 5 to 20 times the
# memory.
CODES_BELOW = 2_000_000

# All other types are refused, also in files: HNSW has settings that `tuning` does not know, OPQ trains for
# minutes, and the readers of types that are not tested here could be attacked.
_FLAT = {"IndexFlat", "IndexFlatIP"}
_PLAIN = _FLAT | {"IndexScalarQuantizer", "IndexPQFastScan"}
_INVERTED = {"IndexIVFFlat", "IndexIVFScalarQuantizer", "IndexIVFPQ", "IndexIVFPQFastScan"}
_REFINED = {"IndexRefine", "IndexRefineFlat"}
# Others have no distance to a single row, for want of which FAISS ends the process.
_REFINERS = _FLAT | {"IndexScalarQuantizer"}
_LISTS = {"ArrayInvertedLists", "BlockInvertedLists"}
_PER_LIST = 64  # Training rows a list; FAISS wants 39 at least and uses no more than 256.
_AT_LEAST = 65_536  # What an 8-bit product quantiser can use: 256 rows for each of 256 centroids.
INTERRUPTED = "the index that was there is untouched; run the same command again"
_EXAMPLES = "for example: Flat, SQ8, IVF1024,Flat, IVF1024,SQ8, IVF4096,PQ160x4fs,Refine(SQfp16)"


def default_factory(num_vectors: int, dim: int, exact_below: int = EXACT_BELOW) -> str:
    """FAISS factory string for `num_vectors` rows of `dim` dimensions.

    Below `exact_below` rows comparing with every row is fast enough and loses nothing. Above: 2 sqrt(N)
    inverted lists with 4-bit product quantisation of two dimensions per code (fast scan), re-ranked by 16-bit
    floats. On a million videos made from real embeddings (320 dimensions), that was 6 times (recall@10 0.967)
    to 8 times (0.989) the speed of as many lists of float32 at equal recall. Re-ranking by 8-bit scalars lost
    0.012 of recall at the same speed; 4 sqrt(N) lists took twice as long to build and were no faster.
    """
    if num_vectors < exact_below:
        return "Flat"
    codes = dim // 2 if dim % 2 == 0 else dim
    return f"IVF{max(1, round(2 * math.sqrt(num_vectors)))},PQ{codes}x4fs,Refine(SQfp16)"


def make_index(factory: str, dim: int, seed: int) -> Any:
    """An empty index for inner products, seeded.

    Raises:
        UsageError: FAISS does not understand `factory`, cannot apply it to `dim` dimensions, or makes an
            index of it that this project does not support.
    """
    if not isinstance(factory, str):
        raise UsageError(f"{factory!r} is not a str", where="factory", hint=_EXAMPLES)
    module = faiss_engine.faiss()
    with faiss_engine.translated(
        UsageError, f"FAISS cannot make {factory!r} for {dim} dimensions", where="--factory", hint=_EXAMPLES
    ):
        index = module.index_factory(dim, factory, module.METRIC_INNER_PRODUCT)
    problem = unsupported(index)
    if problem:
        raise UsageError(
            f"{factory!r} needs {problem}, which is not supported", where="--factory", hint=_EXAMPLES
        )
    _seed(index, seed)
    return index


def check_loaded(index: Any, where: object) -> None:
    """Raise DataError when a loaded index is or contains a type that `make_index` never makes."""
    problem = unsupported(index)
    if problem:
        raise DataError(f"holds {problem}, which compress does not support", where=str(where))


def unsupported(index: Any) -> str:
    """The first part of `index` that is not on the list of supported types; empty when there is none."""
    name = type(index).__name__
    if name in _PLAIN:
        return ""
    if name in _REFINED:
        base, refiner = base_of(index), type(refiner_of(index)).__name__
        inner = f"{type(base).__name__} inside another" if is_refined(base) else unsupported(base)
        return inner or ("" if refiner in _REFINERS else f"re-ranking by {refiner}")
    if name not in _INVERTED:
        return name
    module = faiss_engine.faiss()
    lists = type(module.downcast_InvertedLists(index.invlists)).__name__
    quantizer = type(module.downcast_index(index.quantizer)).__name__
    return next((part for part, known in ((lists, _LISTS), (quantizer, _PLAIN)) if part not in known), "")


def is_refined(index: Any) -> bool:
    """Whether `index` re-ranks the candidates of another one."""
    return type(index).__name__ in _REFINED


def base_of(index: Any) -> Any:
    """The index that finds candidates: the inner one of a refined index, else `index` itself."""
    return faiss_engine.faiss().downcast_index(index.base_index) if is_refined(index) else index


def refiner_of(index: Any) -> Any:
    """The index that re-ranks the candidates of a refined index."""
    return faiss_engine.faiss().downcast_index(index.refine_index)


def flat_rows(index: Any) -> np.ndarray | None:
    """The vectors of a flat index, float32 (n, d), without copying them; None for any other kind."""
    if type(index).__name__ not in _FLAT or index.ntotal == 0:
        return None
    numbers = faiss_engine.faiss().rev_swig_ptr(index.get_xb(), index.ntotal * index.d)
    return np.asarray(numbers).reshape(index.ntotal, index.d)


def num_lists(index: Any) -> int:
    """Inverted lists of `index`; 0 when it has none."""
    base = base_of(index)
    return int(base.nlist) if type(base).__name__ in _INVERTED else 0


def _seed(index: Any, seed: int) -> None:
    base = base_of(index)
    seed %= 2**31  # FAISS keeps seeds in a C int.
    if num_lists(base):
        base.cp.seed = seed
        base.cp.min_points_per_centroid = 1  # We choose the sample; FAISS would only complain on stderr.
    if hasattr(base, "pq"):
        base.pq.cp.seed = seed
        base.pq.cp.min_points_per_centroid = 1
    if hasattr(base, "do_polysemous_training"):
        base.do_polysemous_training = False  # Minutes of training for a search mode that is never used.


def training_rows(index: Any, num_vectors: int) -> int:
    """How many rows of a sample are enough to train `index`."""
    return 0 if index.is_trained else min(num_vectors, max(_PER_LIST * num_lists(index), _AT_LEAST))


def bytes_per_video(index: Any) -> int:
    """Bytes that `index` holds per video: its code, and in lists its number."""
    return int(index.sa_code_size()) + (8 if num_lists(index) else 0)


def memory_estimate(index: Any, num_vectors: int, recall_queries: int) -> tuple[int, int]:
    """Bytes of the finished index, and additional bytes while it is built."""
    lists = num_lists(index)
    finished = num_vectors * bytes_per_video(index) + lists * index.d * 4
    training = 2 * training_rows(index, num_vectors) * index.d * 4
    growth = finished // 2 if lists else 0  # Lists grow by doubling; a flat array is reserved at once.
    return finished, max(training, growth) + 4 * BLOCK_BYTES + 2 * recall_queries * index.d * 4


def fill(
    index: Any,
    selection: Selection,
    seed: int,
    device: str,
    on_block: Callable[[int, np.ndarray], None],
    report: Reporter,
) -> Any:
    """Train `index` on a seeded sample and add every video of `selection`.

    Args:
        index: empty, from `make_index`.
        device: "cpu" or "cuda". A GPU does all the work for index types that FAISS has on GPUs; for the
            others (fast scan, re-ranking) it only clusters.
        on_block: called with (first row, comparable float32 (b, d)) for each block, so that one pass over the
            store also finds the true neighbours.

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
        faiss_engine.train(index, sample, hint=INTERRUPTED)


def _add(
    index: Any, selection: Selection, on_block: Callable[[int, np.ndarray], None], report: Reporter
) -> Any:
    faiss_engine.prefer_matrix_products(index.d)
    for first, block in selection.blocks():
        check_interrupt(INTERRUPTED)
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

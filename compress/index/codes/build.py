"""From a store to an index of its codes, and the recall of the search on them."""

from __future__ import annotations

import numpy as np

from compress.codecs import Codec
from compress.errors import RecordError, UsageError
from compress.index.built import Built
from compress.index.codes.index import CodesIndex
from compress.index.exact import NearestSoFar
from compress.index.selection import Selection
from compress.index.tuning import NEIGHBOURS, Setting, Truth, without_own
from compress.progress import Note, Progress, Reporter, check_interrupt

KIND = "codes"
_QUERIES_AT_ONCE = 32
_HINT = "the index that was there is untouched; run the same command again"


def check_codes(codec: Codec, factory: str | None, device: str) -> None:
    """Raise UsageError unless codes of `codec` can be the index, and nothing else was asked for."""
    if not codec.searchable:
        raise UsageError(
            f"the store holds {codec.name}, which has no codes to search",
            where="--on-codes",
            hint="leave it out: a Flat index compares the numbers themselves",
        )
    if factory is not None:
        raise UsageError(
            "the codes are the index, FAISS makes none of them",
            where="--on-codes --factory",
            hint="leave one of the two out",
        )
    if device == "cuda":
        raise UsageError(
            "codes are searched on a CPU",
            where="--on-codes --device cuda",
            hint="leave one of the two out",
        )


def build_codes(selection: Selection, num_queries: int, seed: int, report: Reporter) -> Built:
    """The index of all videos of `selection`, whose codes stay where they are.

    Recall is that of searching codes, against an exact search of the decoded rows.

    Args:
        num_queries: videos to measure recall with, 1 to n.
        seed: of their choice.

    Raises:
        RecordError: a row holds NaN or Inf, is all zeros (cosine), or too long for float32.
    """
    own = selection.sample(num_queries, (seed, 1))
    nearest = NearestSoFar(selection.take(own), min(NEIGHBOURS, len(selection) - 1), own)
    codec = selection.store.codec
    lengths = np.empty(len(selection), np.float32) if selection.metric == "cosine" else None
    index = CodesIndex(codec, selection.codes(), lengths)
    size = len(selection) * index.bytes_per_video / 2**20
    report(Note(f"The codes ({codec.name}) of {len(selection):,} videos are the index: {size:,.0f} MiB."))
    for first, rows in selection.decoded():
        check_interrupt(_HINT)
        nearest.update(first, selection.comparable(first, rows))
        if lengths is not None:
            squares = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
            lengths[first : first + len(rows)] = np.sqrt(squares)
        report(Progress("index", first + len(rows), len(selection)))
    if lengths is not None and not np.isfinite(lengths).all():
        row = int(np.argmin(np.isfinite(lengths)))
        raise RecordError("is too long for inner products in float32", where=f"row {row}")
    truth = Truth(nearest.queries, own, nearest.rows, nearest.scores)
    recall = truth.recall(_found(index, truth, report), selection.take)
    return Built(index, KIND, Setting(), recall, index.bytes_per_video, "cpu", codec.name)


def _found(index: CodesIndex, truth: Truth, report: Reporter) -> np.ndarray:
    """Rows int64 (q, k) that the codes give, always by scoring codes, as one query does that comes alone."""
    k, found = truth.neighbours.shape[1], []
    if k == 0:
        return truth.neighbours
    for start in range(0, len(truth.queries), _QUERIES_AT_ONCE):
        check_interrupt(_HINT)
        part = slice(start, start + _QUERIES_AT_ONCE)
        found.append(without_own(index.on_codes(truth.queries[part], k + 1)[1], truth.rows[part], k))
        report(Progress("recall", min(part.stop, len(truth.queries)), len(truth.queries)))
    return np.concatenate(found)

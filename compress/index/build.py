"""From selected rows to an index with measured recall: of the stored codes, or one of FAISS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from compress import faiss_engine
from compress.codecs import Codec
from compress.errors import RecordError, UsageError
from compress.index.codes import CodesIndex
from compress.index.faiss_index import (
    CODES_BELOW,
    INTERRUPTED,
    default_factory,
    fill,
    make_index,
    memory_estimate,
    num_lists,
)
from compress.index.recall import sampled
from compress.index.rows import Selection
from compress.index.saved import IndexFacts
from compress.index.tuning import Setting, Truth, others, tune
from compress.progress import Note, Progress, Reporter, check_interrupt

CODES = "codes"
_QUERIES_AT_ONCE = 32


@dataclass(frozen=True)
class _Built:
    """An engine, how to search it, its recall for so many queries, and how many of its rows are zeros."""

    engine: Any
    setting: Setting
    recall: float
    queries: int
    zeros: int


def build(
    selection: Selection,
    *,
    factory: str | None,
    on_codes: bool | None,
    recall_queries: int,
    wanted_recall: float,
    exact_below: int,
    seed: int,
    device: str,
    report: Reporter,
) -> tuple[Any, IndexFacts]:
    """(FAISS index or `CodesIndex`, its facts); arguments as those of `Index.build`."""
    _check_recall(wanted_recall)
    codec, queries = selection.store.codec, min(recall_queries, len(selection))
    kind = kind_of(selection, factory, on_codes, exact_below, device)
    if kind == CODES:
        made, used = _of_codes(selection, queries, seed, report), "cpu"
    else:
        used = faiss_engine.choose_device(device)
        made = _of_faiss(selection, kind, queries, wanted_recall, seed, used, report)
    _tell_zeros(selection, made.zeros, report)
    return made.engine, IndexFacts(
        kind=kind,
        metric=selection.metric,
        dim=selection.store.dim,
        num_vectors=len(selection),
        first_row=selection.store_rows.start,
        split=selection.split,
        store_sha256=selection.store.sha256,
        nprobe=made.setting.nprobe,
        k_factor=made.setting.k_factor,
        recall_at_10=made.recall,
        recall_queries=made.queries,
        wanted_recall=wanted_recall,
        seed=seed,
        device=used,
        codec=codec.name if kind == CODES else None,
        zero_vectors=made.zeros,
    )


def kind_of(
    selection: Selection, factory: str | None, on_codes: bool | None, exact_below: int, device: str
) -> str:
    """The kind of index that the options ask for: CODES, or a FAISS factory string.

    Raises:
        UsageError: codes are asked for where there are none, or together with something else.
    """
    codec = selection.store.codec
    if on_codes is None:
        fits = codec.searchable and len(selection) < CODES_BELOW
        on_codes = fits and factory is None and device != "cuda"
    if on_codes:
        _check_codes(codec, factory, device)
        return CODES
    return default_factory(len(selection), selection.store.dim, exact_below) if factory is None else factory


def _check_recall(wanted_recall: float) -> None:
    if not isinstance(wanted_recall, int | float):
        raise UsageError(f"is {wanted_recall!r}, not a number", where="wanted recall")
    if not 0 < wanted_recall <= 1:
        raise UsageError(f"is {wanted_recall}, but must be above 0 and at most 1", where="wanted recall")


def _of_faiss(
    selection: Selection,
    kind: str,
    queries: int,
    wanted_recall: float,
    seed: int,
    device: str,
    report: Reporter,
) -> _Built:
    """A FAISS index of the decoded rows."""
    index = make_index(kind, selection.store.dim, seed)
    if (lists := num_lists(index)) > len(selection):
        raise UsageError(
            f"{kind!r} asks for {lists:,} lists, but there are only {len(selection):,} videos",
            where="--factory",
            hint=f"use --factory IVF{max(1, int(len(selection) ** 0.5))} or fewer lists, or Flat",
        )
    finished, working = (size / 2**20 for size in memory_estimate(index, len(selection), queries))
    report(
        Note(
            f"Building {kind} for {len(selection):,} videos on {device}: about {finished:,.0f} MiB of "
            f"memory, and {working:,.0f} MiB more while it is built.",
            passing=True,
        )
    )
    nearest, own = sampled(selection, queries, seed)
    zeros = 0

    def on_block(first: int, block: np.ndarray) -> None:
        nonlocal zeros
        zeros += int(np.count_nonzero(~block.any(axis=1)))
        nearest.update(first, block)

    index = fill(index, selection, seed, device, on_block, report)
    truth = Truth(nearest.queries, own, nearest.rows, nearest.scores)
    setting, recall = tune(index, truth, wanted_recall, selection.take)
    if recall < wanted_recall:
        report(
            Note(
                f"No search setting of this index reaches recall@10 {wanted_recall:g}: the best finds "
                f"{recall:.4f}. An exact index (--factory Flat) finds everything."
            )
        )
    return _Built(index, setting, recall, len(own), zeros)


def _tell_zeros(selection: Selection, zeros: int, report: Reporter) -> None:
    """Say how many rows have no cosine; RecordError when none has one."""
    if selection.metric != "cosine" or not zeros:
        return
    if zeros == len(selection):
        raise RecordError(
            f"all {zeros:,} videos are all zeros, so nothing has a cosine", hint="check what was encoded"
        )
    report(
        Note(
            f"{zeros:,} of {len(selection):,} videos are all zeros: they have no cosine, and count as "
            "0 similar to every query."
        )
    )


def _check_codes(codec: Codec, factory: str | None, device: str) -> None:
    """Raise UsageError unless codes of `codec` can be the index, and nothing else was asked for."""
    if not codec.searchable:
        raise UsageError(
            f"the store holds {codec.name}, which has no codes to search",
            where="--on-codes",
            hint="leave it out: a Flat index compares the embeddings themselves",
        )
    if factory is not None:
        raise UsageError(
            "the codes themselves are the index, without FAISS",
            where="--on-codes --factory",
            hint="leave one of the two out",
        )
    if device == "cuda":
        raise UsageError(
            "codes are searched on a CPU",
            where="--on-codes --device cuda",
            hint="leave one of the two out",
        )


def _of_codes(selection: Selection, queries: int, seed: int, report: Reporter) -> _Built:
    """An index of the stored codes, its recall measured against an exact search of the decoded rows."""
    nearest, own = sampled(selection, queries, seed)
    codec = selection.store.codec
    lengths = np.empty(len(selection), np.float32) if selection.metric == "cosine" else None
    index = CodesIndex(codec, selection.codes(), lengths)
    size = len(selection) * index.bytes_per_video / 2**20
    report(Note(f"The codes ({codec.name}) of {len(selection):,} videos are the index: {size:,.0f} MiB."))
    for first, rows in selection.decoded():
        check_interrupt(INTERRUPTED)
        nearest.update(first, selection.comparable(first, rows))
        if lengths is not None:
            squares = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
            lengths[first : first + len(rows)] = np.sqrt(squares)
        report(Progress("index", first + len(rows), len(selection)))
    if lengths is not None and not np.isfinite(lengths).all():
        row = int(np.argmin(np.isfinite(lengths)))
        raise RecordError("is too long for inner products in float32", where=f"row {row}")
    zeros = 0
    if lengths is not None:
        zeros = int(np.count_nonzero(lengths == 0))
        lengths[lengths == 0] = 1  # their inner products are 0, and so is the cosine
    truth = Truth(nearest.queries, own, nearest.rows, nearest.scores)
    recall = truth.recall(_found(index, truth, report), selection.take)
    return _Built(index, Setting(), recall, len(own), zeros)


def _found(index: CodesIndex, truth: Truth, report: Reporter) -> np.ndarray:
    """Rows int64 (q, k) found by scoring codes, as for a single query, and never by decoding them."""
    k, found = truth.neighbours.shape[1], []
    if k == 0 or not len(truth.queries):
        return truth.neighbours
    for start in range(0, len(truth.queries), _QUERIES_AT_ONCE):
        check_interrupt(INTERRUPTED)
        part = slice(start, start + _QUERIES_AT_ONCE)
        rows = index.on_codes(truth.queries[part], k + 1)[1]
        found.append(np.take_along_axis(rows, others(rows, truth.rows[part], k), axis=1))
        report(Progress("recall", min(part.stop, len(truth.queries)), len(truth.queries)))
    return np.concatenate(found)

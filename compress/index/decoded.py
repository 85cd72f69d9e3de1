"""From the decoded rows of a store to a FAISS index, tuned to the recall that is wanted."""

from __future__ import annotations

from typing import Any

from compress import faiss_engine
from compress.errors import UsageError
from compress.index.built import Built
from compress.index.exact import NearestSoFar
from compress.index.factory import make_index, num_lists
from compress.index.filling import bytes_per_video, fill, memory_estimate
from compress.index.selection import Selection
from compress.index.tuning import NEIGHBOURS, Truth, tune
from compress.progress import Note, Reporter


def build_with_faiss(
    selection: Selection,
    kind: str,
    queries: int,
    wanted_recall: float,
    seed: int,
    device: str,
    report: Reporter,
) -> Built:
    """A FAISS index of the decoded rows, and its recall; arguments and errors as those of `build_index`."""
    index = make_index(kind, selection.store.dim, seed)
    _check_lists(kind, num_lists(index), len(selection))
    used = faiss_engine.choose_device(device)
    report(Note(_plan(kind, used, len(selection), memory_estimate(index, len(selection), queries))))
    index, truth = _fill_and_compare(index, selection, queries, seed, used, report)
    setting, recall = tune(index, truth, wanted_recall, selection.take)
    if recall < wanted_recall:
        report(Note(_shortfall(recall, wanted_recall)))
    return Built(index, kind, setting, recall, bytes_per_video(index), used)


def _fill_and_compare(
    index: Any, selection: Selection, queries: int, seed: int, device: str, report: Reporter
) -> tuple[Any, Truth]:
    own = selection.sample(queries, (seed, 1))
    nearest = NearestSoFar(selection.take(own), min(NEIGHBOURS, len(selection) - 1), own)
    index = fill(index, selection, seed, device, nearest.update, report)
    return index, Truth(nearest.queries, own, nearest.rows, nearest.scores)


def _check_lists(kind: str, lists: int, num_vectors: int) -> None:
    if lists > num_vectors:
        raise UsageError(
            f"{kind!r} asks for {lists:,} lists, but there are only {num_vectors:,} videos",
            where="--factory",
            hint=f"use --factory IVF{max(1, int(num_vectors**0.5))} or fewer lists, or Flat",
        )


def _plan(kind: str, device: str, num_vectors: int, memory: tuple[int, int]) -> str:
    finished, working = (f"{size / 2**20:,.0f} MiB" for size in memory)
    return (
        f"Building {kind} for {num_vectors:,} videos on {device}: about {finished} of memory, "
        f"and {working} more while it is built."
    )


def _shortfall(recall: float, wanted: float) -> str:
    return (
        f"No search setting of this index reaches recall@10 {wanted:g}: the best finds {recall:.4f}. "
        "An exact index (--factory Flat) finds everything."
    )

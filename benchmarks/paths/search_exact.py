"""Exact search of 100,000 videos of 320 numbers, some queries at a time."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.data import clustered
from benchmarks.paths.searching import DIM, K, build
from benchmarks.rivals import plain_faiss
from benchmarks.row import Contest, Goal, Row, Settings, Work, WrongAnswer, at_least
from compress.index import Index

_ROUNDING = 1e-5  # scores are cosines


def prepare(queries: int, settings: Settings) -> Contest:
    """The same matrix on both sides."""
    threshold = plain_faiss.default_threshold()
    base, asked = clustered(settings.size(50_000, 100_000), DIM, 0), clustered(queries, DIM, 1)
    ours, rival = build(settings, base, "Flat"), plain_faiss.flat(base, threshold)
    checked = _same_neighbours(ours, rival, asked)
    matrix, flops = base.nbytes, 2.0 * queries * base.size
    if queries < 8:  # each number is used too seldom: memory is the limit
        work = Work(matrix, "memory read", f"{len(base):,} videos x {DIM} x 4 B")
    else:
        formula = f"2 x {queries} queries x {len(base):,} videos x {DIM} FLOP"
        work = Work(flops, "fp32 arithmetic", formula)
    return Contest(lambda: ours.search(asked, K), lambda: rival.search(asked, K), queries, checked, work)


def _same_neighbours(ours: Index, rival: plain_faiss.PlainFaiss, asked: np.ndarray) -> str:
    found = ours.search(asked, K)
    wanted, wanted_rows = rival.search(asked, K)
    worst = float(np.abs(found.scores - wanted).max())
    if not worst <= _ROUNDING:
        raise WrongAnswer(f"scores of the {K} nearest differ by {worst:.1e}")
    same = float((found.rows == wanted_rows).mean())
    return f"the {K} best scores within {worst:.0e}, {same:.2%} of the rows at the same place"


def _row(queries: int, goal: Goal) -> Row:
    name = f"search-exact-{queries}"
    ours, rival = f"Index, {queries} at once", "IndexFlatIP as installed"
    return Row(name, "Search", ours, rival, "queries", partial(prepare, queries), goal)


ROWS = (
    _row(1, at_least(1)),
    _row(8, at_least(3)),
    _row(64, at_least(3)),
    _row(1000, at_least(1)),
)

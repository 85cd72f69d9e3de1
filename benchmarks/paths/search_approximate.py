"""Approximate search: 4-bit product quantisation with re-ranking against IVF-Flat, at equal recall."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.data import clustered
from benchmarks.paths.searching import DIM, K, build, recall
from benchmarks.rivals import plain_faiss
from benchmarks.row import Contest, Row, Settings, WrongAnswer, at_least
from compress.index import exact_neighbours

QUERIES = 1000
WANTED = 0.9
TIE = 0.002  # recalls that close, of 10,000 neighbours, count as equal


def prepare(settings: Settings) -> Contest:
    """Equal numbers of lists; the rival visits as few as it needs for the recall of ours."""
    threshold = plain_faiss.default_threshold()
    base, asked = clustered(settings.size(30_000, 200_000), DIM, 0), clustered(QUERIES, DIM, 1)
    truth = exact_neighbours(asked, base, K)
    lists = round(4 * math.sqrt(len(base)))
    ours = build(settings, base, f"IVF{lists},PQ{DIM // 2}x4fs,Refine(SQ8)", WANTED)
    reached = recall(ours.search(asked, K)[1], truth)
    rival = plain_faiss.inverted_lists(base, lists, 0, threshold)
    nprobe, equal = _fewest_lists(rival, asked, truth, reached - TIE)
    return Contest(
        ours=lambda: ours.search(asked, K),
        rival=lambda: rival.search(asked, K),
        units=QUERIES,
        checked=f"recall@{K} of ours {reached:.4f}, of the rival {equal:.4f}",
        notes=(
            f"{len(base):,} videos, {lists} lists; ours visits {ours.facts.nprobe} and re-ranks "
            f"{ours.facts.k_factor} x {K}, the rival visits {nprobe}",
        ),
    )


def _fewest_lists(
    rival: plain_faiss.PlainFaiss, asked: np.ndarray, truth: np.ndarray, wanted: float
) -> tuple[int, float]:
    """The smallest number of lists at which the rival reaches a recall, by halving; and its recall there."""

    def at(nprobe: int) -> float:
        rival.index.nprobe = nprobe
        return recall(rival.search(asked, K)[1], truth)

    low, high = 0, int(rival.index.nlist)
    if at(high) < wanted:
        raise WrongAnswer(f"the rival never reaches the recall of ours, {wanted:.4f}")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle) >= wanted else (middle, high)
    return high, at(high)


ROWS = (
    Row(
        "search-approximate",
        "Search",
        "IVF, 4-bit PQ, re-ranked by 8 bits",
        "IVF-Flat at equal recall",
        "queries",
        prepare,
        at_least(5),
    ),
)

"""Approximate search: 4-bit product quantisation with re-ranking against IVF-Flat, at equal recall."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.data import clustered
from benchmarks.measure import median_seconds
from benchmarks.paths.searching import DIM, K, build, recall
from benchmarks.rivals import plain_faiss
from benchmarks.row import Contest, Row, Settings, WrongAnswer, at_least
from compress.index import default_factory, exact_neighbours

QUERIES = 1000
WANTED = 0.9
LISTS = (2, 4)  # times sqrt(N): what suits the rival depends on the recall
TIE = 0.002  # recalls that close, of 10,000 neighbours, count as equal


def prepare(settings: Settings) -> Contest:
    """What `compress index` makes above 500,000 videos, against an IVF-Flat tuned to the same recall."""
    threshold = plain_faiss.default_threshold()
    base, asked = clustered(settings.size(30_000, 200_000), DIM, 0), clustered(QUERIES, DIM, 1)
    truth = exact_neighbours(asked, base, K)
    ours = build(settings, base, default_factory(len(base), DIM, exact_below=0), WANTED)
    reached = recall(ours.search(asked, K).rows, truth)
    rivals = [_tuned(base, asked, truth, reached - TIE, share, threshold) for share in LISTS]
    rival, equal = min(rivals, key=lambda tuned: median_seconds(lambda: tuned[0].search(asked, K), 3))
    return Contest(
        ours=lambda: ours.search(asked, K),
        rival=lambda: rival.search(asked, K),
        units=QUERIES,
        checked=f"recall@{K} of ours {reached:.4f}, of the rival {equal:.4f}",
        notes=(
            f"{len(base):,} videos, {ours.facts.kind}; ours visits {ours.facts.nprobe} lists and re-ranks "
            f"{ours.facts.k_factor} x {K}; the rival visits {rival.index.nprobe} of {rival.index.nlist}, the "
            f"faster of {' and '.join(map(str, LISTS))} x sqrt(N) lists",
        ),
    )


def _tuned(
    base: np.ndarray, asked: np.ndarray, truth: np.ndarray, wanted: float, share: int, threshold: int
) -> tuple[plain_faiss.PlainFaiss, float]:
    """IVF-Flat of share * sqrt(N) lists, visiting the fewest that reach a recall; its recall there."""
    rival = plain_faiss.inverted_lists(base, round(share * math.sqrt(len(base))), 0, threshold)

    def at(nprobe: int) -> float:
        rival.index.nprobe = nprobe
        return recall(rival.search(asked, K)[1], truth)

    low, high = 0, int(rival.index.nlist)
    if at(high) < wanted:
        raise WrongAnswer(f"the rival never reaches the recall of ours, {wanted:.4f}")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle) >= wanted else (middle, high)
    return rival, at(high)


ROWS = (
    Row(
        "search-approximate",
        "Search",
        "IVF, 4-bit PQ, re-ranked by 16 bits",
        "IVF-Flat at equal recall",
        "queries",
        prepare,
        at_least(5),
    ),
)

"""From queries to results: leaving out, re-ranking, a least score, diversity and pages, in this order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.index.diversity import mmr
from compress.index.index import Index
from compress.index.reranking import DEPTH, rerank_by
from compress.index.rows import Selection, comparable, numbered

_AT_FIRST = 16


@dataclass(frozen=True)
class Choice:
    """Which of the similar videos are wanted.

    Args:
        k: how many at most, >= 1.
        offset: how many better ones are passed over: k * 2 for the third page.
        min_score: the least score, or None.
        balance: of `mmr`, or None for the order of scores.
        depth: candidates of `mmr` and of re-ranking.
        larger: embeddings that rank and score the candidates, in the order of the index, or None.
    """

    k: int = 10
    offset: int = 0
    min_score: float | None = None
    balance: float | None = None
    depth: int = DEPTH
    larger: Selection | None = None

    @property
    def candidates(self) -> int:
        """How many the index has to find."""
        wanted = self.offset + self.k
        return wanted if self.balance is None and self.larger is None else max(wanted, self.depth)


@dataclass(frozen=True)
class Found:
    """What one query found, best first: scores float32 (m,), and rows of the index int64 (m,)."""

    scores: np.ndarray
    rows: np.ndarray


def choose(
    index: Index, rows: Selection, queries: np.ndarray, own: np.ndarray, left_out: np.ndarray, choice: Choice
) -> list[Found]:
    """What each of some queries finds.

    Args:
        index: where to search.
        rows: the stored rows, in the order of the index.
        queries: float32 (q, d).
        own: int64 (q,), a row of the index that each must not find, or -1.
        left_out: bool (n,), rows of the index that none may find.
        choice: what is wanted.
    """
    asked = comparable(queries, index.facts.metric, numbered("query"))
    scores, found = allowed(index, asked, own, left_out, choice.candidates)
    if choice.larger is not None:
        scores, found = _reranked(choice.larger, asked, scores, found)
    return [
        _page(Found(score[row >= 0], row[row >= 0]), choice.larger or rows, choice)
        for score, row in zip(scores, found, strict=True)
    ]


def allowed(
    index: Index, asked: np.ndarray, own: np.ndarray, left_out: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The `count` best rows of each query that may be found, best first; -inf and -1 where there are fewer.

    The index is asked for a few more than `count`; where too many of these may not be found, for more.
    """
    n, first = len(index), index.facts.first_row
    count = min(count, n)
    more = min(_AT_FIRST, int(left_out.sum())) + int((own >= 0).any())
    while True:
        hits = index.search(asked, min(count + more, n))
        scores, rows = hits.scores, hits.rows - first
        good = ~left_out[rows] & (rows != own[:, None])
        if count + more >= n or (good.sum(axis=1) >= count).all():
            break
        more *= 8
    order = np.argsort(~good, axis=1, kind="stable")[:, :count]
    good = np.take_along_axis(good, order, axis=1)
    return (
        np.where(good, np.take_along_axis(scores, order, axis=1), -np.inf).astype(np.float32),
        np.where(good, np.take_along_axis(rows, order, axis=1), -1),
    )


def _reranked(
    larger: Selection, asked: np.ndarray, scores: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if (rows >= 0).all():
        return rerank_by(larger, asked, rows, rows.shape[1])
    scores, rows = scores.copy(), rows.copy()
    for query, row in enumerate(rows):  # nearly everything is left out: few are, and it is rare
        good = row >= 0
        scores[query, good], rows[query, good] = (
            part[0] for part in rerank_by(larger, asked[[query]], row[None, good], int(good.sum()))
        )
    return scores, rows


def _page(found: Found, vectors: Selection, choice: Choice) -> Found:
    if choice.min_score is not None:
        enough = found.scores >= choice.min_score
        found = Found(found.scores[enough], found.rows[enough])
    wanted = choice.offset + choice.k
    if choice.balance is not None and len(found.rows):
        order = mmr(found.scores, vectors.take(found.rows), wanted, choice.balance)
        found = Found(found.scores[order], found.rows[order])
    page = slice(choice.offset, wanted)
    return Found(found.scores[page], found.rows[page])

"""Search that compares a query with every stored code, and decodes none."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from compress import faiss_engine
from compress.codecs import Codec
from compress.codecs.scoring import Lookup
from compress.index.exact import NearestSoFar, scan_works
from compress.index.kernels import Scorer, scorer
from compress.index.rows import comparable, numbered, spans

# Codes scored at once, which stay in the processor's cache for all queries; rows are limited as well, because
# each row has a score per query however small its code.
_BLOCK_BYTES, _BLOCK_ROWS = 2**21, 2**16
_ROWS_A_THREAD = 4096
# From this many dimensions per byte on, tables are faster for any number of queries: with 8 (binary) twice as
# fast as decoding and scanning, on 100,000 videos of 320 dimensions.
_SMALL = 4
# Where fewer rows of a block than this share may be found, their codes are gathered first; where more, all
# are scored. To gather a code costs a quarter of scoring it.
_GATHERED = 0.75
# Each query has tables of up to 256 KiB.
_QUERIES_AT_ONCE = 64


@dataclass(frozen=True)
class CodesIndex:
    """Codes of n videos, and the norms of their decoded rows.

    A score is the inner product of a float32 query and a decoded row ("asymmetric"). For cosine it is divided
    by the norm of the row, which is kept with the index because the code does not contain it.

    Args:
        codec: a searchable one.
        codes: codec.dtype (n, width), in memory or mapped.
        lengths: float32 (n,), L2 norms of the decoded rows, for cosine, 1 for a row of zeros; None for inner
            products.
    """

    codec: Codec
    codes: np.ndarray
    lengths: np.ndarray | None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def bytes_per_video(self) -> int:
        """Bytes that a search reads per video: its code, and for cosine its norm."""
        return self.codec.bytes_per_video + (0 if self.lengths is None else self.lengths.itemsize)

    def search(
        self, queries: np.ndarray, k: int, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(scores float32 (q, k), rows int64 (q, k)) of the k best rows, best first; thread-safe.

        Args:
            queries: float32 (q, dim), comparable (see `rows.comparable`).
            k: 1 to n, or to as many as `among` has.
            among: bool (n,), the rows that may be found; None for all.
        """
        # For many queries it pays to decode the rows block by block, if the fast scan is available and the
        # codes are not so small that table look-ups are faster still.
        few_bytes = _SMALL * self.codec.bytes_per_video <= self.codec.dim
        scoring = self.codec.scoring(queries[:1])
        small = few_bytes and isinstance(scoring, Lookup) and scoring.scale is None
        if scoring is not None and (small or not scan_works(len(queries), k)):
            return self.on_codes(queries, k, among)
        return self.decoded(queries, k, among)

    def on_codes(
        self, queries: np.ndarray, k: int, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `search`, from the codes, which must be searchable."""
        starts = range(0, len(queries), _QUERIES_AT_ONCE)
        found = [self._on_codes(queries[start : start + _QUERIES_AT_ONCE], k, among) for start in starts]
        if not found:
            return np.empty((0, k), np.float32), np.empty((0, k), np.int64)
        scores, rows = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return scores, rows

    def _on_codes(
        self, queries: np.ndarray, k: int, among: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        score, threads = scorer(self.codec.scoring(queries)), faiss_engine.threads()
        step = max(_ROWS_A_THREAD, -(-len(self) // threads))
        parts = [range(start, min(start + step, len(self))) for start in range(0, len(self), step)]
        if len(parts) == 1:
            return self._rank(score, len(queries), k, parts[0], among).result()
        best = Ranking(len(queries), k)
        with ThreadPoolExecutor(threads) as pool:
            for ranking in pool.map(lambda rows: self._rank(score, len(queries), k, rows, among), parts):
                best.add_ranking(ranking)
        return best.result()

    def decoded(
        self, queries: np.ndarray, k: int, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `search`, from rows that are decoded a block at a time."""
        nearest = NearestSoFar(queries, k)
        metric = "ip" if self.lengths is None else "cosine"
        chosen = None if among is None else np.flatnonzero(among)
        for span in spans(range(len(self) if chosen is None else len(chosen)), self.codec.dim):
            places = slice(span.start, span.stop) if chosen is None else chosen[span.start : span.stop]
            block = self.codec.decode(self.codes[places])
            name = numbered("row", span.start if chosen is None else int(chosen[span.start]))
            nearest.update(span.start, comparable(block, metric, name, keep_zeros=True))
        return nearest.scores, nearest.rows if chosen is None else chosen[nearest.rows]

    def _rank(self, score: Scorer, queries: int, k: int, rows: range, among: np.ndarray | None) -> Ranking:
        best = Ranking(queries, k)
        for first, last in self._blocks(rows):
            codes, places = self.codes[first:last], np.arange(first, last)
            if among is not None:
                chosen = np.flatnonzero(among[first:last])
                if not len(chosen):
                    continue
                few, places = len(chosen) < _GATHERED * len(codes), places[chosen]
                scores = score(codes[chosen]) if few else score(codes)[:, chosen]
            else:
                scores = score(codes)
            if self.lengths is not None:
                scores /= self.lengths[places]
            best.add(places, scores)
        return best

    def _blocks(self, rows: range) -> Iterator[tuple[int, int]]:
        step = min(max(256, _BLOCK_BYTES // self.codec.bytes_per_video), _BLOCK_ROWS)
        for first in range(rows.start, rows.stop, step):
            yield first, min(first + step, rows.stop)


class Ranking:
    """The k highest scores so far, equal ones in the order of their rows.

    Args:
        queries: how many, >= 1.
        k: rows to keep of each, >= 1.
    """

    def __init__(self, queries: int, k: int) -> None:
        self._k = k
        self._scores = [np.empty(0, np.float32)] * queries
        self._rows = [np.empty(0, np.int64)] * queries

    def add(self, rows: np.ndarray, scores: np.ndarray) -> None:
        """The scores, float32 (queries, n), of more rows, int64 (n,) ascending; blocks come in any order."""
        for query, block in enumerate(scores):
            known = self._scores[query]
            # A row that ties with the k-th may come before it.
            candidates = (
                np.flatnonzero(block >= known[-1]) if len(known) == self._k else _best(block, self._k)
            )
            if len(candidates):
                self._merge(query, block[candidates], rows[candidates])

    def add_ranking(self, other: Ranking) -> None:
        """What was found among other rows."""
        for query in range(len(self._scores)):
            self._merge(query, other._scores[query], other._rows[query])

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """(scores float32 (queries, k), rows int64 (queries, k)), best first; at least k rows were added."""
        return np.stack(self._scores), np.stack(self._rows)

    def _merge(self, query: int, scores: np.ndarray, rows: np.ndarray) -> None:
        scores = np.concatenate([self._scores[query], scores])
        rows = np.concatenate([self._rows[query], rows])
        if len(scores) > self._k:
            kept = _best(scores, self._k)
            scores, rows = scores[kept], rows[kept]
        order = np.lexsort((rows, -scores))[: self._k]
        self._scores[query], self._rows[query] = scores[order], rows[order]


def _best(scores: np.ndarray, k: int) -> np.ndarray:
    """Places of the k highest of `scores` (n,), and of all that tie with the last of them."""
    if len(scores) <= k:
        return np.arange(len(scores))
    return np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k])

"""All pairs of videos that are nearly the same, by comparing every row with every other; and their groups.

Blocks of rows are multiplied with blocks of rows, so memory stays the same however many there are. What comes
near the threshold is computed again in float64, so that the tiles have no say in which pairs are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from compress.index.rows import Selection, spans
from compress.progress import Progress, Reporter, check_interrupt, silent

_TILE = 4096  # rows against rows: 64 MiB of scores
_MARGIN = 1e-5  # more than rounding in float32 takes from a cosine
_ROUNDING = 1e-9  # two equal rows have a cosine of 1 in float64 too, but for this
_AT_ONCE = 8192
_BUFFERED = 2**20


@dataclass(frozen=True)
class Pairs:
    """Some pairs: rows int64 (m,), of which `first` is the smaller, and their cosines float64 (m,)."""

    first: np.ndarray
    second: np.ndarray
    cosines: np.ndarray


def pairs_above(rows: Selection, cosine: float, report: Reporter = silent) -> Iterator[Pairs]:
    """Every pair of rows whose cosine is `cosine` or more, each once, a tile at a time.

    Args:
        rows: by the metric "cosine"; rows of zeros are in no pair.
        cosine: in (0, 1]; how near two rows are is known to about 1e-7.
        report: gets progress.

    Raises:
        RecordError: a row holds NaN or infinity.
        Interrupted: on request.
    """
    blocks = list(spans(range(len(rows)), rows.store.dim))
    done, total = 0, len(blocks) * (len(blocks) + 1) // 2
    for place, block in enumerate(blocks):
        left = _rows(rows, block)
        for other in blocks[place:]:
            right = left if other is block else _rows(rows, other)
            for low in range(0, len(left), _TILE):
                check_interrupt("nothing was written; run the same command again")
                start = low if other is block else 0
                for high in range(start, len(right), _TILE):
                    one, two = left[low : low + _TILE], right[high : high + _TILE]
                    near = np.argwhere(one @ two.T >= cosine - _MARGIN)
                    yield from _checked(one, two, near, block.start + low, other.start + high, cosine)
            done += 1
            report(Progress("near-duplicates", done, total, "blocks"))


def _rows(rows: Selection, span: range) -> np.ndarray:
    numbers = slice(rows.store_rows.start + span.start, rows.store_rows.start + span.stop)
    return rows.comparable(span.start, rows.store.decode(numbers.start, numbers.stop))


def _checked(
    one: np.ndarray,
    two: np.ndarray,
    near: np.ndarray,
    first: int,
    second: int,
    cosine: float,
) -> Iterator[Pairs]:
    ordered = near[:, 0] + first < near[:, 1] + second
    lefts, rights = near[ordered].T
    for start in range(0, len(lefts), _AT_ONCE):
        left, right = (part[start : start + _AT_ONCE] for part in (lefts, rights))
        exact = _cosines(one[left].astype(np.float64), two[right].astype(np.float64))
        kept = exact >= cosine - _ROUNDING
        if kept.any():
            yield Pairs(left[kept] + first, right[kept] + second, np.minimum(exact[kept], 1))


def _cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    squares = (np.einsum("nd,nd->n", rows, rows) for rows in (left, right))
    lengths: np.ndarray = np.prod(np.sqrt(list(squares)), axis=0)
    return np.einsum("nd,nd->n", left, right) / np.where(lengths > 0, lengths, np.inf)


class Groups:
    """Rows that chains of pairs connect, joined as the pairs come; memory is 4 bytes per row and a buffer.

    Example:
        >>> groups = Groups(4)
        >>> groups.join(np.array([0, 3]), np.array([3, 2]))
        >>> groups.numbers()
        array([0, 1, 0, 0], dtype=int32)
    """

    def __init__(self, count: int) -> None:
        self._numbers = np.arange(count, dtype=np.int32)
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []

    def join(self, first: np.ndarray, second: np.ndarray) -> None:
        """Each row of `first`, int (m,), belongs with the one of `second` at the same place."""
        self._waiting.append((first, second))
        if sum(len(rows) for rows, _ in self._waiting) >= _BUFFERED:
            self.numbers()

    def numbers(self) -> np.ndarray:
        """The group of each row, int32 (n,), numbered in the order of their first rows."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        if self._waiting and len(self._numbers):
            first, second = (np.concatenate(rows) for rows in zip(*self._waiting, strict=True))
            self._waiting.clear()
            size = int(self._numbers.max()) + 1
            joined = np.ones(len(first), np.int8), (self._numbers[first], self._numbers[second])
            _, number = connected_components(coo_array(joined, shape=(size, size)), directed=False)
            _, earliest, inverse = np.unique(number[self._numbers], return_index=True, return_inverse=True)
            rank = np.argsort(np.argsort(earliest))
            self._numbers = rank[inverse].astype(np.int32)
        return self._numbers

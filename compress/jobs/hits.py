"""What was found, with the ids and the names of the labels."""

from __future__ import annotations

from dataclasses import dataclass

from compress.datasets.vocabulary import Vocabulary
from compress.index import Index
from compress.index.choosing import Found
from compress.jobs.hits_file import HitRow
from compress.store.reader import Store


@dataclass(frozen=True)
class Hit:
    """One similar video; `labels` are names if there is a vocabulary, otherwise numbers."""

    row: int
    video_id: str
    score: float
    labels: tuple[str, ...]


class ShownHits:
    """Turns rows of an index into hits; `offset` better ones were passed over."""

    def __init__(self, index: Index, store: Store, names: Vocabulary, offset: int) -> None:
        self._store, self._names, self._offset, self._first = store, names, offset, index.facts.first_row
        self._labels: dict[int, tuple[str, ...]] = {}

    def hits(self, found: Found) -> tuple[Hit, ...]:
        """What one query found."""
        rows = (found.rows + self._first).tolist()
        return tuple(
            Hit(row, self._id(row), score, self._labels_of(row))
            for row, score in zip(rows, found.scores.tolist(), strict=True)
        )

    def lines(self, names: list[str], answers: list[Found]) -> list[HitRow]:
        """What a block of queries found."""
        return [
            HitRow(name, rank, hit.video_id, hit.score, hit.labels)
            for name, found in zip(names, answers, strict=True)
            for rank, hit in enumerate(self.hits(found), 1 + self._offset)
        ]

    def _id(self, row: int) -> str:
        return str(self._store.id_bytes[row].decode("utf-8", "backslashreplace"))

    def _labels_of(self, row: int) -> tuple[str, ...]:
        if row not in self._labels:  # of many queries most find the same videos
            self._labels[row] = labels_of(self._store, row, self._names)
        return self._labels[row]


def labels_of(store: Store, row: int, names: Vocabulary) -> tuple[str, ...]:
    """Names of the labels of a video."""
    return () if store.labels is None else tuple(map(names.shown, store.labels[row].tolist()))

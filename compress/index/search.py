"""Finding the videos most similar to a vector."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.hashed import Verify
from compress.errors import CorruptArtifactError, DataError, UsageError
from compress.index.exact import QUERIES_AT_ONCE, check_dims
from compress.index.factory import num_lists
from compress.index.saved import IndexFacts, load
from compress.index.tuning import NEIGHBOURS, Setting, search
from compress.index.vectors import Store, comparable, numbered

_CANDIDATES_AT_ONCE = 2**23  # About 100 MB of candidates in FAISS.


@dataclass(frozen=True)
class Neighbour:
    """One video that was found: its row in the store, its id, and its score (higher is more similar)."""

    row: int
    video_id: str
    score: float


def open_index(folder: Path, verify: Verify = True, store: Store | None = None) -> SearchIndex:
    """Open a committed index; its arrays stay on disk and are mapped into memory.

    Args:
        folder: what `build_index` committed.
        verify: compare every file with its sha256; False checks sizes only, a memory trusts what it knows.
        store: when given, the index must have been built from exactly this store.

    Raises:
        NotFoundError: no index there.
        CorruptArtifactError: a file has changed, or the parts do not belong together.
        DataError: built from another store, or by a newer version of this project.
    """
    index, ids, facts = load(folder, verify)
    if store is not None and store.sha256 != facts.store_sha256:
        raise DataError(
            "was built from another version of this store", where=folder, hint="run `compress index` again"
        )
    return SearchIndex(index, ids, facts)


class SearchIndex:
    """A loaded index. Rows are rows of the store it was built from, also when only a split was indexed.

    Scores are cosines or inner products; an index that re-ranks gives them as exactly as what it
    re-ranks with: 16-bit floats to three digits, 8-bit scalars to about two. Of codes, they are those of the
    vector, as it is given, and the decoded rows.
    Searching is safe from several threads.
    """

    def __init__(self, index: Any, ids: np.ndarray, facts: IndexFacts) -> None:
        self._index = index
        self.ids, self.facts = ids, facts

    def __len__(self) -> int:
        return self.facts.num_vectors

    @property
    def dim(self) -> int:
        """Numbers of a vector."""
        return self.facts.dim

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k most similar videos of each vector, best first.

        Args:
            vectors: float (q, dim).
            k: >= 1; capped to the number of videos.

        Returns:
            (scores float32 (q, k), rows int64 (q, k)); every row is a video.

        Raises:
            SchemaError: wrong dimensions.
            RecordError: a vector holds NaN or Inf, or is all zeros (cosine).
            UsageError: k < 1.
        """
        if k < 1:
            raise UsageError(f"k is {k}, but must be at least 1", where="k")
        check_dims(vectors, self.dim)
        queries = comparable(np.asarray(vectors, np.float32), self.facts.metric, numbered("query"))
        k = min(k, len(self))
        setting = self._setting(k)
        step = max(1, min(QUERIES_AT_ONCE, _CANDIDATES_AT_ONCE // (k * max(1, setting.k_factor))))
        parts = [self._complete(queries[at : at + step], k, setting) for at in range(0, len(queries), step)]
        if not parts:
            return np.empty((0, k), np.float32), np.empty((0, k), np.int64)
        scores, rows = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return scores, rows + self.facts.first_row

    def neighbours(self, vector: np.ndarray, k: int, exclude: int | None = None) -> list[Neighbour]:
        """The k videos most similar to one vector, float (dim,), best first.

        Args:
            exclude: a row of the store that must not be found, usually the video that the vector belongs to.
        """
        scores, rows = self.search(np.asarray(vector)[None], k + (exclude is not None))
        found = [
            Neighbour(int(row), self.video_id(int(row)), float(score))
            for score, row in zip(scores[0], rows[0], strict=True)
            if row != exclude
        ]
        return found[:k]

    def video_id(self, row: int) -> str:
        """Id of the video at a row of the store that is in this index."""
        return str(self.ids[row - self.facts.first_row].decode(errors="backslashreplace"))

    def _setting(self, k: int) -> Setting:
        if not self.facts.k_factor:
            return self.facts.setting
        # Fewer neighbours need no fewer candidates than the 10 did that recall was measured with, and more
        # candidates than videos would only cost memory.
        candidates = min(self.facts.k_factor * max(k, NEIGHBOURS + 1), len(self))
        return dataclasses.replace(self.facts.setting, k_factor=-(-candidates // k))

    def _complete(self, queries: np.ndarray, k: int, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
        """Search; where the visited lists hold fewer than k videos, visit twice as many, and so on."""
        scores, rows = search(self._index, queries, k, setting)
        short = np.flatnonzero((rows < 0).any(axis=1))
        if len(short) == 0:
            return scores, rows
        lists = num_lists(self._index)
        if setting.nprobe >= lists:
            raise CorruptArtifactError(f"the index returns fewer than {k} of its {len(self)} videos")
        wider = dataclasses.replace(setting, nprobe=min(2 * setting.nprobe, lists))
        scores[short], rows[short] = self._complete(queries[short], k, wider)
        return scores, rows

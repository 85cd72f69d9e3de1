"""Product quantisation (PQ): the dimensions in M groups, and one byte per group.

Source: Jégou, Douze, Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Self

import numpy as np

from compress import faiss_engine
from compress.codecs.base import Codec, State, spread_evenly
from compress.codecs.centroids import CENTROIDS, SAMPLE_ROWS, SEED, Nearest, safe_point, train_centroids
from compress.codecs.names import BYTES, Family
from compress.codecs.scoring import Lookup


def groups(dim: int, number: int) -> list[slice]:
    """`number` ranges of dimensions whose sizes differ by at most one."""
    ends = [group * dim // number for group in range(number + 1)]
    return [slice(first, last) for first, last in pairwise(ends)]


class Product(Codec):
    """Codec `pq<M>`: one of 256 centroids per group of dimensions; M need not divide `dim`.

    Args:
        num_bytes: M, 1 to dim.
        centroids: f32 (256, dim); each group's centroids are in its columns.
    """

    family = Family("pq", "M", BYTES, most=4096)
    sample_rows, least_rows, splits_dims = SAMPLE_ROWS, CENTROIDS, True

    def __init__(self, num_bytes: int, centroids: np.ndarray) -> None:
        self.centroids = np.ascontiguousarray(centroids, "<f4")
        super().__init__(centroids.shape[1], num_bytes)
        self.groups = groups(self.dim, num_bytes)
        self._nearest = [Nearest(self.centroids[:, group]) for group in self.groups]

    @classmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        with faiss_engine.repeatable():
            return cls(number, grouped_centroids(spread_evenly(sample, cls.sample_rows), number))

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        return {"centroids": (CENTROIDS, dim)}

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        return cls(number, state["centroids"])

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        return self.nearest_codes(embedding)

    def nearest_codes(self, rows: np.ndarray) -> np.ndarray:
        """Codes, uint8 (n, M), of finite rows, float (n, dim)."""
        codes = np.empty((len(rows), self.width), self.dtype)
        for column, (group, nearest) in enumerate(zip(self.groups, self._nearest, strict=True)):
            codes[:, column] = nearest.codes(rows[:, group])
        return codes

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        embedding = np.empty((len(codes), self.dim), np.float32)
        for column, group in enumerate(self.groups):
            embedding[:, group] = self.centroids[codes[:, column], group]
        return embedding

    def state(self) -> dict[str, np.ndarray]:
        return {"centroids": self.centroids}

    def scoring(self, queries: np.ndarray) -> Lookup:
        tables = [queries[:, group] @ self.centroids[:, group].T for group in self.groups]
        return Lookup(np.stack(tables, axis=1).astype(np.float32))


def grouped_centroids(sample: np.ndarray, number: int, rounds: int = 25) -> np.ndarray:
    """Float32 (256, dim): the centroids of each group of dimensions, from `sample`, f32 (m, dim)."""
    found = []
    for group in groups(sample.shape[1], number):
        safe_point()
        found.append(train_centroids(sample[:, group], SEED, rounds))
    return np.concatenate(found, axis=1)

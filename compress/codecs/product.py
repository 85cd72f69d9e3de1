"""Product quantisation: the dimensions in M groups, and a byte for each group.

Source: Jégou, Douze, Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from compress import faiss_engine
from compress.codecs.base import finite_rows, refuse_sample, refuse_state, refuse_unrepresentable
from compress.codecs.centroids import CENTROIDS, Nearest, train_centroids
from compress.codecs.training import SEED, refuse_more_bytes_than_dimensions, repeatable, safe_point


def groups(dim: int, number: int) -> list[slice]:
    """`number` runs of dimensions, whose sizes differ by one at most."""
    ends = [group * dim // number for group in range(number + 1)]
    return [slice(first, last) for first, last in pairwise(ends)]


class Product:
    """One of 256 centroids for each group of dimensions; M need not divide the number of dimensions.

    Args:
        num_bytes: M, 1 to dim.
        centroids: f32 (256, dim); the columns of a group are the centroids of that group.
    """

    dtype = np.dtype("u1")

    def __init__(self, num_bytes: int, centroids: np.ndarray) -> None:
        self.name, self.width = f"pq{num_bytes}", num_bytes
        self.centroids = np.ascontiguousarray(centroids, "<f4")
        self.dim = centroids.shape[1]
        self.groups = groups(self.dim, num_bytes)
        self._nearest = [Nearest(self.centroids[:, group]) for group in self.groups]

    @classmethod
    def train(cls, num_bytes: int, sample: np.ndarray) -> Product:
        """The codec for embeddings like `sample`, f32 (m, dim).

        Raises:
            DataError: fewer than 256 rows, or NaN or Inf. UsageError: more bytes than dimensions.
            Interrupted: on request.
        """
        name = f"pq{num_bytes}"
        refuse_more_bytes_than_dimensions(name, num_bytes, sample.shape[1])
        refuse_sample(name, sample, CENTROIDS)
        with repeatable():
            return cls(num_bytes, grouped_centroids(sample, num_bytes))

    @classmethod
    def restore(cls, num_bytes: int, dim: int, state: dict[str, np.ndarray]) -> Product:
        """The codec whose `state()` this is; DataError when it is not one."""
        refuse_state(f"pq{num_bytes}", state, {"centroids": (CENTROIDS, dim)})
        return cls(num_bytes, state["centroids"])

    @property
    def bytes_per_video(self) -> int:
        return self.width

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return finite_rows(embedding)

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        refuse_unrepresentable(self, embedding)
        return self.nearest_codes(embedding)

    def nearest_codes(self, rows: np.ndarray) -> np.ndarray:
        """Codes, uint8 (n, M), of finite rows, float (n, dim)."""
        codes = np.empty((len(rows), self.width), self.dtype)
        for column, (group, nearest) in enumerate(zip(self.groups, self._nearest, strict=True)):
            codes[:, column] = nearest.codes(rows[:, group])
        return codes

    def decode(self, codes: np.ndarray) -> np.ndarray:
        embedding = np.empty((len(codes), self.dim), np.float32)
        for column, group in enumerate(self.groups):
            embedding[:, group] = self.centroids[codes[:, column], group]
        return embedding

    def state(self) -> dict[str, np.ndarray]:
        return {"centroids": self.centroids}

    def byte_tables(self, queries: np.ndarray) -> np.ndarray:
        """See `compress.codecs.base.ByteTables`."""
        tables = [queries[:, group] @ self.centroids[:, group].T for group in self.groups]
        return np.stack(tables, axis=1).astype(np.float32)

    def code_index(self, codes: np.ndarray, metric: str) -> Any:
        if metric != "ip":
            return None
        return padded_index(self, codes, np.eye(self.dim, dtype=np.float32))


def grouped_centroids(sample: np.ndarray, number: int, rounds: int = 25) -> np.ndarray:
    """Float32 (256, dim): the centroids of each group of dimensions, from `sample`, f32 (m, dim)."""
    found = []
    for group in groups(sample.shape[1], number):
        safe_point()
        found.append(train_centroids(sample[:, group], SEED, rounds))
    return np.concatenate(found, axis=1)


def padded_index(product: Product, codes: np.ndarray, rotation: np.ndarray) -> Any:
    """FAISS's index of `codes`, uint8 (n, M); queries are multiplied by `rotation`, f32 (d, d), first.

    FAISS wants groups of one size: where ours are one shorter, a zero is put behind them, in queries and
    centroids alike.
    """
    module = faiss_engine.faiss()
    size = max(group.stop - group.start for group in product.groups)
    turn = np.zeros((product.width, size, product.dim), np.float32)
    centroids = np.zeros((product.width, CENTROIDS, size), np.float32)
    for number, group in enumerate(product.groups):
        length = group.stop - group.start
        turn[number, :length] = rotation[:, group].T
        centroids[number, :, :length] = product.centroids[:, group]
    index = module.IndexPQ(product.width * size, product.width, 8, module.METRIC_INNER_PRODUCT)
    module.copy_array_to_vector(centroids.ravel(), index.pq.centroids)
    index.is_trained = True
    index.add_sa_codes(np.ascontiguousarray(codes))
    turned = module.LinearTransform(product.dim, product.width * size, False)
    module.copy_array_to_vector(turn.ravel(), turned.A)
    turned.is_trained = True
    return module.IndexPreTransform(turned, index)

"""k-means with 256 centroids, and the nearest centroid of each row."""

from __future__ import annotations

import numpy as np

from compress import faiss_engine
from compress.codecs.exact_product import ExactMatrix
from compress.errors import DataError
from compress.progress import check_interrupt

CENTROIDS = 256
SEED = 0
# Error of pq64 on other videos (ResidualCNN-320) relative to the variance: 0.1623 with 8,192 training rows,
# 0.1599 with 16,384, 0.1589 with 23,091. FAISS itself asks for 39 rows per centroid.
SAMPLE_ROWS = 128 * CENTROIDS
_CHUNK_ROWS = 4096
# With fewer than 7 dimensions FAISS 1.15 takes ten times as long (measured: AVX-512, 23,000 rows of 1 to 20).
_FAST_WIDTH = 8
# Largest squared norm. Above it a squared distance may overflow float32; FAISS then finds no nearest centroid
# and raises inside a parallel loop, where nobody can catch it, which ends the process.
_LARGEST_SQUARE = np.finfo(np.float32).max / 8


STOPPED = "nothing was written; run the same command again"


def safe_point() -> None:
    """Stop here on request (Ctrl-C): nothing of a codec is kept before it is complete."""
    check_interrupt(STOPPED)


class Nearest:
    """Finds the nearest of finite float (256, d) centroids, the first of equally near ones.

    A row gets the same result alone and among others.
    """

    def __init__(self, centroids: np.ndarray) -> None:
        self._product = ExactMatrix(-2 * centroids.T.astype(np.float64))
        self._squares = np.square(centroids, dtype=np.float64).sum(axis=1)

    def distances(self, rows: np.ndarray) -> np.ndarray:
        """Float64 (n, 256): squared distances of `rows`, float (n, d), less their own squared norms."""
        return self._product.product(rows) + self._squares

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """Uint8 (n,): the nearest centroid of each of `rows`, float (n, d)."""
        codes = np.empty(len(rows), np.uint8)
        for first in range(0, len(rows), _CHUNK_ROWS):
            part = slice(first, first + _CHUNK_ROWS)
            codes[part] = self.distances(rows[part]).argmin(axis=1)
        return codes


def train_centroids(rows: np.ndarray, seed: int, rounds: int = 25) -> np.ndarray:
    """Centroids float32 (256, d) of finite f32 (m, d) rows, m >= 256, by k-means (FAISS).

    The last round is ours: FAISS adds in float32, so the mean of equal values would differ from that value.

    Raises:
        DataError: values so large that their squares overflow float32.
    """
    refuse_large(rows)
    module = faiss_engine.faiss()
    width = max(rows.shape[1], _FAST_WIDTH)
    padded = np.zeros((len(rows), width), np.float32)
    padded[:, : rows.shape[1]] = rows
    clustering = module.Clustering(width, CENTROIDS)
    clustering.niter, clustering.seed = rounds, seed
    clustering.min_points_per_centroid, clustering.max_points_per_centroid = 1, len(rows)
    with faiss_engine.translated(DataError, "the codec cannot be trained on these embeddings"):
        faiss_engine.train(clustering, padded, module.IndexFlatL2(width), hint=STOPPED)
    found = module.vector_to_array(clustering.centroids).reshape(CENTROIDS, width)[:, : rows.shape[1]]
    return moved(found, rows, Nearest(found).codes(rows))


def refuse_large(rows: np.ndarray) -> None:
    """Raise DataError when squared distances of `rows`, finite f32 (m, d), may overflow float32."""
    if np.einsum("nd,nd->n", rows, rows, dtype=np.float64).max(initial=0.0) > _LARGEST_SQUARE:
        raise DataError("the codec cannot be trained: the embeddings hold values that are too large")


def moved(centroids: np.ndarray, rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Float32 (256, d): each centroid moved to the mean of its `rows`, float (m, d), if it has any.

    `codes`, uint8 (m,), are the centroid of each row.
    """
    order = np.argsort(codes, kind="stable")
    present, starts, counts = np.unique(codes[order], return_index=True, return_counts=True)
    sums = np.add.reduceat(rows[order].astype(np.float64), starts, axis=0)
    result = centroids.astype(np.float32)
    result[present] = sums / counts[:, None]
    return result

"""Residual quantisation: M centroids that add up, each chosen for what the ones before it left over.

Source: Chen, Guan, Wang, "Approximate Nearest Neighbor Search by Residual Vector Quantization", Sensors
2010; the beam: Babenko, Lempitsky, "Additive Quantization", CVPR 2014, as FAISS's ResidualQuantizer has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from compress import faiss_engine
from compress.codecs.base import finite_rows, refuse_sample, refuse_state, refuse_unrepresentable
from compress.codecs.centroids import CENTROIDS, Nearest, train_centroids
from compress.codecs.training import SEED, repeatable, safe_point

# Partial sums kept from stage to stage: encoding takes that many times as long.
BEAM = 4
_CHUNK_ROWS = 256
_ROUNDS = 12


class Residual:
    """The codec `rq<M>`.

    Args:
        centroids: f32 (M, 256, dim), of each stage.
    """

    dtype = np.dtype("u1")

    def __init__(self, centroids: np.ndarray) -> None:
        self.centroids = np.ascontiguousarray(centroids, "<f4")
        self.width, _, self.dim = centroids.shape
        self.name = f"rq{self.width}"
        self._nearest = [Nearest(stage) for stage in self.centroids]

    @classmethod
    def train(cls, num_bytes: int, sample: np.ndarray) -> Residual:
        """The codec for embeddings like `sample`, f32 (m, dim).

        Raises:
            DataError: fewer than 256 rows, or NaN or Inf.
            Interrupted: on request.
        """
        refuse_sample(f"rq{num_bytes}", sample, CENTROIDS)
        left, stages = sample.copy(), []
        with repeatable():
            for _ in range(num_bytes):
                safe_point()
                stages.append(train_centroids(left, SEED, _ROUNDS))
                left -= stages[-1][Nearest(stages[-1]).codes(left)]
        return cls(np.stack(stages))

    @classmethod
    def restore(cls, num_bytes: int, dim: int, state: dict[str, np.ndarray]) -> Residual:
        """The codec whose `state()` this is; DataError when it is not one."""
        refuse_state(f"rq{num_bytes}", state, {"centroids": (num_bytes, CENTROIDS, dim)})
        return cls(state["centroids"])

    @property
    def bytes_per_video(self) -> int:
        return self.width

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return finite_rows(embedding)

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        refuse_unrepresentable(self, embedding)
        codes = np.empty((len(embedding), self.width), self.dtype)
        for first in range(0, len(embedding), _CHUNK_ROWS):
            codes[first : first + _CHUNK_ROWS] = self._beam_search(embedding[first : first + _CHUNK_ROWS])
        return codes

    def decode(self, codes: np.ndarray) -> np.ndarray:
        embedding = np.zeros((len(codes), self.dim), np.float32)
        for stage, centroids in enumerate(self.centroids):
            embedding += centroids[codes[:, stage]]
        return embedding

    def state(self) -> dict[str, np.ndarray]:
        return {"centroids": self.centroids}

    def byte_tables(self, queries: np.ndarray) -> np.ndarray:
        """See `compress.codecs.base.ByteTables`."""
        return np.stack([queries @ stage.T for stage in self.centroids], axis=1).astype(np.float32)

    def code_index(self, codes: np.ndarray, metric: str) -> Any:
        if metric != "ip":
            return None
        module = faiss_engine.faiss()
        search = module.AdditiveQuantizer.ST_LUT_nonorm
        index = module.IndexResidualQuantizer(self.dim, self.width, 8, module.METRIC_INNER_PRODUCT, search)
        module.copy_array_to_vector(self.centroids.ravel(), index.rq.codebooks)
        index.rq.is_trained = index.is_trained = True
        index.add_sa_codes(np.ascontiguousarray(codes))
        return index

    def _beam_search(self, rows: np.ndarray) -> np.ndarray:
        """Codes, uint8 (n, M): of the sums that were kept to the end, the one nearest to each row."""
        number = np.arange(len(rows))[:, None]
        left = rows[:, None, :].astype(np.float32)
        error = np.zeros((len(rows), 1))
        codes = np.empty((len(rows), 1, 0), self.dtype)
        for nearest, centroids in zip(self._nearest, self.centroids, strict=True):
            kept = left.shape[1]
            added = nearest.distances(left.reshape(-1, self.dim)).reshape(len(rows), kept, CENTROIDS)
            errors = (error[:, :, None] + added).reshape(len(rows), -1)
            best = np.argpartition(errors, BEAM - 1, axis=1)[:, :BEAM]
            source, chosen = best // CENTROIDS, best % CENTROIDS
            error = np.take_along_axis(errors, best, axis=1)
            left = left[number, source] - centroids[chosen]
            codes = np.concatenate([codes[number, source], chosen[:, :, None].astype(np.uint8)], axis=2)
        return codes[number[:, 0], error.argmin(axis=1)]

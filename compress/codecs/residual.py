"""Residual quantisation (RQ): a sum of M centroids, each chosen for the residual of the ones before.

Source: Chen, Guan, Wang, "Approximate Nearest Neighbor Search by Residual Vector Quantization", Sensors
2010; the beam: Babenko, Lempitsky, "Additive Quantization", CVPR 2014, as FAISS's ResidualQuantizer has it.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from compress import faiss_engine
from compress.codecs.base import Codec, State, spread_evenly
from compress.codecs.centroids import CENTROIDS, SAMPLE_ROWS, SEED, Nearest, safe_point, train_centroids
from compress.codecs.names import BYTES, Family
from compress.codecs.scoring import Lookup

# Partial sums kept from stage to stage; encoding time is proportional to it.
BEAM = 4
_CHUNK_ROWS = 256
_ROUNDS = 12


class Residual(Codec):
    """Codec `rq<M>`; `centroids` are f32 (M, 256, dim), 256 per stage."""

    family = Family("rq", "M", BYTES, most=4096)
    sample_rows, least_rows = SAMPLE_ROWS, CENTROIDS

    def __init__(self, centroids: np.ndarray) -> None:
        self.centroids = np.ascontiguousarray(centroids, "<f4")
        super().__init__(centroids.shape[2], number=len(centroids))
        self._nearest = [Nearest(stage) for stage in self.centroids]

    @classmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        left, stages = spread_evenly(sample, cls.sample_rows).copy(), []
        with faiss_engine.repeatable():
            for _ in range(number):
                safe_point()
                stages.append(train_centroids(left, SEED, _ROUNDS))
                left -= stages[-1][Nearest(stages[-1]).codes(left)]
        return cls(np.stack(stages))

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        return {"centroids": (number, CENTROIDS, dim)}

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        return cls(state["centroids"])

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        codes = np.empty((len(embedding), self.width), self.dtype)
        for first in range(0, len(embedding), _CHUNK_ROWS):
            codes[first : first + _CHUNK_ROWS] = self._beam_search(embedding[first : first + _CHUNK_ROWS])
        return codes

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        embedding = np.zeros((len(codes), self.dim), np.float32)
        for stage, centroids in enumerate(self.centroids):
            embedding += centroids[codes[:, stage]]
        return embedding

    def state(self) -> dict[str, np.ndarray]:
        return {"centroids": self.centroids}

    def scoring(self, queries: np.ndarray) -> Lookup:
        tables = [queries @ stage.T for stage in self.centroids]
        return Lookup(np.stack(tables, axis=1).astype(np.float32))

    def _beam_search(self, rows: np.ndarray) -> np.ndarray:
        """Codes, uint8 (n, M), of the nearest of the sums that were kept to the last stage."""
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

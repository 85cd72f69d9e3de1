"""Optimised product quantisation (OPQ): PQ after a rotation that makes the groups nearly independent.

Source: Ge, He, Ke, Sun, "Optimized Product Quantization", TPAMI 2014 (the non-parametric solution, started
from the parametric one).
"""

from __future__ import annotations

from functools import partial
from typing import Self

import numpy as np

from compress import faiss_engine
from compress.codecs.base import Codec, State, spread_evenly
from compress.codecs.centroids import CENTROIDS, SAMPLE_ROWS, moved, refuse_large, safe_point
from compress.codecs.exact_product import Rotation
from compress.codecs.names import BYTES, Family
from compress.codecs.product import Product, grouped_centroids, groups
from compress.codecs.scoring import Lookup
from compress.progress import uninterrupted

# Rounds and rows for training the rotation. One round more lowers the error by 0.1 % (opq40 of
# ResidualCNN-320) to 0.5 % (opq64 of the features).
_ROUNDS, _ROTATION_ROWS = 16, 8192


class RotatedProduct(Codec):
    """Codec `opq<M>`: a rotation, then `Product`.

    Args:
        rotation: f32 (dim, dim), orthogonal; embeddings are multiplied by it from the right.
        product: of the rotated embeddings.
    """

    family = Family("opq", "M", BYTES, most=4096)
    sample_rows, least_rows, splits_dims = SAMPLE_ROWS, CENTROIDS, True

    def __init__(self, rotation: np.ndarray, product: Product) -> None:
        super().__init__(product.dim, number=product.width)
        self.rotation, self.product = Rotation(rotation), product

    @classmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        sample = spread_evenly(sample, cls.sample_rows)
        refuse_large(sample)
        with faiss_engine.repeatable():
            rotation = train_rotation(spread_evenly(sample, _ROTATION_ROWS), number)
            return cls(rotation, Product(number, grouped_centroids(sample @ rotation, number)))

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        return {"centroids": (CENTROIDS, dim), "rotation": (dim, dim)}

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        return cls(state["rotation"], Product(number, state["centroids"]))

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        return self.product.nearest_codes(self.rotation.there(embedding))

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return self.rotation.back(self.product.decode(codes)).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        return {"centroids": self.product.centroids, "rotation": self.rotation.matrix}

    def scoring(self, queries: np.ndarray) -> Lookup:
        return self.product.scoring(self.rotation.there(queries).astype(np.float32))


def train_rotation(rows: np.ndarray, number: int) -> np.ndarray:
    """Rotation float32 (d, d) that minimises the PQ error of `rows`, finite f32 (m, d), m >= 256."""
    rotation = _balanced_axes(rows, number)
    turned = rows @ rotation
    product = Product(number, grouped_centroids(turned, number, rounds=8))
    for _ in range(_ROUNDS):
        safe_point()
        codes = product.nearest_codes(turned)
        parts = [
            moved(product.centroids[:, group], turned[:, group], codes[:, column])
            for column, group in enumerate(product.groups)
        ]
        product = Product(number, np.concatenate(parts, axis=1))
        crossed = rows.T.astype(np.float64) @ product.decode(codes)
        left, _, right = uninterrupted(partial(np.linalg.svd, crossed))
        rotation = (left @ right).astype(np.float32)
        turned = rows @ rotation
    return rotation


def _balanced_axes(rows: np.ndarray, number: int) -> np.ndarray:
    """The principal axes, float32 (d, d), distributed so that all groups have about the same volume."""
    covariance = np.cov(rows, rowvar=False, dtype=np.float64).reshape(rows.shape[1], -1)
    values, axes = uninterrupted(lambda: np.linalg.eigh(covariance))
    heights = np.log(np.maximum(values, np.finfo(np.float32).tiny))
    # All above 0, so that every further axis increases the sum of its group.
    heights += 1 - heights.min()
    sizes = [group.stop - group.start for group in groups(rows.shape[1], number)]
    dealt: list[list[int]] = [[] for _ in sizes]
    for axis in range(rows.shape[1] - 1, -1, -1):
        free = [group for group, size in enumerate(sizes) if len(dealt[group]) < size]
        emptiest = min(free, key=lambda group: heights[dealt[group]].sum())
        dealt[emptiest].append(axis)
    return axes[:, [axis for group in dealt for axis in group]].astype(np.float32)

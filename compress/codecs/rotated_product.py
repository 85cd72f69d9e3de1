"""Product quantisation of turned embeddings: the turn makes the groups as independent as it can.

Source: Ge, He, Ke, Sun, "Optimized Product Quantization", TPAMI 2014 (the non-parametric solution, started
from the parametric one).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from compress.codecs.base import finite_rows, refuse_sample, refuse_state, refuse_unrepresentable
from compress.codecs.centroids import CENTROIDS, moved, refuse_large
from compress.codecs.exact_product import ExactMatrix
from compress.codecs.product import Product, grouped_centroids, groups, padded_index
from compress.codecs.training import refuse_more_bytes_than_dimensions, repeatable, safe_point
from compress.errors import DataError

# Of the turn. One more lowers the error by 0.1 % (opq40 of ResidualCNN-320); by under 0.5 %
# (opq64 of the features).
_ROUNDS = 16
_TURN_ROWS = 8192
# What float32 makes of an orthogonal matrix is off by a few units in the last place.
_ORTHOGONAL = 1e-3


class RotatedProduct:
    """The codec `opq<M>`: an orthogonal turn, then `Product`.

    Args:
        rotation: f32 (dim, dim), orthogonal; embeddings are multiplied by it from the right.
        product: of the turned embeddings.
    """

    dtype = np.dtype("u1")

    def __init__(self, rotation: np.ndarray, product: Product) -> None:
        self.rotation, self.product = np.ascontiguousarray(rotation, "<f4"), product
        self.name, self.dim, self.width = f"o{product.name}", product.dim, product.width
        self._there, self._back = ExactMatrix(self.rotation), ExactMatrix(self.rotation.T)

    @classmethod
    def train(cls, num_bytes: int, sample: np.ndarray) -> RotatedProduct:
        """The codec for embeddings like `sample`, f32 (m, dim); raises as `Product.train` does."""
        name = f"opq{num_bytes}"
        refuse_more_bytes_than_dimensions(name, num_bytes, sample.shape[1])
        refuse_sample(name, sample, CENTROIDS)
        refuse_large(sample)
        with repeatable():
            rotation = train_rotation(sample[:: max(1, len(sample) // _TURN_ROWS)], num_bytes)
            return cls(rotation, Product(num_bytes, grouped_centroids(sample @ rotation, num_bytes)))

    @classmethod
    def restore(cls, num_bytes: int, dim: int, state: dict[str, np.ndarray]) -> RotatedProduct:
        """The codec whose `state()` this is; DataError when it is not one."""
        name = f"opq{num_bytes}"
        refuse_state(name, state, {"centroids": (CENTROIDS, dim), "rotation": (dim, dim)})
        refuse_crooked(name, state["rotation"])
        return cls(state["rotation"], Product(num_bytes, state["centroids"]))

    @property
    def bytes_per_video(self) -> int:
        return self.width

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return finite_rows(embedding)

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        refuse_unrepresentable(self, embedding)
        return self.product.nearest_codes(self._there.product(embedding))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return self._back.product(self.product.decode(codes)).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        return {"centroids": self.product.centroids, "rotation": self.rotation}

    def byte_tables(self, queries: np.ndarray) -> np.ndarray:
        """See `compress.codecs.base.ByteTables`."""
        return self.product.byte_tables(self._there.product(queries).astype(np.float32))

    def code_index(self, codes: np.ndarray, metric: str) -> Any:
        return None if metric != "ip" else padded_index(self.product, codes, self.rotation)


def refuse_crooked(name: str, rotation: np.ndarray) -> None:
    """Raise DataError unless `rotation`, f32 (d, d), is orthogonal: decoding turns back by its transpose."""
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.abs(rotation.T @ rotation - np.eye(len(rotation), dtype=np.float32))
    if not (off <= _ORTHOGONAL).all():  # Of numbers that are too large it is NaN, which is no greater either.
        raise DataError(f"rotation of the {name} codec is not orthogonal")


def train_rotation(rows: np.ndarray, number: int) -> np.ndarray:
    """Float32 (d, d), orthogonal, after which `number` groups of dimensions lose least.

    Args:
        rows: finite f32 (m, d), m >= 256.
    """
    rotation = _balanced_axes(rows, number)
    turned = rows @ rotation
    product = Product(number, grouped_centroids(turned, number, rounds=8))
    for _ in range(_ROUNDS):
        safe_point()
        codes = product.nearest_codes(turned)
        product = Product(number, _all_moved(product, turned, codes))
        left, _, right = np.linalg.svd(rows.T.astype(np.float64) @ product.decode(codes))
        rotation = (left @ right).astype(np.float32)
        turned = rows @ rotation
    return rotation


def _all_moved(product: Product, rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    parts = [
        moved(product.centroids[:, group], rows[:, group], codes[:, column])
        for column, group in enumerate(product.groups)
    ]
    return np.concatenate(parts, axis=1)


def _balanced_axes(rows: np.ndarray, number: int) -> np.ndarray:
    """The principal axes, float32 (d, d), dealt out so that all groups have about the same volume."""
    values, axes = np.linalg.eigh(np.cov(rows, rowvar=False, dtype=np.float64).reshape(rows.shape[1], -1))
    heights = np.log(np.maximum(values, np.finfo(np.float32).tiny))
    # All above 0, so that any axis makes a group fuller.
    heights += 1 - heights.min()
    sizes = [group.stop - group.start for group in groups(rows.shape[1], number)]
    dealt: list[list[int]] = [[] for _ in sizes]
    for axis in range(rows.shape[1] - 1, -1, -1):
        free = [group for group, size in enumerate(sizes) if len(dealt[group]) < size]
        emptiest = min(free, key=lambda group: heights[dealt[group]].sum())
        dealt[emptiest].append(axis)
    return axes[:, [axis for group in dealt for axis in group]].astype(np.float32)

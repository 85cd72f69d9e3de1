"""Embeddings whose dimensions depend on each other, and one codec of every kind."""

from __future__ import annotations

import functools

import numpy as np

from compress.codecs import Codec

DIM, ROWS = 13, 400
# Of the last ones, M does not divide DIM; 4 bits and 13 dimensions fill no whole bytes.
BYTES = {
    "float32": 4 * DIM,
    "float16": 2 * DIM,
    "int8": DIM,
    "int4": 7,
    "binary": 2,
    "pq13": 13,
    "pq4": 4,
    "opq5": 5,
    "rq3": 3,
    "rabitq": 2 + 4,
    "rabitq4": 4 * 2 + 4,
}
"""Of each codec per video of DIM dimensions. A new codec needs a line here, and every test of codecs runs."""
EVERY = tuple(BYTES)
SCALARS = ("float32", "float16", "int8", "int4", "binary")


def embeddings(rows: int = 50, dim: int = 7, seed: int = 0) -> np.ndarray:
    """Independent normal numbers, float32 (rows, dim)."""
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


def mixed(rows: int, seed: int, dim: int = DIM) -> np.ndarray:
    """As embeddings are: dimensions depend on each other, means are not 0; the last one is constant."""
    mixing = np.random.default_rng(99).normal(size=(dim, dim)) / np.sqrt(dim)
    rows_ = embeddings(rows, dim, seed) @ mixing + np.linspace(-1, 1, dim)
    rows_[:, -1] = 0.7
    return rows_.astype(np.float32)


@functools.cache
def example(name: str) -> Codec:
    """A codec that was calibrated on `mixed(ROWS, seed=1)`."""
    return Codec.fit(name, mixed(ROWS, seed=1))

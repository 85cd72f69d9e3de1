"""A store in memory, and vectors with the shape of embeddings: many overlapping clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from compress import faiss_engine
from compress.codecs.float32 import Float32


@dataclass
class MemoryStore:
    """What the index uses of a store, without a file."""

    vectors: np.ndarray
    sha256: str = "0" * 64
    splits: dict[str, range] = field(default_factory=dict)
    largest_read: int = 0

    @property
    def codec(self) -> Float32:
        return Float32(self.dim)

    @property
    def codes(self) -> np.ndarray:
        return self.vectors.astype(np.float32)

    @property
    def dim(self) -> int:
        return self.vectors.shape[1]

    @property
    def id_bytes(self) -> np.ndarray:
        return np.array([b"vid%05d" % row for row in range(len(self.vectors))])

    def __len__(self) -> int:
        return len(self.vectors)

    def decode(self, start: int, stop: int) -> np.ndarray:
        self.largest_read = max(self.largest_read, stop - start)
        return self.vectors[start:stop].astype(np.float32)

    def rows(self, indices: np.ndarray) -> np.ndarray:
        return self.vectors[indices].astype(np.float32)


@pytest.fixture(scope="session")
def memory_store() -> type[MemoryStore]:
    return MemoryStore


@pytest.fixture(scope="session")
def clustered() -> Callable[..., np.ndarray]:
    """clustered(n, dim, seed=0): float32 (n, dim) around 200 centres, spread over a few directions."""

    def make(n: int, dim: int, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        hidden = rng.standard_normal((200, 12))[rng.integers(0, 200, n)]
        hidden += 0.4 * rng.standard_normal((n, 12))
        mixed = hidden @ rng.standard_normal((12, dim)) + 0.1 * rng.standard_normal((n, dim))
        return mixed.astype(np.float32)

    return make


@pytest.fixture(autouse=True)
def one_thread() -> None:
    faiss_engine.set_threads(1)

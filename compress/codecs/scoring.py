"""Two forms of queries that can be compared with stored codes without decoding them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lookup:
    """Scores of codes for q queries: offset + scale * the sum of table entries, one for each byte of a code.

    Args:
        tables: float32 (q, bytes, 256); `tables[i, b, value]` is added for byte `b` of a code.
        offsets: float32 (q,), or None for 0.
        scale: codes -> float32 (n,), the factor of each row; None for 1.
    """

    tables: np.ndarray
    offsets: np.ndarray | None = None
    scale: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class Weighing:
    """Scores of codes for q queries: offset + the sum of each stored number times its weight.

    Args:
        weights: float32 (q, dim).
        offsets: float32 (q,), or None for 0.
        halves: whether a byte holds the numbers of two dimensions, the even one in its lower half.
    """

    weights: np.ndarray
    offsets: np.ndarray | None = None
    halves: bool = False

"""What a query becomes so that stored codes can be compared with it without decoding them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lookup:
    """Scores of codes for q queries: offset + scale * the sum of what each byte of a code stands for.

    Args:
        tables: float32 (q, bytes, 256); `tables[i, b, value]` is added for byte `b` of a code.
        offsets: float32 (q,), or None for 0.
        scale: from codes to float32 (n,), a factor of each row, or None for 1.
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

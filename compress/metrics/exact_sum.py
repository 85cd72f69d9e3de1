"""A sum that does not depend on the order of its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain

import numpy as np

BLOCK = 1 << 16  # numbers turned into Python's at once


def exact_sum(pieces: Iterable[np.ndarray]) -> float:
    """The sum of float64 arrays (n,), rounded once: neither order nor pieces can change a bit."""
    blocks = (piece[first : first + BLOCK] for piece in pieces for first in range(0, len(piece), BLOCK))
    return math.fsum(chain.from_iterable(block.tolist() for block in blocks))

"""Matrix products that do not depend on how many rows are multiplied at once, nor on the machine.

A BLAS adds in an order of its own, which depends on the shapes, the processor and the threads; so one row
alone may give another last bit than the same row among others, and a code on the edge flips. Here both
factors are rounded to integers small enough that every sum of products is exact in float64: any order of
addition gives the same bits.
"""

from __future__ import annotations

import math

import numpy as np

from compress.errors import DataError

_MANTISSA = 53
# What float32 makes of an orthogonal matrix is off by a few units in the last place.
_ORTHOGONAL = 1e-3


class ExactMatrix:
    """A matrix to multiply rows with.

    Numbers keep (53 - log2(k)) / 2 bits, 21 of them for k = 1152, counted from the largest of the matrix,
    or of the row that is multiplied.

    Args:
        matrix: finite float (k, m).
    """

    def __init__(self, matrix: np.ndarray) -> None:
        depth = max(1, math.ceil(math.log2(len(matrix))))
        self._bits = (_MANTISSA - depth) // 2
        largest = np.abs(matrix).max(initial=0.0)
        self._exponent = int(np.frexp(np.float64(largest))[1])
        self._numbers = _rounded(matrix, self._exponent, self._bits)

    def product(self, rows: np.ndarray) -> np.ndarray:
        """Float64 (n, m): `rows`, finite float (n, k), times the matrix."""
        exponents = np.frexp(np.abs(rows).max(axis=1, keepdims=True, initial=0.0).astype(np.float64))[1]
        sums = _rounded(rows, exponents, self._bits) @ self._numbers
        return np.ldexp(sums, exponents + (self._exponent - 2 * self._bits))


class Rotation:
    """Turns rows by an orthogonal matrix, and back.

    Args:
        matrix: f32 (d, d); rows are multiplied by it from the right.

    Raises:
        DataError: it is not orthogonal, so that its transpose would not turn back.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = np.ascontiguousarray(matrix, "<f4")
        with np.errstate(over="ignore", invalid="ignore"):
            off = np.abs(self.matrix.T @ self.matrix - np.eye(len(matrix), dtype=np.float32))
        # Of numbers that are too large it is NaN, which is no greater either.
        if not (off <= _ORTHOGONAL).all():
            raise DataError("rotation of the codec is not orthogonal")
        self._there, self._back = ExactMatrix(self.matrix), ExactMatrix(self.matrix.T)

    def there(self, rows: np.ndarray) -> np.ndarray:
        """Float64 (n, d): `rows`, finite float (n, d), turned."""
        return self._there.product(rows)

    def back(self, rows: np.ndarray) -> np.ndarray:
        """Float64 (n, d): turned `rows` as they were."""
        return self._back.product(rows)


def _rounded(numbers: np.ndarray, exponent: int | np.ndarray, bits: int) -> np.ndarray:
    """Float64 integers of at most `bits` bits: `numbers` over 2**(exponent - bits)."""
    return np.rint(np.ldexp(numbers.astype(np.float64), bits - exponent))

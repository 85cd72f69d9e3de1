"""Matrix products whose bits do not depend on the number of rows, the threads or the machine.

A BLAS chooses the order of its additions by shape, processor and threads. So the last bit of a row may differ
when it is multiplied alone, and a code at an edge flips. Here both factors are rounded to integers so small
that every sum of products is exact in float64: any order of addition gives the same bits.
"""

from __future__ import annotations

import math

import numpy as np

from compress.errors import DataError

_MANTISSA = 53
# Rounded to float32, an orthogonal matrix is off by a few units in the last place.
_ORTHOGONAL = 1e-3


class ExactMatrix:
    """A finite float (k, m) matrix to multiply rows with.

    Values keep (53 - log2(k)) / 2 bits (21 for k = 1152), counted from the largest of the matrix or of the
    row.
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
    """Rotates rows by an orthogonal matrix, f32 (d, d), multiplied from the right, and back.

    Raises:
        DataError: it is not orthogonal, so its transpose is not its inverse.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = np.ascontiguousarray(matrix, "<f4")
        with np.errstate(over="ignore", invalid="ignore"):
            off = np.abs(self.matrix.T @ self.matrix - np.eye(len(matrix), dtype=np.float32))
        # NaN, from values that are too large, fails this test as well.
        if not (off <= _ORTHOGONAL).all():
            raise DataError("rotation of the codec is not orthogonal")
        self._there, self._back = ExactMatrix(self.matrix), ExactMatrix(self.matrix.T)

    def there(self, rows: np.ndarray) -> np.ndarray:
        """Float64 (n, d): `rows`, finite float (n, d), rotated."""
        return self._there.product(rows)

    def back(self, rows: np.ndarray) -> np.ndarray:
        """Float64 (n, d): rotated `rows` as they were."""
        return self._back.product(rows)


def _rounded(numbers: np.ndarray, exponent: int | np.ndarray, bits: int) -> np.ndarray:
    """Float64 integers of at most `bits` bits: `numbers` over 2**(exponent - bits)."""
    return np.rint(np.ldexp(numbers.astype(np.float64), bits - exponent))

"""Products that are the same bits for one row and for many, and close to what numpy says."""

from __future__ import annotations

import numpy as np
import pytest

from compress.codecs.exact_product import ExactMatrix


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 64), (1152, 30)])
def test_it_is_the_product_within_the_bits_that_are_kept(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    rows, matrix = random.normal(size=(20, shape[0])), random.normal(size=shape)
    exact = rows @ matrix
    scale = np.linalg.norm(rows, axis=1, keepdims=True) * np.linalg.norm(matrix, axis=0)
    assert (np.abs(ExactMatrix(matrix).product(rows) - exact) <= 2.0**-18 * scale).all()


def test_the_order_of_additions_does_not_show() -> None:
    random = np.random.default_rng(0)
    rows, matrix = random.normal(size=(33, 1152)).astype(np.float32), random.normal(size=(1152, 7))
    order = random.permutation(1152)
    together = ExactMatrix(matrix).product(rows)
    assert np.array_equal(ExactMatrix(matrix[order]).product(rows[:, order]), together)
    for row in range(33):
        assert np.array_equal(ExactMatrix(matrix).product(rows[row : row + 1])[0], together[row])


def test_whole_numbers_are_exact() -> None:
    rows = np.arange(12.0).reshape(3, 4)
    matrix = np.arange(-8.0, 12.0).reshape(4, 5)
    assert np.array_equal(ExactMatrix(matrix).product(rows), rows @ matrix)


@pytest.mark.parametrize("scale", [1e-38, 1.0, 1e38])
def test_rows_of_any_size_are_multiplied(scale: float) -> None:
    rows = np.array([[1.0, -0.5], [0, 0]], np.float32) * np.float32(scale)
    product = ExactMatrix(np.array([[2.0], [4.0]])).product(rows)
    assert np.array_equal(product, [[0.0], [0.0]])
    assert ExactMatrix(np.zeros((2, 1))).product(rows).tolist() == [[0.0], [0.0]]

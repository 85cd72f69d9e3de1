"""8-bit weights: nearest whole numbers of a factor a row, zeros exact."""

from __future__ import annotations

import numpy as np
import pytest

from compress.weights.rows import quantise_rows, restore_rows, row_length


@pytest.mark.parametrize(
    ("shape", "length"),
    [
        ((3862, 320), 320),
        ((5, 3862, 320), 320),
        ((5, 12, 8), 96),  # numbers of one class are too few for a factor of their own
        ((64, 1, 49), 49),
        ((256, 128, 1), 128),
        ((8, 4), 4),
    ],
)
def test_a_row_is_what_makes_one_output(shape: tuple[int, ...], length: int) -> None:
    assert row_length(shape) == length


def test_codes_are_those_computed_one_by_one() -> None:
    weights = np.random.default_rng(0).standard_normal((6, 20)).astype(np.float32)
    weights[2] = 0
    weights[3, :5] = 0
    codes, factors = quantise_rows(weights)
    for row, values in enumerate(weights):
        largest = float(np.abs(values).max())
        assert factors[row] == np.float32(largest / 127)
        wanted = [0 if largest == 0 else round(float(value / factors[row])) for value in values]
        assert codes[row].tolist() == wanted
    restored = restore_rows(codes, factors)
    assert np.abs(restored - weights).max() <= factors.max() / 2 * 1.001
    assert np.array_equal(restored == 0, codes == 0)


@pytest.mark.parametrize("value", [0.0, 1e-45, 1e-42, 1e-38, 3e38])
def test_very_small_and_very_large_weights_stay_finite(value: float) -> None:
    weights = np.full((2, 20), value, dtype=np.float32)
    restored = restore_rows(*quantise_rows(weights))
    assert np.isfinite(restored).all()
    assert np.allclose(restored, weights, rtol=0.01, atol=1e-43)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        quantise_rows(np.array([[1.0, value]], dtype=np.float32))


def test_factors_that_are_not_one_a_row_are_refused() -> None:
    codes, factors = quantise_rows(np.ones((4, 20), dtype=np.float32))
    for wrong in (factors[:3], factors.astype(np.float64), factors[:, None]):
        with pytest.raises(ValueError, match="factors"):
            restore_rows(codes, wrong)


def test_an_empty_matrix_has_no_codes() -> None:
    codes, factors = quantise_rows(np.zeros((0, 20), dtype=np.float32))
    assert restore_rows(codes, factors).shape == (0, 20)

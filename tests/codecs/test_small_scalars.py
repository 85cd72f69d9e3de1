"""int4 and binary beside what they do, written out number by number."""

from __future__ import annotations

import numpy as np
import pytest

from compress.codecs import Codec
from compress.codecs.int4 import Int4, best_levels
from tests.codecs.examples import embeddings, mixed


def slow_int4(row: np.ndarray, codec: Int4) -> tuple[list[int], list[float]]:
    """(bytes, decoded numbers) of one embedding."""
    levels, decoded = [], []
    for value, lowest, step in zip(row.tolist(), codec.lowest.tolist(), codec.step.tolist(), strict=True):
        level = min(max(round((value - lowest) / step), 0), 15) if step else 0
        levels.append(level)
        decoded.append(lowest + level * step)
    levels += [0] * (len(levels) % 2)
    return [low + 16 * high for low, high in zip(levels[::2], levels[1::2], strict=True)], decoded


@pytest.mark.parametrize("dim", [1, 2, 7, 8])
def test_int4_equals_the_formula_written_out(dim: int) -> None:
    codec = Codec.fit("int4", mixed(300, seed=1, dim=dim))
    embedding = 2 * mixed(40, seed=2, dim=dim)
    codes = codec.encode(embedding)
    decoded = codec.decode(codes)
    for row in range(len(embedding)):
        wanted_codes, wanted = slow_int4(embedding[row], codec)
        assert codes[row].tolist() == wanted_codes
        assert np.allclose(decoded[row], wanted, atol=1e-5)


def test_int4_of_what_it_decoded_changes_nothing() -> None:
    codec = Codec.fit("int4", embeddings(300))
    codes = codec.encode(embeddings(50, seed=2))
    assert np.array_equal(codec.encode(codec.decode(codes)), codes)


def grid_search_error(values: np.ndarray) -> float:
    """The least mean squared error of 16 levels among 60 x 60 ranges."""
    low, high = values.min(), values.max()
    best = np.inf
    for first in np.linspace(low, np.quantile(values, 0.3), 60):
        for last in np.linspace(np.quantile(values, 0.7), high, 60):
            step = (last - first) / 15
            decoded = first + np.clip(np.rint((values - first) / step), 0, 15) * step
            best = min(best, float(np.mean((decoded - values) ** 2)))
    return best


@pytest.mark.parametrize("kind", ["normal", "relu", "heavy", "uniform", "outlier"])
def test_the_levels_lose_no_more_than_the_best_of_many_ranges(kind: str) -> None:
    normal = np.random.default_rng(3).normal(size=2000)
    values = {
        "normal": normal,
        "relu": np.maximum(normal, 0),
        "heavy": normal**3,
        "uniform": np.linspace(-2, 5, 2000),
        "outlier": np.append(normal, 1000.0),
    }[kind].astype(np.float32)
    lowest, step = best_levels(values[:, None], 15)
    codec = Int4(lowest, step)
    error = np.mean(np.square(codec.decode(codec.encode(values[:, None]))[:, 0] - values, dtype=np.float64))
    assert error <= 1.05 * grid_search_error(values)


def test_the_levels_of_a_dimension_do_not_depend_on_the_others() -> None:
    sample = mixed(200, seed=4, dim=40)
    together = np.stack(best_levels(sample, 15))
    alone = np.concatenate([np.stack(best_levels(sample[:, [d]], 15)) for d in range(40)], axis=1)
    assert np.array_equal(together, alone)


def slow_binary(row: np.ndarray, sample: np.ndarray) -> list[float]:
    decoded = []
    for value, column in zip(row, sample.T, strict=True):
        mean = column.mean(dtype=np.float64)
        side = column[column > mean] if value > mean else column[column <= mean]
        decoded.append(float(side.mean(dtype=np.float64)))
    return decoded


def test_binary_gives_back_the_mean_of_its_side() -> None:
    sample, embedding = mixed(300, seed=1)[:, :-1], mixed(40, seed=2)[:, :-1]
    codec = Codec.fit("binary", sample)
    decoded = codec.decode(codec.encode(embedding))
    assert np.allclose(decoded, [slow_binary(row, sample) for row in embedding], atol=1e-6)


def test_binary_packs_the_first_dimension_into_the_lowest_bit() -> None:
    codec = Codec.fit("binary", np.array([[-1.0] * 10, [1.0] * 10], np.float32))
    row = np.array([[1, -1, -1, 1, -1, -1, -1, -1, -1, 1]], np.float32)
    assert codec.encode(row).tolist() == [[0b1001, 0b10]]
    assert np.array_equal(codec.decode(codec.encode(row)), row)


def test_signs_that_a_training_made_are_kept_as_they_are() -> None:
    signs = np.sign(embeddings(500, 20) + 0.4)
    codec = Codec.fit("binary", signs[:300])
    assert np.array_equal(codec.decode(codec.encode(signs)), signs)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e38, 1e-40])
def test_a_constant_dimension_stays_constant(value: float) -> None:
    sample = np.full((300, 1), value, np.float32)
    for codec in (Codec.fit("int4", sample), Codec.fit("binary", sample)):
        assert np.array_equal(codec.decode(codec.encode(sample)), sample)
        other = codec.decode(codec.encode(np.ones((1, 1), np.float32)))
        assert np.array_equal(other, sample[:1])


def test_a_dimension_of_two_neighbouring_numbers_is_binary() -> None:
    one = np.float32(1)
    sample = np.array([[one], [np.nextafter(one, np.float32(2))], [one]])
    codec = Codec.fit("binary", sample)
    assert np.array_equal(codec.decode(codec.encode(sample)), sample)

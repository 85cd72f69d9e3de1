"""Scores of codes in C: against numpy's, and against sums in float64."""

from __future__ import annotations

import numpy as np
import pytest

from compress import native
from compress.index.kernels import FOLDER, LookUpTables, Weights


@pytest.fixture(autouse=True)
def compiled():
    if native.load(FOLDER) is None:
        pytest.skip(native.why_not(FOLDER))


def bytes_of(rows: int, width: int) -> np.ndarray:
    return np.random.default_rng(rows + width).integers(0, 256, (rows, width), dtype=np.uint8)


def tables_of(queries: int, width: int) -> np.ndarray:
    return np.random.default_rng(queries).standard_normal((queries, width, 256)).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 3, 4, 7, 8, 9, 300])
@pytest.mark.parametrize("width", [1, 5, 40])
@pytest.mark.parametrize("queries", [1, 2, 8, 11])
def test_looking_bytes_up_adds_what_they_stand_for(rows, width, queries):
    codes, tables = bytes_of(rows, width), tables_of(queries, width)
    scores = LookUpTables(tables).scores(codes)
    wanted = tables[:, np.arange(width), codes].sum(axis=2, dtype=np.float64)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, wanted, atol=2e-6 * width)


@pytest.mark.parametrize("queries", [1, 11])
def test_numpy_adds_what_c_adds(queries, monkeypatch):
    codes, tables = bytes_of(300, 32), tables_of(queries, 32)
    in_c = LookUpTables(tables).scores(codes)
    monkeypatch.setenv("COMPRESS_NATIVE", "off")
    np.testing.assert_array_equal(LookUpTables(tables).scores(codes), in_c)


def levels(kind: str, rows: int, dim: int) -> np.ndarray:
    rng = np.random.default_rng(rows + dim)
    if kind == "u1":
        return rng.integers(0, 256, (rows, (dim + 1) // 2), dtype=np.uint8)
    if kind == "i1":
        return rng.integers(-128, 128, (rows, dim), dtype=np.int8)
    # From subnormal halves to the largest.
    return (rng.standard_normal((rows, dim)) * 10.0 ** rng.integers(-8, 4, (rows, dim))).astype("<f2")


@pytest.mark.parametrize("kind", ["i1", "<f2", "u1"])
@pytest.mark.parametrize("dim", [1, 15, 16, 17, 32, 47, 320])
@pytest.mark.parametrize("queries", [1, 6])
def test_weighing_numbers_is_a_product_of_matrices(kind, dim, queries):
    codes = levels(kind, 70, dim)
    weights = np.random.default_rng(1).standard_normal((queries, dim)).astype(np.float32)
    scores = Weights(weights, kind == "u1").scores(codes)
    numbers = codes.astype(np.float64)
    if kind == "u1":
        numbers = np.stack([codes % 16, codes // 16], axis=2).reshape(70, -1)[:, :dim].astype(np.float64)
    wanted = weights.astype(np.float64) @ numbers.T
    np.testing.assert_allclose(scores, wanted, atol=1e-6 * np.abs(numbers).max() * dim)


def test_every_half_is_widened_to_its_value():
    halves = np.arange(2**16, dtype=np.uint16).view("<f2")
    finite = halves[np.isfinite(halves)][:, None]
    assert np.array_equal(Weights(np.ones((1, 1), np.float32)).scores(finite)[0], finite[:, 0].astype("f4"))


@pytest.mark.parametrize("kind", ["i1", "<f2", "u1"])
def test_without_the_library_numpy_gives_the_same(kind, monkeypatch):
    codes, tables = bytes_of(500, 24), tables_of(3, 24)
    numbers, weights = levels(kind, 500, 23), tables_of(1, 3)[0, :, :23].copy()
    fast = LookUpTables(tables).scores(codes), Weights(weights, kind == "u1").scores(numbers)
    monkeypatch.setenv(native.SWITCH, "off")
    assert np.array_equal(LookUpTables(tables).scores(codes), fast[0])
    np.testing.assert_allclose(Weights(weights, kind == "u1").scores(numbers), fast[1], rtol=1e-5, atol=1e-3)


def test_a_query_gets_the_same_scores_alone_and_in_company():
    codes, tables = bytes_of(100, 12), tables_of(19, 12)
    together = LookUpTables(tables).scores(codes)
    assert all(
        np.array_equal(LookUpTables(tables[i : i + 1]).scores(codes)[0], together[i]) for i in range(19)
    )
    numbers, weights = levels("<f2", 100, 33), tables_of(1, 19)[0, :, :33].copy()
    together = Weights(weights).scores(numbers)
    assert all(np.array_equal(Weights(weights[i : i + 1]).scores(numbers)[0], together[i]) for i in range(19))


def test_codes_need_not_lie_in_one_piece():
    codes = bytes_of(60, 20)
    tables = tables_of(2, 10)
    assert np.array_equal(
        LookUpTables(tables).scores(codes[:, ::2]), LookUpTables(tables).scores(codes[:, ::2].copy())
    )


def test_what_follows_the_bytes_that_have_tables_does_not_count(monkeypatch):
    codes, tables = bytes_of(60, 20), tables_of(2, 13)
    wanted = LookUpTables(tables).scores(codes[:, :13])
    assert np.array_equal(LookUpTables(tables).scores(codes), wanted)
    assert np.array_equal(LookUpTables(tables[:1]).scores(codes), wanted[:1])
    monkeypatch.setenv(native.SWITCH, "off")
    assert np.array_equal(LookUpTables(tables).scores(codes), wanted)

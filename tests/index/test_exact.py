"""Exact neighbours, against a matrix product and a full sort."""

from __future__ import annotations

import numpy as np
import pytest

from compress.errors import RecordError, SchemaError, UsageError
from compress.index import exact_neighbours, rows


def slowly(queries, base, k, metric="cosine", exclude=None):
    queries, base = queries.astype(np.float64), base.astype(np.float64)
    if metric == "cosine":
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
        base = base / np.linalg.norm(base, axis=1, keepdims=True)
    scores = queries @ base.T
    if exclude is not None:
        scores[np.arange(len(queries)), exclude] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("metric", ["cosine", "ip"])
@pytest.mark.parametrize(("queries", "k"), [(1, 1), (7, 10), (300, 10), (20, 150)])
def test_the_same_rows_as_a_full_sort(metric, queries, k, clustered, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK_BYTES", 0)  # Blocks of 256 rows: several of them, the last one short.
    base = clustered(1000, 24)
    wanted = slowly(base[:queries] + 0.01, base, k, metric)
    assert np.array_equal(exact_neighbours(base[:queries] + 0.01, base, k, metric), wanted)


def test_a_query_does_not_find_its_own_row_when_it_is_excluded(clustered, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK_BYTES", 0)
    base = clustered(700, 16)
    own = np.array([0, 255, 256, 699])
    found = exact_neighbours(base[own], base, 5, exclude=own)
    assert not (found == own[:, None]).any()
    assert np.array_equal(found, slowly(base[own], base, 5, exclude=own))


def test_a_store_and_its_matrix_give_the_same_answer(clustered, memory_store, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK_BYTES", 0)
    store = memory_store(clustered(600, 8))
    found = exact_neighbours(store.vectors[:9], store, 3)
    assert np.array_equal(found, exact_neighbours(store.vectors[:9], store.vectors, 3))
    assert store.largest_read == 256


def test_other_float_types_are_taken_as_numbers(clustered):
    base = clustered(50, 8).astype(np.float16)
    assert np.array_equal(exact_neighbours(base[:5], base, 3), slowly(base[:5], base, 3))


def test_k_is_capped_to_the_rows_that_can_be_found(clustered):
    base = clustered(6, 4)
    assert exact_neighbours(base, base, 100).shape == (6, 6)
    assert exact_neighbours(base, base, 100, exclude=np.arange(6)).shape == (6, 5)
    assert exact_neighbours(base[:1], base[:1], 10, exclude=np.array([0])).shape == (1, 0)
    assert exact_neighbours(base[:0], base, 3).shape == (0, 3)


def test_equal_rows_come_in_the_order_of_their_numbers():
    base = np.ones((20, 4), np.float32)
    assert exact_neighbours(base[:1], base, 20).tolist() == [list(range(20))]


def test_very_short_and_very_long_rows_keep_their_direction():
    base = np.array([[1e-30, 0], [0, 1e30], [1, 1]], np.float32)
    assert exact_neighbours(np.array([[2.0, 0]]), base, 3).tolist() == [[0, 2, 1]]


def test_one_vector_is_one_query():
    base = np.eye(4)
    assert (
        exact_neighbours(base[2], base, 1).tolist() == exact_neighbours(base[2:3], base, 1).tolist() == [[2]]
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"k": 0}, UsageError, "k is 0"),
        ({"metric": "l2"}, UsageError, "unknown metric 'l2'"),
        ({"queries": np.ones((2, 3))}, SchemaError, "4 dimensions"),
        ({"queries": np.ones(3)}, SchemaError, "4"),
        ({"queries": np.ones((1, 1, 4))}, SchemaError, "4"),
        ({"queries": np.zeros((1, 4))}, RecordError, "query 0: is all zeros"),
        ({"queries": np.full((1, 4), np.nan)}, RecordError, "query 0: holds NaN or Inf"),
        ({"base": np.diag([1.0, np.inf, 1, 1])}, RecordError, "row 1: holds NaN or Inf"),
        ({"base": np.eye(4) * 1e30, "metric": "ip"}, RecordError, "row 0: is too long"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, error, message):
    arguments = {"queries": np.ones((2, 4)), "base": np.eye(4), "k": 2} | change
    with pytest.raises(error, match=message):
        exact_neighbours(**arguments)


def test_rows_of_zeros_have_a_cosine_of_0():
    base = np.float32([[0, 0], [-1, 0], [1, 0], [0, 0], [0, 1]])
    assert exact_neighbours(np.float32([[2, 0], [-1, -1]]), base, 4).tolist() == [[2, 0, 3, 4], [1, 0, 3, 2]]

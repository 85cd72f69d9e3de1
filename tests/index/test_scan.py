"""The bfloat16 scan, against float64 products and a full sort: it may give up, but never be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from compress import native
from compress.index import exact, exact_neighbours, open_index
from tests.index.building import build_index

pytestmark = pytest.mark.skipif(not exact.scan_works(64, 10), reason="needs AVX512-BF16 and the C code")


def best(queries, rows, k):
    scores = queries.astype(np.float64) @ rows.astype(np.float64).T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), order


def scanned(queries, rows, k, at_least=-np.inf, threads=1):
    """What the scan found, best first: scores and rows of the k best, and which queries it gave up."""
    floors = np.full(len(queries), at_least, np.float32)
    scores, found, given_up = exact.scan_rows(queries, rows, k, floors, threads)
    order = np.lexsort((found, -scores))[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(found, order, axis=1), given_up


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("dim", [1, 2, 3, 16, 31, 32, 33, 63, 100, 1152])
@pytest.mark.parametrize("num_rows", [1, 15, 64, 65, 700])
def test_the_rows_of_any_shape_are_those_of_a_full_sort(dim, num_rows):
    queries, rows = normal(53, dim), normal(num_rows, dim, seed=1)
    k = min(7, num_rows)
    wanted_scores, wanted = best(queries, rows, k)
    scores, found, given_up = scanned(queries, rows, k)
    kept = ~given_up
    assert kept.all() or dim == 1  # All rows of one sign tie, in one dimension.
    assert np.array_equal(found[kept], wanted[kept])
    np.testing.assert_allclose(scores[kept], wanted_scores[kept], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("queries", [1, 2, 5, 6, 7, 12, 300])
def test_any_number_of_queries_is_served(queries):
    rows = normal(5000, 24)
    assert np.array_equal(scanned(rows[:queries], rows, 5)[1], best(rows[:queries], rows, 5)[1])


@pytest.mark.parametrize("closeness", [1e-2, 1e-3, 1e-4, 1e-5])
def test_rows_that_bfloat16_cannot_tell_apart_come_in_the_order_of_the_truth(closeness):
    centre = normal(1, 96)
    crowd = centre + closeness * normal(250, 96, seed=1)
    rows = np.concatenate([normal(4000, 96, seed=2), crowd])[np.random.default_rng(3).permutation(4250)]
    queries = centre + 0.1 * normal(60, 96, seed=4)
    _, found, given_up = scanned(queries, rows, 10)
    assert not given_up.any()
    scores = np.einsum("qd,qkd->qk", queries.astype(np.float64), rows[found].astype(np.float64))
    # The same order, but among rows whose scores are one number in float32.
    np.testing.assert_allclose(scores, best(queries, rows, 10)[0], rtol=1e-7)


def test_rows_of_very_different_lengths_are_ranked_rightly():
    rng = np.random.default_rng(0)
    rows = normal(6000, 40) * 10 ** rng.uniform(-6, 3, (6000, 1)).astype(np.float32)
    rows[3000:] *= np.float32(1e-3)
    queries = normal(50, 40, seed=1) * 10 ** rng.uniform(-8, 8, (50, 1)).astype(np.float32)
    _, found, given_up = scanned(queries, rows, 10)
    assert np.array_equal(found[~given_up], best(queries, rows, 10)[1][~given_up])
    assert not given_up.all()


@pytest.mark.parametrize("scale", [0.0, 1e-44, 1e-30, 1e15])
def test_the_smallest_and_the_largest_numbers_are_ranked_rightly_or_given_up(scale):
    rows = normal(900, 20) * np.float32(scale)
    queries = normal(50, 20, seed=1)
    _, found, given_up = scanned(queries, rows, 5)
    assert np.array_equal(found[~given_up], best(queries, rows, 5)[1][~given_up])


def test_more_equal_rows_than_it_keeps_make_it_give_up_and_exact_search_goes_on_without_it():
    rows = np.concatenate([np.ones((3000, 8), np.float32), normal(50, 8)])
    rows = rows[np.random.default_rng(0).permutation(3050)]
    queries = np.concatenate([np.ones((30, 8), np.float32), -np.ones((30, 8), np.float32)])
    _, _, given_up = scanned(queries, rows, 4)
    assert given_up.tolist() == [True] * 30 + [False] * 30
    found = exact_neighbours(queries, rows, 4)
    assert (rows[found[:30]] == 1).all()
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.array_equal(found[30:], best(queries[30:], unit, 4)[1])


def test_rows_below_what_is_asked_for_may_be_left_out_and_no_others():
    queries, rows = normal(60, 32), normal(3000, 32, seed=1)
    wanted_scores, wanted = best(queries, rows, 9)
    scores, found, _ = scanned(queries, rows, 9, at_least=14)
    asked = wanted_scores >= 14
    assert asked.any()
    assert not asked.all()
    assert np.array_equal(found[asked], wanted[asked])
    assert (scores[found < 0] == -np.inf).all()


@pytest.mark.parametrize("threads", [2, 3, 16])
def test_threads_do_not_change_the_answer(threads):
    queries, rows = normal(50, 16), normal(5000, 16, seed=1)
    for one, several in zip(
        scanned(queries, rows, 8), scanned(queries, rows, 8, threads=threads), strict=True
    ):
        assert np.array_equal(one, several)


def test_a_store_block_by_block_gives_the_same_rows_as_without_the_c_code(clustered, monkeypatch):
    base = clustered(4000, 48)
    own = np.arange(0, 4000, 40)
    fast = exact_neighbours(base[own], base, 10, exclude=own)
    monkeypatch.setenv(native.SWITCH, "off")
    assert not exact.scan_works(64, 10)
    assert np.array_equal(exact_neighbours(base[own], base, 10, exclude=own), fast)


def test_an_exact_index_gives_many_queries_at_once_what_it_gives_one(clustered, memory_store, tmp_path):
    store = memory_store(clustered(1500, 20))
    build_index(store, tmp_path / "index", recall_queries=64)
    index = open_index(tmp_path / "index")
    hits = index.search(store.vectors[:100], 10)
    scores, rows = hits.scores, hits.rows
    alone = [index.search(store.vectors[row], 10) for row in range(100)]
    assert np.array_equal(rows, np.concatenate([hits.rows for hits in alone]))
    np.testing.assert_allclose(scores, np.concatenate([hits.scores for hits in alone]), atol=1e-6)


@pytest.mark.parametrize(("queries", "k"), [(1, 10), (exact.MIN_QUERIES - 1, 10), (1000, 129)])
def test_where_it_does_not_pay_it_is_not_used(queries, k):
    assert not exact.scan_works(queries, k)

"""Searching: real rows only, best first, and clear words for queries that do not fit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from compress.errors import RecordError, SchemaError, UsageError
from compress.index import Neighbour, exact_neighbours, open_index
from tests.index.building import build_index

APPROXIMATE = "IVF50,PQ8x4fs,Refine(SQ8)"


@pytest.fixture(scope="module")
def store(clustered, memory_store):
    return memory_store(clustered(3000, 16))


@pytest.fixture(scope="module", params=["Flat", "IVF50,Flat", APPROXIMATE])
def index(request, store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    build_index(store, folder, factory=request.param, wanted_recall=0.95, recall_queries=200)
    return open_index(folder, store=store)


def test_every_video_finds_itself_first(index, store):
    hits = index.search(store.vectors, 1)
    scores, rows = hits.scores, hits.rows
    assert np.mean(rows[:, 0] == np.arange(3000)) > 0.99
    np.testing.assert_allclose(scores, 1, atol=0.02)


def test_scores_are_cosines_and_fall(index, store):
    hits = index.search(store.vectors[:40] * 3, 10)
    scores, rows = hits.scores, hits.rows
    unit = store.vectors / np.linalg.norm(store.vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", unit[:40], unit[rows]), atol=0.02)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert scores.dtype == np.float32
    assert rows.dtype == np.int64


@pytest.mark.parametrize("k", [1, 100, 2999, 3000, 10_000])
def test_every_row_is_a_video_and_comes_once_however_many_are_wanted(index, store, k):
    rows = index.search(store.vectors[:7], k).rows
    assert rows.shape == (7, min(k, 3000))
    assert all(len(set(row)) == len(row) and min(row) >= 0 for row in rows.tolist())


def test_one_query_at_a_time_gives_what_a_batch_gives(index, store):
    together = index.search(store.vectors[:64], 5)
    singly = [index.search(store.vectors[row : row + 1], 5) for row in range(64)]
    assert np.mean(together.rows == np.concatenate([hits.rows for hits in singly])) > 0.99
    np.testing.assert_allclose(together.scores, np.concatenate([hits.scores for hits in singly]), atol=1e-5)


def test_threads_share_an_index(index, store):
    wanted = index.search(store.vectors[:200], 5).rows
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: index.search(store.vectors[:200], 5).rows, range(12)):
            assert np.array_equal(found, wanted)


def test_neighbours_leave_out_the_video_itself(index, store):
    found = index.search(store.vectors[17], 5, exclude=17)[0]
    assert len(found) == 5
    assert 17 not in [neighbour.row for neighbour in found]
    assert len(index.search(store.vectors[17], 5)[0]) == 5
    assert index.search(store.vectors[17], 1)[0][0] == Neighbour(17, "vid00017", pytest.approx(1, abs=0.02))
    assert len(index.search(store.vectors[17], 9999, exclude=17)[0]) == 2999


def test_duplicate_videos_find_each_other(memory_store, tmp_path):
    rng = np.random.default_rng(1)
    store = memory_store(np.repeat(rng.standard_normal((100, 8), dtype=np.float32), 3, axis=0))
    build_index(store, tmp_path / "index")
    index = open_index(tmp_path / "index")
    for row in (0, 151, 299):
        twins = {row - row % 3 + step for step in range(3)} - {row}
        assert {found.row for found in index.search(store.vectors[row], 2, exclude=row)[0]} == twins


def test_metric_ip_prefers_longer_vectors_and_cosine_does_not(memory_store, tmp_path):
    store = memory_store(np.array([[1, 0], [5, 5]], np.float32))
    for metric, best in (("ip", 1), ("cosine", 0)):
        build_index(store, tmp_path / metric, metric=metric)
        assert open_index(tmp_path / metric).search(np.array([1.0, 0]), 1)[0][0].row == best


def test_no_queries_give_no_rows(index):
    hits = index.search(np.empty((0, 16), np.float32), 4)
    scores, rows = hits.scores, hits.rows
    assert scores.shape == rows.shape == (0, 4)


def test_more_queries_than_one_batch_holds(index, store):
    many = np.tile(store.vectors[:1000], (5, 1))
    rows = index.search(many, 3).rows
    assert np.mean(rows[:1000] == rows[4000:]) > 0.99


@pytest.mark.parametrize(
    ("vectors", "k", "error", "message"),
    [
        (np.ones((2, 15)), 3, SchemaError, r"shape \(2, 15\), but the videos have 16 dimensions"),
        (np.ones(15), 3, SchemaError, r"shape \(1, 15\)"),
        (np.ones((2, 1, 16)), 3, SchemaError, r"shape \(2, 1, 16\)"),
        ([["a"] * 16], 3, SchemaError, "not numbers"),
        (np.ones((2, 16)), 0, UsageError, "k is 0"),
        (np.ones((2, 16)), -1, UsageError, "k is -1"),
        (np.array([[1.0] * 16, [np.nan] * 16]), 3, RecordError, "query 1: holds NaN or Inf"),
        (np.zeros((1, 16)), 3, RecordError, "query 0: is all zeros"),
    ],
)
def test_queries_that_do_not_fit_are_refused(vectors, k, error, message, index):
    with pytest.raises(error, match=message):
        index.search(vectors, k)


def test_flat_results_are_exact(store, tmp_path):
    build_index(store, tmp_path / "index")
    rows = open_index(tmp_path / "index").search(store.vectors[:100], 20).rows
    assert np.array_equal(rows, exact_neighbours(store.vectors[:100], store, 20))

"""Searching stored codes: the same videos and scores as decoding them and comparing with all."""

from __future__ import annotations

import numpy as np
import pytest

from compress import faiss_engine, native
from compress.codecs import Codec
from compress.index import codes as codes_index
from compress.index.codes import CodesIndex
from compress.index.exact import scan_works

CODECS = ["float16", "int8", "int4", "binary", "pq8", "opq8", "rq4", "rabitq", "rabitq4"]
DIM, ROWS = 32, 1500


@pytest.fixture(scope="module")
def rows(clustered):
    return clustered(ROWS, DIM)


@pytest.fixture(scope="module", params=CODECS)
def codec(request, rows):
    return Codec.fit(request.param, rows)


def exactly(codec, codes, queries, metric):
    decoded = codec.decode(codes).astype(np.float64)
    if metric == "cosine":
        decoded /= np.linalg.norm(decoded, axis=1, keepdims=True)
    return queries.astype(np.float64) @ decoded.T


def index_of(codec, codes, metric):
    lengths = np.linalg.norm(codec.decode(codes), axis=1).astype(np.float32)
    return CodesIndex(codec, codes, lengths if metric == "cosine" else None)


def queries_of(rows, count=9):
    return (rows[:count] + 0.3 * rows[50 : 50 + count]) / np.linalg.norm(rows[:count], axis=1, keepdims=True)


@pytest.mark.parametrize("metric", ["cosine", "ip"])
@pytest.mark.parametrize("compiled", [True, False])
def test_the_scores_are_those_of_the_decoded_rows(codec, rows, metric, compiled, monkeypatch):
    monkeypatch.setenv(native.SWITCH, "on" if compiled else "off")
    monkeypatch.setattr(codes_index, "_BLOCK_BYTES", 0)  # blocks of 256 rows
    codes, queries = codec.encode(rows), queries_of(rows)
    truth = exactly(codec, codes, queries, metric)
    scores, found = index_of(codec, codes, metric).on_codes(queries, ROWS)
    assert np.array_equal(np.sort(found, axis=1), np.tile(np.arange(ROWS), (len(queries), 1)))
    np.testing.assert_allclose(
        scores, np.take_along_axis(truth, found, axis=1), atol=1e-6 * np.abs(truth).max() * DIM
    )
    assert (np.diff(scores, axis=1) <= 0).all()


def test_many_queries_get_what_each_gets_alone(codec, rows):
    index, queries = index_of(codec, codec.encode(rows), "cosine"), queries_of(rows, 80)
    scores, found = index.search(queries, 10)
    alone = [index.search(query[None], 10) for query in queries]
    np.testing.assert_allclose(scores, np.concatenate([score for score, _ in alone]), atol=3e-6)
    assert np.mean(found == np.concatenate([row for _, row in alone])) > 0.95  # but for ties


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_the_answer(rows, threads, monkeypatch):
    monkeypatch.setattr(codes_index, "_ROWS_A_THREAD", 100)
    codec = Codec.fit("binary", rows)
    index, queries = index_of(codec, codec.encode(rows), "cosine"), queries_of(rows)
    one = index.on_codes(queries, 40)
    faiss_engine.set_threads(threads)
    several = index.on_codes(queries, 40)
    assert np.array_equal(one[0], several[0])
    assert np.array_equal(one[1], several[1])


def test_videos_with_one_code_come_in_the_order_of_their_rows(rows):
    codec = Codec.fit("binary", rows)
    codes = np.repeat(codec.encode(rows[:3]), 50, axis=0)
    _, found = index_of(codec, codes, "cosine").on_codes(queries_of(rows[:60], 3), 150)
    for row in found.reshape(3, 3, 50):
        assert (np.diff(row, axis=1) == 1).all()


def test_two_queries_of_one_code_get_scores_of_their_own(rows):
    codec = Codec.fit("binary", rows)
    queries = np.stack([rows[0], np.where(rows[0] > codec.threshold, codec.high, codec.low)])
    assert np.array_equal(*codec.encode(queries))
    scores, _ = index_of(codec, codec.encode(rows), "ip").on_codes(queries, 5)
    assert not np.allclose(scores[0], scores[1])


@pytest.mark.parametrize("dim", [1, 7, 9])
@pytest.mark.parametrize("name", ["int8", "int4", "binary", "float16"])
def test_dimensions_that_fill_no_byte_are_no_trouble(name, dim):
    rows = np.random.default_rng(dim).standard_normal((40, dim)).astype(np.float32)
    rows[:, 0] = 1.5  # constant
    codec = Codec.fit(name, rows)
    codes = codec.encode(rows)
    scores, found = index_of(codec, codes, "ip").on_codes(rows[:3], 40)
    truth = exactly(codec, codes, rows[:3], "ip")
    np.testing.assert_allclose(scores, np.take_along_axis(truth, found, axis=1), atol=1e-5)


def test_scores_of_codes_of_one_byte_do_not_come_all_at_once(rows):
    codec = Codec.fit("rq1", rows)
    blocks = CodesIndex(codec, np.empty((0, 1), np.uint8), None)._blocks(range(5, 300_000))
    ends = np.array(list(blocks))
    assert (ends[0, 0], ends[-1, 1]) == (5, 300_000)
    assert np.array_equal(ends[1:, 0], ends[:-1, 1])
    assert (ends[:, 1] - ends[:, 0]).max() == 2**16


def test_no_queries_find_nothing(codec, rows):
    scores, found = index_of(codec, codec.encode(rows), "ip").search(np.empty((0, DIM), np.float32), 3)
    assert scores.shape == found.shape == (0, 3)


def test_a_million_queries_never_decode_where_tables_are_faster(rows, monkeypatch):
    codec = Codec.fit("binary", rows)
    index = index_of(codec, codec.encode(rows), "cosine")
    monkeypatch.setattr(CodesIndex, "decoded", None)
    assert index.search(np.tile(queries_of(rows), (20, 1)), 3)[1].shape == (180, 3)


@pytest.mark.skipif(not scan_works(64, 10), reason="no bfloat16 here")
def test_the_codes_of_numbers_are_decoded_for_many_queries(rows, monkeypatch):
    codec = Codec.fit("int8", rows)
    index = index_of(codec, codec.encode(rows), "cosine")
    monkeypatch.setattr(CodesIndex, "on_codes", None)
    assert index.search(np.tile(queries_of(rows), (20, 1)), 3)[1].shape == (180, 3)


def test_a_code_of_a_video_and_its_length_are_all_that_a_search_reads(rows):
    for name, size in (("float16", 64), ("int8", 32), ("int4", 16), ("binary", 4)):
        codec = Codec.fit(name, rows)
        codes = codec.encode(rows)
        assert index_of(codec, codes, "ip").bytes_per_video == size == codes.nbytes // ROWS
        assert index_of(codec, codes, "cosine").bytes_per_video == size + 4

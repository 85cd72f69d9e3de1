"""`compress.Index` as in a notebook: arrays of any kind, ids of any kind, codes as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import compress
from compress.artifacts.folder import commit_folder
from compress.errors import DataError, RecordError, SchemaError, UsageError
from compress.index import exact_neighbours, open_index

DIM = 12
KINDS = {
    "float64": lambda x: x.astype(np.float64),
    "big-endian": lambda x: x.astype(">f4"),
    "every other column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "columns first": np.asfortranarray,
    "tensor": torch.from_numpy,
    "list": lambda x: x.tolist(),
}


@pytest.fixture(scope="module")
def rows(clustered) -> np.ndarray:
    return clustered(400, DIM)


@pytest.mark.parametrize("kind", KINDS)
def test_any_array_of_the_same_numbers_finds_the_same(kind: str, rows: np.ndarray) -> None:
    index = compress.Index.build(KINDS[kind](rows), recall_queries=20)
    hits = index.search(KINDS[kind](rows[:7] + np.float32(0.01)), k=5)
    assert np.array_equal(hits.rows, exact_neighbours(rows[:7] + np.float32(0.01), rows, 5))
    assert (hits.scores.dtype, hits.rows.dtype, hits.ids.shape) == (np.float32, np.int64, (7, 5))
    assert len(index) == 400
    assert repr(index) == (
        "<Index of 400 videos, 12 dimensions: Flat, cosine, "
        "recall@10 1.0000 of the stored rows, 1.0000 of float32>"
    )


@pytest.mark.parametrize(
    "ids",
    [
        [f"vidéo {row}" for row in range(400)],
        [f"vidéo {row}".encode() for row in range(400)],
        np.array([f"vidéo {row}" for row in range(400)]),
        (f"vidéo {row}" for row in range(400)),
    ],
    ids=["text", "bytes", "array", "generator"],
)
def test_ids_come_back_as_text(ids: object, rows: np.ndarray) -> None:
    index = compress.Index.build(rows, ids, recall_queries=20)
    hits = index.search(rows[[7, 9]], k=2)
    assert hits.ids[:, 0].tolist() == ["vidéo 7", "vidéo 9"]
    assert hits[1][0].video_id == "vidéo 9"
    assert index.ids[399] == "vidéo 399"


def test_without_ids_the_row_numbers_are_the_ids(rows: np.ndarray) -> None:
    assert compress.Index.build(rows, recall_queries=20).search(rows[123], 1).ids.tolist() == [["123"]]
    numbers = compress.Index.build(rows, np.arange(1000, 1400), recall_queries=20)
    assert numbers.search(rows[3], 1).ids.tolist() == [["1003"]]


def test_one_vector_is_one_query_and_its_own_row_can_be_left_out(rows: np.ndarray) -> None:
    index = compress.Index.build(rows, recall_queries=20)
    assert index.search(rows[5]).rows.shape == (1, 10)
    own = np.array([5, 6, 7])
    hits = index.search(rows[own], k=4, exclude=own)
    assert np.array_equal(hits.rows, exact_neighbours(rows[own], rows, 4, exclude=own))
    assert np.array_equal(index.search(rows[5], k=4, exclude=5).rows[0], hits.rows[0])
    assert index.search(rows[own], k=999, exclude=own).rows.shape == (3, 399)


@pytest.mark.parametrize("name", ["float16", "int8", "binary", "pq4"])
def test_codes_are_searched_as_they_are(name: str, rows: np.ndarray) -> None:
    codec = compress.Codec.fit(name, rows)
    codes = codec.encode(rows)
    index = compress.Index.build(codes, codec=codec, ids=[f"v{row}" for row in range(400)], recall_queries=20)
    assert index.facts.kind == "codes"
    assert index.bytes_per_video == codec.bytes_per_video + 4
    hits = index.search(rows[:9], 5)
    decoded = codec.decode(codes).astype(np.float64)
    cosines = (
        rows[:9] @ decoded.T / np.linalg.norm(rows[:9], axis=1)[:, None] / np.linalg.norm(decoded, axis=1)
    )
    np.testing.assert_allclose(hits.scores, -np.sort(-cosines, axis=1)[:, :5], atol=1e-5)
    decoded_index = compress.Index.build(codes, codec=codec, on_codes=False, recall_queries=20)
    np.testing.assert_allclose(decoded_index.search(rows[:9], 5).scores, hits.scores, atol=1e-5)


def test_codes_of_float32_are_the_numbers(rows: np.ndarray) -> None:
    codec = compress.Codec.fit("float32", rows)
    assert compress.Index.build(codec.encode(rows), codec=codec, recall_queries=20).facts.kind == "Flat"


@pytest.mark.parametrize("codec", [None, "int8"])
def test_a_saved_index_is_the_same_when_it_is_opened(
    codec: str | None, rows: np.ndarray, tmp_path: Path
) -> None:
    made = None if codec is None else compress.Codec.fit(codec, rows)
    given = rows if made is None else made.encode(rows)
    index = compress.Index.build(given, [f"v{row}" for row in range(400)], codec=made, recall_queries=20)
    size = index.save(str(tmp_path / "index"))
    again = compress.Index.open(str(tmp_path / "index"))
    assert size == sum(p.stat().st_size for p in (tmp_path / "index").iterdir() if p.suffix != ".json")
    assert (again.facts, again.ids) == (index.facts, index.ids)
    assert np.array_equal(again.search(rows, 3).rows, index.search(rows, 3).rows)
    assert repr(open_index(str(tmp_path / "index"))) == repr(index)


@pytest.mark.parametrize(
    ("given", "ids", "error", "message"),
    [
        (np.ones(4), None, SchemaError, "one dimension"),
        (np.ones((0, 4)), None, SchemaError, "empty"),
        ([["a"]], None, SchemaError, "not numbers"),
        (None, None, SchemaError, "not numbers"),
        (np.array([[1, np.nan]]), None, DataError, "row 0"),
        (np.zeros((2, 3)), None, RecordError, "all 2 videos are all zeros"),
        (np.ones((2, 3)), ["a"], SchemaError, "1 ids for 2"),
        (np.ones((2, 3)), ["a", "a"], SchemaError, "'a' is there twice"),
        (np.ones((2, 3)), [1.5, 2.5], SchemaError, "is no text"),
    ],
)
def test_what_cannot_be_indexed_is_refused(
    given: object, ids: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compress.Index.build(given, ids)


def test_codes_and_stores_that_do_not_fit_are_refused(rows: np.ndarray, memory_store) -> None:
    codec = compress.Codec.fit("int8", rows)
    with pytest.raises(SchemaError, match="encode makes codes"):
        compress.Index.build(rows, codec=codec)
    with pytest.raises(UsageError, match="a store has ids and a codec of its own"):
        compress.Index.build(memory_store(rows), ids=["a"] * 400)


def test_an_index_replaces_an_index_and_nothing_else(rows: np.ndarray, tmp_path: Path) -> None:
    index = compress.Index.build(rows, recall_queries=20)
    index.save(tmp_path / "a")
    index.save(tmp_path / "a")
    commit_folder(tmp_path / "run", "model", {"weights.bin": b"1"}, {})
    with pytest.raises(UsageError, match="run: holds a model"):
        index.save(tmp_path / "run")


def test_halves_of_torch_are_rows_and_queries(rows: np.ndarray) -> None:
    index = compress.Index.build(torch.from_numpy(rows).bfloat16(), recall_queries=20)
    assert index.search(torch.from_numpy(rows[3]).bfloat16(), 1).rows.tolist() == [[3]]

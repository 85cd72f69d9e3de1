"""What the writer refuses, and how it names it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from compress.errors import DataError, LockedError, RecordError, SchemaError
from compress.labels import Labels
from compress.store.writer import open_writer
from tests.store.examples import contents, embeddings, write_store


def labels_with(indptr: list[int], indices: list[int]) -> Labels:
    return Labels(np.array(indptr, np.int64), np.array(indices, np.int32), 20)


IDS = contents()["ids"]


def ids_with(row: int, video_id: bytes) -> np.ndarray:
    ids = IDS.copy()
    ids[row] = video_id
    return ids


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"ids": np.zeros(0, "S3"), "labels": None, "splits": {}}, DataError, "there are no videos to store"),
        ({"ids": ids_with(3, b"")}, RecordError, "row 3: the video id is empty"),
        ({"ids": ids_with(3, b"\xff\xfe")}, RecordError, r"row 3: the video id b'\\xff\\xfe' is not UTF-8"),
        ({"ids": ids_with(3, "vidéo-5".encode())}, DataError, "'vidéo-5' appears more than once"),
        ({"ids": np.arange(10)}, DataError, "not one bytes string"),
        ({"ids": IDS.reshape(5, 2)}, DataError, "not one bytes string"),
        ({"labels": Labels.from_lists([[1]] * 9, 20)}, SchemaError, "labels of 9 videos, but 10 videos"),
        ({"labels": Labels.from_lists([[20]] * 10, 20)}, DataError, r"outside \[0, 20\)"),
        ({"labels": labels_with([0] * 10 + [2], [1])}, DataError, "indptr"),
        ({"splits": {"train": (0, 11)}}, DataError, r"split 'train' is rows \[0, 11\) of 10"),
        ({"splits": {"a": (0, 5), "b": (4, 10)}}, DataError, "split 'b'.*overlaps"),
        ({"splits": {"a": (5, 4)}}, DataError, "split 'a'"),
        ({"metadata": {"gap": float("nan")}}, DataError, "JSON"),
    ],
)
def test_contents_that_do_not_fit_are_refused_before_anything_is_written(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        open_writer(tmp_path / "a.h5", **contents(**change))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("codec", ["float32", "float16", "int8"])
def test_nan_and_infinity_name_the_video_and_are_not_stored(tmp_path: Path, codec: str, value: float) -> None:
    embedding = embeddings()
    embedding[6, 2] = value
    with open_writer(tmp_path / "a.h5", **contents(codec)) as writer:
        writer.write(embedding[:4])
        with pytest.raises(
            RecordError, match=r"a\.h5: the embedding of video 'vidéo-6' holds NaN or Inf"
        ) as caught:
            writer.write(embedding[4:])
        assert caught.value.exit_code == 67
        assert writer.rows_done == 4
        writer.write(embeddings()[4:])
        writer.finish()


def test_a_value_out_of_the_codecs_range_names_the_video(tmp_path: Path) -> None:
    embedding = embeddings()
    embedding[[3, 5], 2] = 70_000
    message = r"of video 'vidéo-3' \(and of 1 more in its block\) is out of the range of float16"
    with (
        open_writer(tmp_path / "a.h5", **contents("float16")) as writer,
        pytest.raises(RecordError, match=message),
    ):
        writer.write(embedding)


@pytest.mark.parametrize("shape", [(2, 5), (4,), (1, 4, 1)])
def test_other_shapes_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with (
        open_writer(tmp_path / "a.h5", **contents()) as writer,
        pytest.raises(SchemaError, match="store takes"),
    ):
        writer.write(np.zeros(shape, np.float32))


def test_more_embeddings_than_ids_are_refused(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.h5", **contents()) as writer:
        writer.write(embeddings()[:8])
        with pytest.raises(SchemaError, match="3 more embeddings, but ids for 2 more videos"):
            writer.write(embeddings()[:3])


def test_finishing_early_is_refused_and_keeps_what_is_there(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.h5", **contents()) as writer:
        writer.write(embeddings()[:8])
        with pytest.raises(DataError, match="8 of 10 embeddings were written; run the same command again"):
            writer.finish()
        writer.write(embeddings()[8:])
        writer.finish()


def test_an_empty_block_changes_nothing(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.h5", **contents()) as writer:
        writer.write(embeddings()[:0])
        assert writer.rows_done == 0


@pytest.mark.parametrize("make", [np.asfortranarray, lambda e: np.repeat(e, 2, axis=0)[::2], np.float64])
def test_embeddings_may_lie_in_memory_in_any_way(tmp_path: Path, make) -> None:
    with open_writer(tmp_path / "a.h5", **contents()) as writer:
        writer.write(make(embeddings()))
        writer.finish()
    assert (tmp_path / "a.h5").read_bytes() == write_store(tmp_path / "b.h5").path.read_bytes()


def test_a_second_writer_is_locked_out(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.h5", **contents()) as writer:
        with pytest.raises(LockedError, match=r"a\.h5: is being written by process"):
            open_writer(tmp_path / "a.h5", **contents())
        writer.write(embeddings())
        writer.finish()
        with open_writer(tmp_path / "a.h5", **contents()):
            pass


def test_a_failed_open_does_not_keep_the_lock(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("compress.store.writer.lay_out", lambda contents: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        open_writer(tmp_path / "a.h5", **contents())
    assert os.listdir(tmp_path) == []

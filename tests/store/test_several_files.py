"""Several stores read as one: as if they had been written as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.codecs import Codec
from compress.codecs.float16 import Float16
from compress.errors import DataError, SchemaError, UsageError
from compress.labels import Labels
from compress.store.mapping import ConcatenatedRows
from compress.store.reader import Store, open_store
from tests.store.examples import DIM, NUM_CLASSES, embeddings, write_store


def ids(prefix: str, count: int) -> np.ndarray:
    return np.array([f"{prefix}{row}".encode() for row in range(count)])


def pair(tmp_path: Path, **second: object) -> Store:
    first = {
        "ids": ids("a", 4),
        "labels": Labels.from_lists([[1]] * 4, NUM_CLASSES),
        "splits": {"train": (0, 4)},
    }
    other = {
        "ids": ids("longer-b", 3),
        "labels": Labels.from_lists([[2, 3]] * 3, NUM_CLASSES),
        "splits": {"validate": (0, 3)},
    }
    write_store(tmp_path / "a.h5", **first)
    write_store(tmp_path / "b.h5", **{**other, **second})
    return open_store([tmp_path / "a.h5", tmp_path / "b.h5"])


def test_two_files_are_one_store(tmp_path: Path) -> None:
    store = pair(tmp_path)
    whole = np.concatenate([embeddings(4), embeddings(3)])
    assert len(store) == 7
    assert store.paths == (tmp_path / "a.h5", tmp_path / "b.h5")
    assert store.splits == {"train": range(4), "validate": range(4, 7)}
    assert store.id_bytes.tolist() == [*ids("a", 4), *ids("longer-b", 3)]
    assert np.array_equal(store.decode(2, 6), whole[2:6])
    assert np.array_equal(store.rows([6, 0, 3, 4, 6]), whole[[6, 0, 3, 4, 6]])
    assert [store.row_of(video_id) for video_id in ("a3", "longer-b0", "longer-b2")] == [3, 4, 6]
    assert store.labels is not None
    assert [store.labels[row].tolist() for row in range(7)] == [[1]] * 4 + [[2, 3]] * 3
    assert store.codes.shape == (7, DIM)


def test_the_order_of_the_files_is_part_of_what_they_are(tmp_path: Path) -> None:
    store = pair(tmp_path)
    turned = open_store(store.paths[::-1])
    assert store.sha256 != turned.sha256
    assert store.sha256 == open_store(store.paths, verify=False).sha256


def test_metadata_is_what_all_say(tmp_path: Path) -> None:
    store = pair(tmp_path, metadata={"encoder": "residual_cnn", "note": "other"})
    assert store.metadata == {"encoder": "residual_cnn"}


def test_adjacent_rows_of_one_split_join(tmp_path: Path) -> None:
    assert pair(tmp_path, splits={"train": (0, 2)}).splits == {"train": range(6)}


def test_a_split_in_pieces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="'train' is not one range"):
        _ = pair(tmp_path, splits={"train": (1, 3)}).splits


@pytest.mark.parametrize(
    ("second", "error", "message"),
    [
        ({"ids": ids("a", 3)}, DataError, "'a0' appears more than once"),
        ({"codec": Float16(DIM)}, SchemaError, "float16 of 4.*float32 of 4"),
        ({"labels": None}, SchemaError, "labels differ"),
        ({"labels": Labels.from_lists([[0]] * 3, 5)}, SchemaError, "labels differ"),
    ],
)
def test_stores_that_do_not_fit_together_are_refused(tmp_path: Path, second, error, message) -> None:
    with pytest.raises(error, match=message):
        pair(tmp_path, **second)


def test_int8_stores_with_their_own_calibration_are_refused(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        codec = Codec.fit("int8", embeddings(50, seed=seed))
        write_store(tmp_path / f"{name}.h5", codec=codec, ids=ids(name, 10))
    with pytest.raises(SchemaError, match="with its own calibration"):
        open_store([tmp_path / "a.h5", tmp_path / "b.h5"])


def test_concatenated_rows_index_like_the_concatenation() -> None:
    parts = [embeddings(3), embeddings(1, seed=1), embeddings(5, seed=2)]
    rows, whole = ConcatenatedRows(parts), np.concatenate(parts)
    assert rows.shape == whole.shape
    assert np.array_equal(np.asarray(rows), whole)
    for start in range(-1, 10):
        for stop in range(-1, 11):
            assert np.array_equal(rows[start:stop], whole[start:stop])
    assert np.array_equal(rows[1:8:3], whole[1:8:3])
    assert np.array_equal(rows[4], whole[4])
    assert np.array_equal(rows[-1], whole[-1])
    assert np.array_equal(rows[np.array([[8, 0], [3, 3]])], whole[np.array([[8, 0], [3, 3]])])
    mask = np.arange(9) % 4 == 1
    assert np.array_equal(rows[mask], whole[mask])
    with pytest.raises(IndexError):
        rows[np.array([9])]
    with pytest.raises(UsageError, match="a mask of shape"):
        rows[mask[:8]]


def test_rows_of_several_files_outside_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        pair(tmp_path).rows([7])

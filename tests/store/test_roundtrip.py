"""What is written is read, by us and by plain h5py, for every codec."""

from __future__ import annotations

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from compress.errors import NotFoundError, UsageError
from compress.store.reader import open_store
from tests.store.examples import DIM, NUM_CLASSES, contents, embeddings, write_store


@pytest.mark.parametrize("codec", ["float32", "float16", "int8", "int4", "binary", "rabitq", "rabitq3"])
def test_every_codec_round_trips(tmp_path: Path, codec: str) -> None:
    store = write_store(tmp_path / "a.h5", codec=codec)
    expected = contents(codec=codec)
    assert (len(store), store.dim, store.codec.name) == (10, DIM, codec)
    assert store.bytes_per_video == expected["codec"].bytes_per_video
    assert np.array_equal(store.id_bytes, expected["ids"])
    assert np.array_equal(store.codes, expected["codec"].encode(embeddings()))
    assert np.array_equal(store.decode(0, 10), expected["codec"].decode(store.codes))
    assert store.splits == {"train": range(6), "validate": range(6, 10)}
    assert list(store.splits) == ["train", "validate"]
    assert store.metadata == {"encoder": "residual_cnn", "note": "größer"}
    assert store.labels is not None
    assert store.labels.num_classes == NUM_CLASSES
    assert [list(store.labels[row]) for row in range(10)] == [list(range(row % 4)) for row in range(10)]
    assert os.listdir(tmp_path) == ["a.h5"]


def test_plain_h5py_reads_it(tmp_path: Path) -> None:
    write_store(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r") as file:
        assert file.userblock_size == 4096
        assert np.array_equal(file["embeddings"][:], embeddings())
        assert file["ids"].asstr()[3] == "vidéo-3"
        assert file["labels/indices"].dtype == np.int32
        assert file.attrs["codec"] == "float32"
        assert json.loads(file.attrs["splits"]) == {"train": [0, 6], "validate": [6, 10]}
        for name in ("embeddings", "ids", "labels/indptr"):
            assert file[name].chunks is None
            assert file[name].id.get_offset() % 64 == 0


def test_codes_are_mapped_not_read_and_cannot_be_written(tmp_path: Path) -> None:
    store = write_store(tmp_path / "a.h5")
    assert isinstance(store.codes, np.memmap)
    assert not store.codes.flags.writeable
    assert store.codes.flags.aligned


def test_an_unlabelled_store_has_no_labels(tmp_path: Path) -> None:
    assert write_store(tmp_path / "a.h5", labels=None).labels is None


def test_labels_may_all_be_empty(tmp_path: Path) -> None:
    labels = contents()["labels"].from_lists([[]] * 10, NUM_CLASSES)
    store = write_store(tmp_path / "a.h5", labels=labels)
    assert store.labels is not None
    assert store.labels.counts().tolist() == [0] * 10


def test_one_video_is_a_store(tmp_path: Path) -> None:
    assert np.array_equal(write_store(tmp_path / "a.h5", num_videos=1).decode(0, 1), embeddings(1))


def test_metadata_may_be_large(tmp_path: Path) -> None:
    metadata = {"shards": ["shard-ü" * 10] * 5000}
    assert write_store(tmp_path / "a.h5", metadata=metadata).metadata == metadata


def test_the_same_contents_give_the_same_bytes_in_any_blocks(tmp_path: Path) -> None:
    stores = [write_store(tmp_path / f"{block}.h5", block=block) for block in (1, 3, 4, 10)]
    assert len({store.path.read_bytes() for store in stores}) == 1
    assert len({store.sha256 for store in stores}) == 1


def test_rows_and_ranges_are_rows_of_the_whole(tmp_path: Path) -> None:
    store = write_store(tmp_path / "a.h5", codec="int8")
    whole = store.decode(0, 10)
    assert np.array_equal(store.decode(3, 7), whole[3:7])
    assert store.decode(4, 4).shape == (0, DIM)
    assert np.array_equal(store.rows([7, 0, 7]), whole[[7, 0, 7]])
    assert store.rows(np.zeros(0, np.int64)).shape == (0, DIM)


def test_big_ranges_are_decoded_in_chunks(tmp_path: Path, monkeypatch) -> None:
    store = write_store(tmp_path / "a.h5", codec="float16")
    whole, picked = store.decode(0, 10), store.rows([9, 1, 5, 5, 2])
    monkeypatch.setattr("compress.store.reader._CHUNK_VALUES", 3 * store.dim)
    assert np.array_equal(store.decode(0, 10), whole)
    assert np.array_equal(store.decode(2, 9), whole[2:9])
    assert np.array_equal(store.rows([9, 1, 5, 5, 2]), picked)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, 11), (5, 4)])
def test_ranges_outside_are_refused(tmp_path: Path, start: int, stop: int) -> None:
    with pytest.raises(UsageError, match=r"within \[0, 10\)|are not within"):
        write_store(tmp_path / "a.h5").decode(start, stop)


@pytest.mark.parametrize("row", [-1, 10])
def test_rows_outside_are_refused(tmp_path: Path, row: int) -> None:
    with pytest.raises(UsageError, match="not within"):
        write_store(tmp_path / "a.h5").rows([0, row])


@pytest.mark.parametrize(
    "rows", [[-1], [10], [1.7], [[1, 2]], [[1], [2, 3]], 3, ["1"], None, [True] * 9, [2**63]]
)
def test_rows_that_are_none_are_refused_in_one_sentence(tmp_path: Path, rows: object) -> None:
    with pytest.raises(UsageError, match="row"):
        write_store(tmp_path / "a.h5").rows(rows)


def test_a_mask_and_a_slice_select_rows(tmp_path: Path) -> None:
    store = write_store(tmp_path / "a.h5")
    mask = np.arange(10) % 3 == 1
    assert np.array_equal(store.rows(mask), embeddings()[mask])
    assert np.array_equal(store.rows(mask.tolist()), embeddings()[mask])
    assert np.array_equal(store.rows(slice(-3, None)), embeddings()[-3:])
    assert store.rows([]).shape == (0, DIM)


def test_ids_are_text_that_finds_its_row_again(tmp_path: Path) -> None:
    store = open_store(str(write_store(tmp_path / "a.h5").path))
    assert store.ids == [f"vidéo-{row}" for row in range(10)]
    assert [store.row_of(video_id) for video_id in store.ids] == list(range(10))


@pytest.mark.parametrize("quote", ["'", '"'])
def test_an_id_pasted_as_python_prints_its_bytes_is_recognised(tmp_path: Path, quote: str) -> None:
    store = write_store(tmp_path / "a.h5", ids=np.array([f"v{row}".encode() for row in range(10)]))
    with pytest.raises(NotFoundError, match="did you mean v3\\?"):
        store.row_of(f"b{quote}v3{quote}")


def test_every_video_is_found_by_its_id(tmp_path: Path) -> None:
    store = write_store(tmp_path / "a.h5")
    assert [store.row_of(f"vidéo-{row}") for row in range(10)] == list(range(10))
    assert [store.row_of(bytes(video_id)) for video_id in store.id_bytes] == list(range(10))


@pytest.mark.parametrize("many", [False, True])
def test_an_unknown_id_names_close_ones(tmp_path: Path, monkeypatch, many: bool) -> None:
    if many:
        monkeypatch.setattr("compress.store.reader._COMPARE_ALL", 2)
    with pytest.raises(NotFoundError, match=r"no video 'vidéo-33'; did you mean .*vidéo-3") as caught:
        write_store(tmp_path / "a.h5").row_of("vidéo-33")
    assert caught.value.exit_code == 66


@pytest.mark.parametrize("video_id", ["", "x" * 1000, b"vid\xc3\xa9o-3\0", "\ud800", b"\xff", "VIDÉO-3"])
def test_odd_ids_are_not_found_and_do_not_crash(tmp_path: Path, video_id: str | bytes) -> None:
    with pytest.raises(NotFoundError):
        write_store(tmp_path / "a.h5").row_of(video_id)


def test_an_older_store_stays_readable_while_and_after_it_is_replaced(tmp_path: Path) -> None:
    old = write_store(tmp_path / "a.h5")
    before = old.decode(0, 10)
    new = write_store(tmp_path / "a.h5", metadata={})
    assert new.metadata == {}
    assert np.array_equal(old.decode(0, 10), before)


def test_verify_false_opens_the_same_store(tmp_path: Path) -> None:
    sha256 = write_store(tmp_path / "a.h5").sha256
    assert open_store(tmp_path / "a.h5", verify=False).sha256 == sha256

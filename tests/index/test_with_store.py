"""Index and store together: what is on the disk is what is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.codecs import Codec
from compress.codecs.float32 import Float32
from compress.datasets.source import open_source
from compress.datasets.table import load_table
from compress.errors import DataError, LockedError
from compress.index import exact_neighbours, open_index
from compress.jobs.index import index_store
from compress.progress import silent
from compress.store.reader import Store, open_store
from compress.store.writer import open_writer
from compress.workspace import Workspace
from tests.index.building import build_index


def written(path: Path, embedding: np.ndarray, codec: str = "float32") -> Store:
    ids = np.array([f"vidéo-{row}".encode() for row in range(len(embedding))])
    splits = {"train": (0, len(embedding) // 2), "validate": (len(embedding) // 2, len(embedding))}
    chosen = Codec.fit(codec, embedding)
    with open_writer(path, ids=ids, labels=None, codec=chosen, splits=splits, metadata={}) as writer:
        writer.write(embedding)
        writer.finish()
    return open_store(path)


@pytest.mark.parametrize("codec", ["float32", "float16", "int8"])
def test_videos_of_a_store_are_found_by_their_ids(codec, clustered, tmp_path):
    store = written(tmp_path / "a.h5", clustered(900, 24), codec)
    summary = build_index(store, tmp_path / "a.index")
    index = open_index(tmp_path / "a.index", store=store)
    assert summary.recall_at_10 == 1.0
    assert index.search(store.rows([7])[0], 1)[0][0].video_id == "vidéo-7"
    assert np.array_equal(index.search(store.decode(0, 900), 1).rows[:, 0], np.arange(900))
    assert np.array_equal(
        index.search(store.decode(0, 40), 8).rows, exact_neighbours(store.rows(range(40)), store, 8)
    )


def test_the_neighbours_of_a_row_are_rows_of_the_store_when_a_split_was_indexed(clustered, tmp_path):
    store = written(tmp_path / "a.h5", clustered(900, 24))
    build_index(store, tmp_path / "a.index", split="validate", factory="IVF9,SQ8")
    row = store.row_of("vidéo-600")
    assert open_index(tmp_path / "a.index", store=store).search(store.rows([row])[0], 1)[0][0].row == row


def test_several_files_are_indexed_as_one_store(clustered, tmp_path):
    embedding = clustered(600, 8)
    first = written(tmp_path / "a.h5", embedding)
    ids = np.array([b"other-%d" % row for row in range(600)])
    codec = Float32(8)
    with open_writer(tmp_path / "b.h5", ids=ids, labels=None, codec=codec, splits={}, metadata={}) as writer:
        writer.write(-embedding)
        writer.finish()
    both = open_store([tmp_path / "a.h5", tmp_path / "b.h5"])
    build_index(both, tmp_path / "both.index")
    assert (
        open_index(tmp_path / "both.index", store=both).search(-embedding[3], 1)[0][0].video_id == "other-3"
    )
    with pytest.raises(DataError, match="another version"):
        open_index(tmp_path / "both.index", store=first)


def test_an_index_is_stale_once_its_store_was_written_again(clustered, tmp_path):
    store = written(tmp_path / "a.h5", clustered(300, 8))
    build_index(store, tmp_path / "a.index")
    open_index(tmp_path / "a.index", store=open_store(tmp_path / "a.h5"))
    again = written(tmp_path / "a.h5", clustered(300, 8, seed=1))
    with pytest.raises(DataError, match="run `compress index` again"):
        open_index(tmp_path / "a.index", store=again)


def test_real_videos_are_found_by_an_approximate_index(shared_data, tmp_path):
    source = open_source([str(shared_data / "yt8m-2018" / "train" / "validate000[0-3].tfrecord")])
    features = np.asarray(load_table(source).features)
    store = written(tmp_path / "real.h5", features)
    summary = build_index(
        store, tmp_path / "real.index", factory="IVF20,PQ288x4fs,Refine(SQ8)", recall_queries=300
    )
    assert summary.recall_at_10 >= 0.95
    rows = open_index(tmp_path / "real.index").search(features, 1).rows
    assert np.mean(rows[:, 0] == np.arange(len(features))) > 0.99


def test_two_commands_do_not_build_one_index_at_once(clustered, tmp_path):
    written(tmp_path / "a.h5", clustered(100, 8))

    def build(report=silent):
        return index_store(Workspace(tmp_path), name=str(tmp_path / "a.h5"), device="cpu", report=report)

    with pytest.raises(LockedError):
        build(lambda event: build())
    assert build().folder == tmp_path / "a.index"

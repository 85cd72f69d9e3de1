"""The sha256 that is computed while writing, against that of the finished file read from the disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from compress.artifacts import disk
from compress.codecs import Codec
from compress.errors import StorageError
from compress.store import writer as writing
from compress.store.reader import open_store
from compress.store.writer import RunningHash, StoreWriter, open_writer

ROWS, DIM = 50, 12
EMBEDDINGS = np.random.default_rng(0).standard_normal((ROWS, DIM)).astype(np.float32)


def opened(path: Path, codec: str = "float32") -> StoreWriter:
    return open_writer(
        path,
        ids=np.array([b"v%03d" % row for row in range(ROWS)]),
        labels=None,
        codec=Codec.fit(codec, EMBEDDINGS),
        splits={},
        metadata={},
    )


def write(writer: StoreWriter, stop: int = ROWS, step: int = 7) -> None:
    while writer.rows_done < stop:
        writer.write(EMBEDDINGS[writer.rows_done : min(writer.rows_done + step, stop)])


def hash_of_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()[4096:]).hexdigest()


@pytest.mark.parametrize("codec", ["float32", "float16", "int8"])
def test_the_hash_is_that_of_the_file_and_no_byte_is_read_back(codec, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "hash_after_user_block", lambda _: pytest.fail("the file was read"))
    with opened(tmp_path / "a.h5", codec) as writer:
        write(writer)
        writer.finish()
    monkeypatch.undo()
    assert open_store(tmp_path / "a.h5").sha256 == hash_of_file(tmp_path / "a.h5")


def test_a_write_that_failed_and_was_repeated_is_counted_once(tmp_path, monkeypatch):
    def refuse(descriptor: int) -> None:
        monkeypatch.undo()
        raise OSError(5, "no")

    with opened(tmp_path / "a.h5") as writer:
        write(writer, 14)
        monkeypatch.setattr(disk, "fdatasync", refuse)
        with pytest.raises(StorageError):
            writer.write(EMBEDDINGS[14:20])
        write(writer)
        writer.finish()
    assert open_store(tmp_path / "a.h5").sha256 == hash_of_file(tmp_path / "a.h5")


def test_a_block_that_its_caller_overwrites_afterwards_was_hashed_before(tmp_path):
    block = np.empty((10, DIM), np.float32)
    with opened(tmp_path / "a.h5") as writer:
        for first in range(0, ROWS, 10):
            block[:] = EMBEDDINGS[first : first + 10]
            writer.write(block)
        writer.finish()
    assert np.array_equal(open_store(tmp_path / "a.h5").decode(0, ROWS), EMBEDDINGS)


def test_a_store_that_is_continued_has_the_hash_of_the_whole_file(tmp_path):
    with opened(tmp_path / "a.h5") as writer:
        write(writer, 21)
    with opened(tmp_path / "a.h5") as writer:
        assert writer.rows_done == 21
        write(writer)
        writer.finish()
    assert open_store(tmp_path / "a.h5").sha256 == hash_of_file(tmp_path / "a.h5")


def test_pieces_that_were_begun_and_not_advanced_never_happened():
    running = RunningHash(b"start")
    running.start(memoryview(b"lost"))
    for piece in (b"one", b"two"):
        running.advance(running.start(memoryview(piece)))
    assert running.finish(b"end") == hashlib.sha256(b"startonetwoend").hexdigest()
    running.close()

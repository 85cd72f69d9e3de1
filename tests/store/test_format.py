"""The laid-out file: HDF5 writes nothing where the embeddings go, and the offset is the real one."""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np
import pytest

from compress.store.format import USER_BLOCK_BYTES, Contents, SparseFile, lay_out
from tests.store.examples import contents, embeddings


def example(**changes: Any) -> Contents:
    return Contents(**contents(**changes))


def test_the_pieces_leave_exactly_the_user_block_and_the_embeddings_free() -> None:
    layout = lay_out(example())
    (start, before), (rest, after) = layout.pieces
    assert start == USER_BLOCK_BYTES
    assert start + len(before) == layout.embeddings_offset
    assert layout.embeddings_bytes == embeddings().nbytes
    assert rest == layout.embeddings_offset + layout.embeddings_bytes
    assert rest + len(after) == layout.size


def test_a_huge_store_is_laid_out_in_little_memory() -> None:
    rows = 3_000_000
    ids = np.char.encode(np.arange(rows).astype("U7"))
    layout = lay_out(example(ids=ids, labels=None))
    assert layout.size > rows * 16
    assert sum(len(piece) for _, piece in layout.pieces) < rows * 7 + 10_000


def test_the_offset_counts_the_user_block(tmp_path) -> None:
    layout = lay_out(example())
    image = bytearray(layout.size)
    for offset, piece in layout.pieces:
        image[offset : offset + len(piece)] = piece
    stop = layout.embeddings_offset + layout.embeddings_bytes
    image[layout.embeddings_offset : stop] = embeddings().tobytes()
    (tmp_path / "a.h5").write_bytes(image)
    with h5py.File(tmp_path / "a.h5", "r") as file:
        assert np.array_equal(file["embeddings"][:], embeddings())
        assert file["embeddings"].id.get_offset() == layout.embeddings_offset


@pytest.mark.parametrize(
    "change",
    [{"metadata": {}}, {"codec": "int8"}, {"labels": None}, {"splits": {}}, {"num_videos": 9}],
)
def test_the_identity_depends_on_everything_but_the_embeddings(change: dict[str, Any]) -> None:
    assert lay_out(example()).identity == lay_out(example()).identity
    assert lay_out(example()).identity != lay_out(example(**change)).identity


def test_a_sparse_file_reads_like_a_file(tmp_path) -> None:
    random = np.random.default_rng(0)
    sparse = SparseFile()
    with (tmp_path / "real").open("w+b") as real:
        for _ in range(200):
            offset, length = (int(n) for n in random.integers(0, 300, size=2))
            data = random.bytes(length)
            for file in (sparse, real):
                file.seek(offset)
                file.write(data)
            start, length = (int(n) for n in random.integers(0, 400, size=2))
            assert sparse.seek(start) == real.seek(start)
            assert sparse.read(length) == real.read(length)
        assert sparse.seek(0, os.SEEK_END) == real.seek(0, os.SEEK_END) == sparse.size
        assert sparse.seek(-3, os.SEEK_CUR) == real.seek(-3, os.SEEK_CUR) == sparse.tell()
        assert sparse.read() == real.read()
        assert sparse.truncate(1000) == real.truncate(1000)
        assert sparse.seek(0, os.SEEK_END) == 1000

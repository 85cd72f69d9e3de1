"""What open_store says about files that are no finished store of this version."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from compress.errors import CorruptArtifactError, DataError, NotFoundError, UsageError
from compress.store.format import UserBlock, render_user_block
from compress.store.reader import open_store
from compress.store.writer import open_writer
from tests.store.examples import contents, embeddings, write_store


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"none\.h5: no such store; check the name") as caught:
        open_store(tmp_path / "none.h5")
    assert caught.value.exit_code == 66


def test_an_unfinished_encoding_is_named_as_such(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.h5", **contents()) as writer:
        writer.write(embeddings()[:5])
    with pytest.raises(NotFoundError, match="has not finished; run the same command again"):
        open_store(tmp_path / "a.h5")
    with pytest.raises(DataError, match="is a store that was not finished"):
        open_store(tmp_path / "a.h5.partial")


@pytest.mark.parametrize("data", [b"", b"\0", b"hello\n", b"{}\n", bytes(10_000), b"\x93NUMPY" + bytes(5000)])
def test_what_is_not_hdf5_is_told_so(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.h5").write_bytes(data)
    with pytest.raises(DataError, match="is not an HDF5 file"):
        open_store(tmp_path / "a.h5")


@pytest.mark.parametrize("userblock", [0, 512, 4096])
def test_foreign_hdf5_is_told_so(tmp_path: Path, userblock: int) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file.create_dataset("embeddings", data=np.zeros((300, 4), np.float32))
    if userblock:
        with path.open("r+b") as raw:
            raw.write(b"someone else's header")
    with pytest.raises(DataError, match="of another program, not a store of compress; use it as input"):
        open_store(path)


def test_a_newer_schema_version_names_both(tmp_path: Path) -> None:
    path = write_store(tmp_path / "a.h5").path
    data = path.read_bytes()
    path.write_bytes(render_user_block(UserBlock(len(data), "0" * 64), schema_version=7) + data[4096:])
    with pytest.raises(
        DataError, match="has schema version 7, this compress reads up to 1; upgrade compress"
    ):
        open_store(path)


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        open_store(tmp_path)


def test_a_store_that_lost_its_rest_is_corrupt(tmp_path: Path) -> None:
    path = write_store(tmp_path / "a.h5").path
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(CorruptArtifactError, match="cut off"):
        open_store(path)


def test_no_store_at_all_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no store"):
        open_store([])

"""A store that another program opened for writing: in use, marked, or changed, and the way back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from compress.errors import CorruptArtifactError, DataError, LockedError, MarkedStoreError, NotFoundError
from compress.store.format import USER_BLOCK_BYTES
from compress.store.reader import open_store
from compress.store.superblock import lookup3, repair
from compress.store.writer import open_writer
from tests.store.examples import contents, write_store

HOLD = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_store(tmp_path / "a.h5").path


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the store open for writing."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    with process:
        yield process
        process.kill()


def test_a_store_is_in_use_then_marked_and_comes_back_bit_for_bit(path: Path, holder):
    whole = path.with_name("copy.h5")
    whole.write_bytes(write_store(path.with_name("again.h5")).path.read_bytes())
    for refused in (open_store, repair):
        with pytest.raises(LockedError, match="is in use: another process has it open for writing"):
            refused(path)
    holder.kill()
    holder.wait()
    if path.read_bytes() == whole.read_bytes():
        pytest.skip("this version of HDF5 leaves no mark")
    with pytest.raises(MarkedStoreError, match="is whole, but another program opened it for writing") as told:
        open_store(path)
    assert told.value.hint == f"`compress data repair {path}` removes the mark"

    assert repair(path)
    assert path.read_bytes() == whole.read_bytes()
    assert len(open_store(path)) == 10
    assert not repair(path)


def mark(path: Path) -> None:
    """What HDF5 2.0 leaves behind, whatever the version that is installed."""
    data = bytearray(path.read_bytes())
    start = USER_BLOCK_BYTES
    data[start + 11] = 1
    data[start + 44 : start + 48] = lookup3(bytes(data[start : start + 44])).to_bytes(4, "little")
    path.write_bytes(data)


def test_the_checksum_is_the_one_that_hdf5_wrote(path: Path):
    superblock = path.read_bytes()[USER_BLOCK_BYTES:][:48]
    assert lookup3(superblock[:44]).to_bytes(4, "little") == superblock[44:]
    # Source: the self-test of Bob Jenkins' lookup3.c (driver5).
    assert lookup3(b"Four score and seven years ago") == 0x17770551


def test_half_a_repair_is_repaired_too(path: Path):
    before = path.read_bytes()
    mark(path)
    data = bytearray(path.read_bytes())
    data[USER_BLOCK_BYTES + 11] = 0  # the flag is cleared, its checksum is not yet
    path.write_bytes(data)
    assert repair(path)
    assert path.read_bytes() == before


def test_a_change_besides_the_mark_is_damage(path: Path):
    with h5py.File(path, "r+") as file:
        file["embeddings"][0, 0] = 7
    mark(path)
    for refused in (open_store, repair):
        with pytest.raises(CorruptArtifactError, match="does not match its sha256") as told:
            refused(path)
        assert type(told.value) is CorruptArtifactError


def test_a_store_that_another_program_made_longer_is_damage(path: Path):
    path.write_bytes(path.read_bytes() + b"more")
    for refused in (open_store, repair):
        with pytest.raises(CorruptArtifactError, match=r"bytes, .* were written"):
            refused(path)


def test_what_is_no_store_is_not_repaired(tmp_path: Path):
    (tmp_path / "b.h5").write_bytes(b"hello")
    with pytest.raises(NotFoundError):
        repair(tmp_path / "none.h5")
    with pytest.raises(DataError, match="is not an HDF5 file"):
        repair(tmp_path / "b.h5")


def test_a_store_that_is_being_written_says_by_whom(tmp_path: Path):
    with (
        open_writer(tmp_path / "a.h5", **contents()),
        pytest.raises(LockedError, match="is being written by process"),
    ):
        open_store(tmp_path / "a.h5")

"""HDF5 files of others: what makes HDF5 hang, crash or take memory is one line; Ctrl-C works at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from compress.doors import hdf5
from compress.doors.hdf5 import opened_hdf5
from compress.errors import CompressError, DataError, Interrupted
from compress.progress import clear_interrupt, request_interrupt

ROWS = 30


def with_ids(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["features"] = np.random.default_rng(0).normal(size=(ROWS, 6)).astype("f4")
        ids = np.array([f"id{row}" for row in range(ROWS)], dtype=object)
        file.create_dataset("ids", data=ids, dtype=h5py.string_dtype())
    return path


def hanging(path: Path) -> Path:
    """One flipped bit in the heap of the ids: HDF5 searches it without end."""
    data = bytearray(with_ids(path).read_bytes())
    data[data.index(b"GCOL") + 49] ^= 1 << 2
    path.write_bytes(data)
    return path


def read_all(path: Path) -> dict[str, np.ndarray]:
    with opened_hdf5(path) as (datasets, read):
        return {
            name: read(name, 0, found.shape[0] if found.shape else 1)
            for name, found in datasets.items()
            if found.dtype is not None
        }


def test_everything_is_read_as_h5py_reads_it(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file["plain"] = np.arange(12, dtype=">f8").reshape(4, 3)
        file.create_dataset("packed", data=np.arange(12).reshape(4, 3), compression="gzip", chunks=(2, 2))
        file["group/texts"] = np.array(["vidéo", "", "b c"], dtype=h5py.string_dtype())
        file["fixed"] = np.array([b"a", b"bc"])
        file["yes"] = np.array([True, False])
        file["number"] = 7
        file["none"] = np.zeros((0, 5), "f2")
        file["half"] = np.ones((2, 2), "f2")
    found = read_all(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert sorted(found) == sorted(
            ["plain", "packed", "group/texts", "fixed", "yes", "number", "none", "half"]
        )
        for name, array in found.items():
            expected = file[name][()]
            np.testing.assert_array_equal(array, expected)
            assert (array.shape, array.dtype) == (np.shape(expected), np.asarray(expected).dtype), name


def test_a_file_that_hdf5_does_not_come_to_an_end_with_is_damaged(tmp_path: Path):
    with pytest.raises(DataError, match=r"a\.h5: is damaged: HDF5 does not come to an end"):
        read_all(hanging(tmp_path / "a.h5"))
    assert len(read_all(with_ids(tmp_path / "b.h5"))["ids"]) == ROWS  # by another process


def test_a_stop_is_answered_while_hdf5_hangs(tmp_path: Path):
    path = hanging(tmp_path / "a.h5")
    threading.Timer(0.3, request_interrupt, [signal.SIGINT]).start()
    start = time.process_time()
    try:
        with pytest.raises(Interrupted):
            read_all(path)
    finally:
        clear_interrupt()
    assert time.process_time() - start < 1


def test_a_crash_of_hdf5_is_one_line_and_open_files_go_on(tmp_path: Path):
    path = with_ids(tmp_path / "a.h5")
    with opened_hdf5(path) as (_, read):
        assert read("ids", 0, 1).tolist() == [b"id0"]
        os.kill(hdf5._reader()._process.pid, signal.SIGSEGV)
        with pytest.raises(DataError, match=r"a\.h5: is damaged: HDF5 crashes on it \(exit code -11\)"):
            read("ids", 1, 2)
        assert read("ids", 1, 2).tolist() == [b"id1"]


def many_labels(file: h5py.File) -> None:
    file["features"] = np.zeros((20, 8), "f4")
    file["labels/indptr"] = np.array([0] * 20 + [2**42])
    file.create_dataset("labels/indices", (2**42,), "i4", chunks=(65536,))


def long_rows(file: h5py.File) -> None:
    file.create_dataset("features", (3, 2**29), "f4", chunks=(1, 65536))


def many_rows(file: h5py.File) -> None:
    file.create_dataset("features", (2**38, 10), "f4")


def large_chunk(file: h5py.File) -> None:
    file.create_dataset("features", (1, 2**28), "f4", chunks=(1, 2**28), maxshape=(None, 2**28))


@pytest.mark.parametrize("fill", [many_labels, long_rows, many_rows, large_chunk])
def test_a_small_file_cannot_claim_much(tmp_path: Path, fill: Callable[[h5py.File], None]):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        fill(file)
    with pytest.raises(DataError, match=r"claims [\d,]+ bytes, which a file of [\d,]+ bytes cannot hold"):
        read_all(tmp_path / "a.h5")


def test_a_group_in_itself_is_listed_once(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/x"] = np.ones(3)
        file["group/again"] = file["/"]
        file["group/itself"] = file["group"]
    assert list(read_all(tmp_path / "a.h5")) == ["group/x"]


def flipped(data: bytes, seed: int) -> bytes:
    """`data` with one flipped bit, mostly where HDF5 describes them, or cut off."""
    rng = np.random.default_rng(seed)
    if seed % 8 == 7:
        return data[: rng.integers(len(data))]
    at = int(rng.integers(min(len(data), 4096) if seed % 2 else len(data)))
    return data[:at] + bytes([data[at] ^ 1 << int(rng.integers(8))]) + data[at + 1 :]


@pytest.mark.parametrize("count", [40, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_damage_is_one_line_or_other_values(tmp_path: Path, version: str, count: int):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver=version) as file:
        file["features"] = np.zeros((ROWS, 6), "f4")
        file.create_dataset("packed", data=np.arange(60).reshape(20, 3), compression="gzip", fletcher32=True)
        file["ids"] = np.array([b"id%d" % row for row in range(ROWS)])
        file["texts"] = np.array(["a", "b"], dtype=h5py.string_dtype())
    data, codes = path.read_bytes(), list[int]()
    for seed in range(count):
        path.write_bytes(flipped(data, seed))
        try:
            read_all(path)
        except CompressError as error:
            codes.append(error.exit_code)
    assert set(codes) == {65}
    assert len(codes) > count // 20

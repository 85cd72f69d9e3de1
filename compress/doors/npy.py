"""Arrays in .npy and .npz files: no Python objects, and no more bytes than the file has or can unpack to."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from compress.artifacts import disk
from compress.doors.claims import check_at_once, check_claim, check_inside
from compress.doors.guard import guarded
from compress.errors import CompressError, DataError

ENDING = ".npy"
MAGIC = b"\x93NUMPY"
# Others are unpacked without a bound, or are encrypted; numpy writes these two.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Header:
    """What an array in npy format says of itself, before its first number."""

    shape: tuple[int, ...]
    by_column: bool
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        """Of all numbers; items without a size count as one byte, so that nothing is endless.

        0 where they are Python objects, which nobody reads.
        """
        if self.dtype.hasobject:
            return 0
        return math.prod(self.shape) * max(1, self.dtype.itemsize)


def read_header(file: IO[bytes]) -> Header:
    """Read the header at the start of a file, and leave it at the first number; call it inside `guarded`.

    Raises:
        ValueError: no such header.
    """
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    found = Header(*read(file))
    if not all(isinstance(size, int) and size >= 0 for size in found.shape):
        raise ValueError(f"its shape is {found.shape}")
    return found


def read_npy(
    path: Path,
    *,
    mapped: bool = False,
    kind: str = "an array of numbers in npy format",
    error: type[CompressError] = DataError,
    hint: str = "",
) -> np.ndarray:
    """The array in a .npy file, in memory or mapped from the disk.

    Args:
        path: the file.
        mapped: do not read it.
        kind, error, hint: see `guarded`.

    Raises:
        NotFoundError, StorageError: it cannot be read.
    """
    with disk.reading(path), guarded(path, kind, error=error, hint=hint):
        with path.open("rb") as file:
            found = read_header(file)
            size = path.stat().st_size
            if found.bytes > size - file.tell():
                raise ValueError(f"it claims {found.bytes:,} bytes, the file has {size:,}")
        array: np.ndarray = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return array


@contextmanager
def opened_npz(path: Path, kind: str = "a .npz file") -> Iterator[zipfile.ZipFile]:
    """A .npz file with members that can be unpacked in bounded memory; read them inside `guarded`."""
    with disk.reading(path), path.open("rb") as file:
        with guarded(path, kind):
            archive = zipfile.ZipFile(file)
            check_members(archive, path, path.stat().st_size)
        with archive:
            yield archive


def check_members(archive: zipfile.ZipFile, path: Path, size: int) -> None:
    """DataError if a member of an archive of `size` bytes claims too much, or is packed in an unusual way."""
    for member in archive.infolist():
        if member.compress_type not in _METHODS:
            raise DataError(f"'{member.filename}' is packed by an unknown method", where=path)
        check_inside(path, f"'{member.filename}'", member.compress_size, size)
    check_claim(path, "what it packs", sum(member.file_size for member in archive.infolist()), size)


def member_header(archive: zipfile.ZipFile, member: str) -> Header:
    """The header of an array in an archive; call it inside `guarded`.

    Raises:
        ValueError: it is no array, or of another size than its member.
    """
    with archive.open(member) as file:
        found = read_header(file)
        if found.bytes > archive.getinfo(member).file_size - file.tell():
            raise ValueError(f"'{member}' claims {found.bytes:,} bytes that it does not have")
    return found


def read_npz(
    source: Path | bytes,
    where: Path | None = None,
    *,
    kind: str = "a .npz file of plain arrays",
    error: type[CompressError] = DataError,
    hint: str = "",
) -> dict[str, np.ndarray]:
    """All arrays of a .npz file, in memory.

    Args:
        source: the file, or its bytes.
        where: the file that the bytes are of.
        kind, error, hint: see `guarded`.

    Raises:
        NotFoundError, StorageError: it cannot be read.
    """
    path = source if isinstance(source, Path) else where or Path()
    with disk.reading(path):
        file = path.open("rb") if isinstance(source, Path) else io.BytesIO(source)
    with file, guarded(path, kind, error=error, hint=hint):
        size = file.seek(0, io.SEEK_END)
        with zipfile.ZipFile(file) as archive:
            check_members(archive, path, size)
            headers: Mapping[str, Header] = {
                name: member_header(archive, name) for name in archive.namelist() if name.endswith(ENDING)
            }
        check_at_once(path, "it", sum(found.bytes for found in headers.values()), size)
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return {name.removesuffix(ENDING): arrays[name] for name in headers}

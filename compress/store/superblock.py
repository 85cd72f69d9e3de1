"""The mark that HDF5 leaves in a file which was open for writing, and the way back.

HDF5 2.0 sets a flag in the superblock (the first 48 bytes after the user block) when a program opens the file
for writing, and clears it when the file is closed. A program that is killed leaves the flag. Nothing else has
changed then: with the flag cleared, the file has the sha256 that its user block promises.

Source: HDF5 File Format Specification 3.0, section II.A (superblock version 2: flags at byte 11, checksum at
byte 44); Bob Jenkins, lookup3.c, 2006 (the checksum).
"""

from __future__ import annotations

import fcntl
import os
import shlex
import struct
from pathlib import Path
from typing import BinaryIO

from compress.artifacts import disk
from compress.artifacts.lock import exclusive
from compress.errors import CompressError, CorruptArtifactError, LockedError, MarkedStoreError
from compress.store.format import USER_BLOCK_BYTES, UserBlock, parse_user_block
from compress.store.writer import hash_after_user_block

_BYTES, _VERSION_AT, _FLAGS_AT, _CHECKSUM_AT = 48, 8, 11, 44
_MASK = 0xFFFFFFFF
_RERUN = "encode it again, or restore it from a copy"


def why_changed(file: BinaryIO, path: Path, block: UserBlock) -> CompressError:
    """What to tell about an open store that is not what its user block promises.

    Returns:
        LockedError: another process has it open for writing right now.
        MarkedStoreError: only HDF5's mark is left in it.
        CorruptArtifactError: it was changed.
    """
    descriptor = file.fileno()
    if _is_locked(descriptor):
        return LockedError(
            "is in use: another process has it open for writing",
            where=path,
            hint="close it there; to read a store, h5py.File(path, 'r') is enough",
        )
    size = os.fstat(descriptor).st_size
    if size != block.bytes:
        return CorruptArtifactError(
            f"has {size:,} bytes, {block.bytes:,} were written", where=path, hint=_RERUN
        )
    if _without_mark(descriptor, block) is not None:
        return MarkedStoreError(
            "is whole, but another program opened it for writing and did not close it",
            where=path,
            hint=f"`compress data repair {shlex.quote(str(path))}` removes the mark",
        )
    return CorruptArtifactError("does not match its sha256: it was changed", where=path, hint=_RERUN)


def repair(path: Path) -> bool:
    """Remove HDF5's mark from a store; False where there is none. The file is verified before and after.

    Raises:
        NotFoundError, DataError: no such file, or not a store.
        LockedError: another process has it open for writing.
        CorruptArtifactError: more was changed than the mark.
        StorageError: it cannot be written.
    """
    with disk.reading(path, "no such store"), path.open("rb") as file:
        block = parse_user_block(file.read(USER_BLOCK_BYTES + 8), path)
        intact = os.fstat(file.fileno()).st_size == block.bytes
        if intact and hash_after_user_block(file.fileno()) == block.sha256:
            return False
        clean = _without_mark(file.fileno(), block) if intact else None
        if clean is None or _is_locked(file.fileno()):
            raise why_changed(file, path, block)
    with exclusive(path), disk.storage_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            # A part of one sector of the disk: written whole or not at all, and can be repaired again.
            disk.write_at(descriptor, clean, USER_BLOCK_BYTES)
            disk.fsync(descriptor)
        finally:
            os.close(descriptor)
    return True


def _is_locked(descriptor: int) -> bool:
    """Whether a program has the open file locked, as HDF5 does while it writes."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _without_mark(descriptor: int, block: UserBlock) -> bytes | None:
    """The superblock without its mark, if the file is then what `block` promises; else None."""
    found = os.pread(descriptor, _BYTES, USER_BLOCK_BYTES)
    if len(found) < _BYTES or found[_VERSION_AT] != 2:
        return None
    start = found[:_FLAGS_AT] + b"\0" + found[_FLAGS_AT + 1 : _CHECKSUM_AT]
    clean = start + struct.pack("<I", lookup3(start))
    return clean if hash_after_user_block(descriptor, clean) == block.sha256 else None


def lookup3(data: bytes) -> int:
    """Bob Jenkins' hash of at least one byte, started with 0: the checksum of HDF5's metadata."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    padded = data + bytes(-len(data) % 12)
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    for at in range(0, len(words), 3):
        a, b, c = (a + words[at]) & _MASK, (b + words[at + 1]) & _MASK, (c + words[at + 2]) & _MASK
        if at + 3 < len(words):
            for bits in (4, 6, 8, 16, 19, 4):
                a, c = ((a - c) & _MASK) ^ _rotated(c, bits), (c + b) & _MASK
                a, b, c = b, c, a
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _rotated(b, bits)) & _MASK
        a, b, c = b, c, a
    return b


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _MASK

"""The attributes of a store, read without HDF5.

Their texts are of any length, so HDF5 keeps them in a heap, and a damaged heap makes it search without end.
Stores are written by one version of the format only, so these few structures suffice.

Source: HDF5 File Format Specification 3.0: II.A (superblock version 2), III.E (global heap), IV.A.1.b (object
header version 2), IV.A.2.m (attribute message version 3).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from compress.doors.guard import guarded
from compress.errors import CorruptArtifactError
from compress.store.format import USER_BLOCK_BYTES

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_CONTINUATION, _ATTRIBUTE = 16, 12
_INTEGER, _ANY_LENGTH = 0, 9  # classes of types
_LARGEST_PIECE, _MOST_CHUNKS = 1 << 28, 64
_CHECKSUM_BYTES = 4


def read_attributes(descriptor: int, path: Path) -> dict[str, int | str]:
    """The attributes of an open store: whole numbers of 64 bits, and texts.

    Raises:
        CorruptArtifactError: it has others, or is damaged.
    """
    with guarded(path, "a store: its attributes", error=CorruptArtifactError):
        return dict(_Reader(descriptor).attributes())


class _Reader:
    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._size = descriptor, os.fstat(descriptor).st_size

    def attributes(self) -> Iterator[tuple[str, int | str]]:
        superblock = self._bytes(0, 48)
        if not superblock.startswith((_SIGNATURE + b"\2\x08\x08", _SIGNATURE + b"\3\x08\x08")):
            raise ValueError("it has another superblock")
        (root,) = struct.unpack_from("<Q", superblock, 36)
        for kind, message in self._messages(root):
            if kind == _ATTRIBUTE:
                yield self._attribute(message)

    def _messages(self, root: int) -> Iterator[tuple[int, bytes]]:
        """(type, contents) of every message of the root group's header."""
        start = self._bytes(root, 6)
        if start[:5] != b"OHDR\x02":
            raise ValueError("it has another object header")
        flags, width = start[5], 1 << (start[5] & 3)
        at = root + 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)
        length = int.from_bytes(self._bytes(at, width), "little")
        chunks = [self._bytes(at + width, length)]
        for number, chunk in enumerate(chunks):  # it grows
            if number == _MOST_CHUNKS:
                raise ValueError("its header has no end")
            for kind, message in _split(chunk, 6 if flags & 4 else 4):
                if kind == _CONTINUATION:
                    place, size = struct.unpack("<QQ", message[:16])
                    chunks.append(self._bytes(place, size)[4:-_CHECKSUM_BYTES])
                yield kind, message

    def _attribute(self, message: bytes) -> tuple[str, int | str]:
        version, flags, name_size, type_size, space_size = struct.unpack_from("<BBHHH", message)
        if version != 3 or flags:
            raise ValueError("an attribute is of another version")
        parts, at = [], 9
        for size in (name_size, type_size, space_size):
            parts.append(message[at : at + size])
            at += size
        name, kind, space = parts
        if len(space) < 4 or space[1] or space[3]:
            raise ValueError("an attribute is not one value")
        called, kind_class = name.rstrip(b"\0").decode(), kind[0] & 15
        if kind_class == _INTEGER and kind[4:8] == b"\x08\0\0\0":
            return called, int(struct.unpack_from("<q", message, at)[0])
        if kind_class == _ANY_LENGTH and kind[1] & 15 == 1:
            length, heap, index = struct.unpack_from("<IQI", message, at)
            return called, self._from_heap(heap, index)[:length].decode() if length else ""
        raise ValueError(f"attribute {called} is neither a whole number nor a text")

    def _from_heap(self, heap: int, index: int) -> bytes:
        head = self._bytes(heap, 16)
        if head[:5] != b"GCOL\x01":
            raise ValueError("a text is not in a heap")
        data, at = self._bytes(heap, struct.unpack_from("<Q", head, 8)[0]), 16
        while at + 16 <= len(data):
            found, size = struct.unpack_from("<H6xQ", data, at)
            if found == index:
                if not found or size > len(data) - at - 16:
                    break
                return data[at + 16 : at + 16 + size]
            at += 16 + (size + 7) // 8 * 8
        raise ValueError("a text is not in its heap")

    def _bytes(self, at: int, length: int) -> bytes:
        """Bytes at an address, which counts from the end of the user block."""
        if length > _LARGEST_PIECE or at + length > self._size - USER_BLOCK_BYTES:
            raise ValueError("something lies behind its end")
        return os.pread(self._descriptor, length, USER_BLOCK_BYTES + at)


def _split(chunk: bytes, header: int) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + header <= len(chunk):
        kind, size = struct.unpack_from("<BH", chunk, at)
        yield kind, chunk[at + header : at + header + size]
        at += header + size

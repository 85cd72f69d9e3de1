"""Shards that are compressed as a whole, with gzip or zlib: recognised by their bytes, read as a stream."""

from __future__ import annotations

import zlib
from typing import BinaryIO, Protocol

ENDLESS = 1 << 62
"""The size of what is not known before its end."""

MOST_INFLATED = 1032
"""One byte becomes so many at most (zlib's technical details)."""

START_BYTES = 1 << 12
"""From so many bytes of a file its compression is told."""

_PACKED_BYTES, _PIECE_BYTES = 1 << 14, 1 << 16
_GZIP = b"\x1f\x8b\x08"
_ANY_HEADER = zlib.MAX_WBITS | 32  # zlib's or gzip's
_HEADER_BYTES = 12


class DamagedStream(Exception):
    """Compressed data that cannot be decompressed any further; the reader of the shard names the place."""


def is_compressed(start: bytes) -> bool:
    """Whether a file is gzip's or zlib's.

    Args:
        start: its first START_BYTES bytes, or all of it. zlib has no magic number, so these must decompress.
    """
    if start.startswith(_GZIP):
        return True
    if len(start) < 2 or start[0] & 15 != zlib.DEFLATED or int.from_bytes(start[:2], "big") % 31:
        return False
    try:
        return len(zlib.decompressobj().decompress(start, _HEADER_BYTES)) == _HEADER_BYTES
    except zlib.error:
        return False


class Stream(Protocol):
    """An open file, or what is read like one."""

    def read(self, size: int, /) -> bytes: ...

    def readinto(self, buffer: memoryview, /) -> int | None: ...

    def seek(self, offset: int, /) -> int: ...


class Inflated:
    """The decompressed bytes of an open file, read in bounded memory; members of a gzip file are joined.

    Args:
        packed: at its start. It stays open.

    Attributes:
        at_end: everything was read, and every checksum is right.
    """

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._restart()

    def seek(self, offset: int, /) -> int:
        """Go to `offset` of the decompressed bytes: forwards by reading, backwards from the start again."""
        if offset < self._position:
            self._packed.seek(0)
            self._restart()
        while self._position < offset and self._next(offset - self._position):
            pass
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill a part of `buffer`; 0 at the end.

        Raises:
            DamagedStream: the rest cannot be decompressed, or a checksum is wrong.
        """
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int, /) -> bytes:
        """`size` bytes, fewer at the end; see `readinto`."""
        pieces, missing = [], size
        while missing and (data := self._next(missing)):
            pieces.append(data)
            missing -= len(data)
        return b"".join(pieces)

    def _restart(self) -> None:
        self._inflate = zlib.decompressobj(_ANY_HEADER)
        self._waiting = b""  # compressed bytes that were read from the file
        self._ready, self._taken = b"", 0  # decompressed bytes, and how many of them were given away
        self._position, self._damage, self.at_end = 0, "", False

    def _next(self, most: int) -> bytes:
        """At least one byte and at most `most`; none at the end."""
        if self._taken == len(self._ready):
            self._ready, self._taken = self._inflated(), 0
        data = self._ready[self._taken : self._taken + most]
        self._taken += len(data)
        self._position += len(data)
        return data

    def _inflated(self) -> bytes:
        """The next piece. Where it ends does not depend on what is asked for, nor does what damage costs."""
        while not self.at_end:
            if self._damage:
                raise DamagedStream(self._damage)
            if not self._waiting:
                self._waiting = self._packed.read(_PACKED_BYTES)
            file_ended = not self._waiting
            if self._inflate.eof:
                self._waiting = self._waiting.lstrip(b"\0")  # gzip allows zeros behind a member
                if self._waiting:
                    self._inflate = zlib.decompressobj(_ANY_HEADER)
                self.at_end = file_ended
                continue
            try:
                data = self._inflate.decompress(self._waiting, _PIECE_BYTES)
            except zlib.error as error:
                self._damage = f"the compressed data are damaged ({error})"
                continue
            self._waiting = self._inflate.unconsumed_tail or self._inflate.unused_data
            if data:
                return data
            if file_ended and not self._inflate.eof:
                self._damage = "the compressed data end early"
        return b""

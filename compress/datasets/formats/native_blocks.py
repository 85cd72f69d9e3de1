"""Reads shards into blocks with C code; records that it does not fully understand are read by Python.

So all defects are handled in one place, the Python code. C only accepts records without any defect, and both
give the same blocks.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BufferedReader, FileIO
from pathlib import Path

import numpy as np

from compress.datasets.formats.compressed import ENDLESS, MOST_INFLATED, DamagedStream, Inflated, Stream
from compress.datasets.formats.framing import FOOTER_BYTES, HEADER_BYTES, RawRecord, opened, records_from
from compress.datasets.formats.layout import Layout
from compress.datasets.formats.native_buffers import (
    BLOCK_FULL,
    DAMAGED,
    NEEDS_BYTES,
    REFUSED,
    Arrays,
    ChunkStruct,
    schema_struct,
)
from compress.datasets.policy import Policy
from compress.datasets.record import Block, Record

# The size of the second-level cache of a core, or of a few frame-level records.
_BUFFER_BYTES = {"video": 256 << 10, "frame": 2 << 20}
# Larger records are read by Python.
_LARGEST_RECORD = 64 << 20


class BlockReader:
    """Reads one shard at a time with the C `library`; reuse it for the next shard, as it keeps its arrays."""

    def __init__(self, library: ctypes.CDLL, layout: Layout) -> None:
        self._library, self._schema = library, (schema := layout.schema)
        self._struct = schema_struct(layout)
        self._arrays = Arrays(schema)
        self._chunk = ChunkStruct()
        self._buffer = np.empty(_BUFFER_BYTES[schema.level], dtype=np.uint8)

    def read(
        self, shard: Path, videos: int, policy: Policy, parse: Callable[[RawRecord], Record | None]
    ) -> Iterator[Block]:
        """The blocks of a shard, of `videos` videos each but the last; each is overwritten by the next.

        Args:
            policy: for damaged records.
            parse: bytes -> record, None when the policy leaves it out.
        """
        with opened(shard) as (buffered, size):
            file = buffered
            if isinstance(buffered, BufferedReader):
                file = FileIO(buffered.fileno(), closefd=False)  # no second buffer
            largest = size if size != ENDLESS else MOST_INFLATED * shard.stat().st_size
            most = largest // self._smallest_record() + 1
            self._arrays.start(min(videos, most))
            self._seek(file, 0, 0, size)
            while self._chunk.remaining:
                state = self._library.read_chunk(self._chunk, self._struct, self._arrays.struct)
                if state == BLOCK_FULL:
                    yield self._arrays.block()
                    self._arrays.start(min(videos, most))
                elif state == REFUSED:
                    self._append(parse(self._refused(size)))
                elif state == DAMAGED or (state == NEEDS_BYTES and not self._fill(file)):
                    self._pass_damage(file, shard, size, policy, parse)
                elif state != NEEDS_BYTES:
                    self._arrays.grow(state)
        if len(self._arrays):
            yield self._arrays.block()

    def _smallest_record(self) -> int:
        value = 4 if self._schema.level == "video" else 1
        return HEADER_BYTES + value * self._schema.dim + FOOTER_BYTES

    def _seek(self, file: Stream, offset: int, index: int, size: int) -> None:
        with suppress(DamagedStream):  # reading on says so again
            file.seek(offset)
        self._chunk.at = self._chunk.size = 0
        self._chunk.bytes = self._buffer.ctypes.data
        self._chunk.index, self._chunk.remaining = index, max(0, size - offset)

    def _fill(self, file: Stream) -> bool:
        """Read more bytes behind the unused ones; False at the end, or when the record is too large."""
        chunk, needed = self._chunk, self._chunk.needed
        if needed > _LARGEST_RECORD:
            return False
        rest = self._buffer[chunk.at : chunk.size]
        if needed > len(self._buffer):
            self._buffer = np.empty(2 * needed, dtype=np.uint8)
        self._buffer[: len(rest)] = rest
        more = 0
        with suppress(DamagedStream):  # Python reads it again, and says what is wrong
            more = file.readinto(self._buffer[len(rest) :].data) or 0
        chunk.bytes, chunk.at, chunk.size = self._buffer.ctypes.data, 0, len(rest) + more
        if not more and not len(rest) and isinstance(file, Inflated) and file.at_end:
            chunk.remaining = 0
            return True
        return more > 0

    def _refused(self, size: int) -> RawRecord:
        """The record that C does not understand; moves on to the next one."""
        chunk = self._chunk
        start = chunk.at + HEADER_BYTES
        data = self._buffer[start : start + chunk.data_size].tobytes()
        raw = RawRecord(size - chunk.remaining, chunk.index, data)
        chunk.at += chunk.needed
        chunk.remaining -= chunk.needed
        chunk.index += 1
        return raw

    def _pass_damage(
        self,
        file: Stream,
        shard: Path,
        size: int,
        policy: Policy,
        parse: Callable[[RawRecord], Record | None],
    ) -> None:
        """Skip damage up to the next intact record or the end, as the policy says."""
        offset = size - self._chunk.remaining
        raw = next(records_from(shard, policy, offset, self._chunk.index, size), None)
        if raw is None:
            self._chunk.remaining = 0
            return
        self._append(parse(raw))
        self._seek(file, raw.offset + HEADER_BYTES + len(raw.data) + FOOTER_BYTES, raw.index + 1, size)

    def _append(self, record: Record | None) -> None:
        if record is not None:
            self._arrays.append(record)

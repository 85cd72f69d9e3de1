"""The TFRecord framing: for each record length u64, masked CRC32C of it, data, masked CRC32C of the data.

Both checksums are always verified: without them, a flipped bit becomes a wrong value or, in the length, a
huge allocation. A shard may be compressed as a whole with gzip or zlib, as TensorFlow does it. A file cut
exactly between two records cannot be recognised by its format; the fingerprint of the source tells it from
the whole one.

Source: tensorflow/core/lib/io/record_writer.h (masking: rotate right by 15, add 0xa282ead8).
"""

from __future__ import annotations

import filecmp
import os
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path

from crc32c import crc32c
from google.protobuf.message import DecodeError

from compress.artifacts import disk
from compress.artifacts.atomic import replacing
from compress.datasets import features_pb2 as messages
from compress.datasets.formats.compressed import (
    ENDLESS,
    START_BYTES,
    DamagedStream,
    Inflated,
    Stream,
    is_compressed,
)
from compress.datasets.policy import FAIL, Policy, SkippedRecord
from compress.errors import CorruptShardError, DataError, UsageError

_HEADER = struct.Struct("<QI")
_CRC = struct.Struct("<I")
HEADER_BYTES, FOOTER_BYTES = _HEADER.size, _CRC.size
_MASK_DELTA = 0xA282EAD8
_BUFFER_BYTES = 1 << 20
OTHER_FOLDER = "choose another folder"
LARGEST_RECORD = 1 << 31
"""Bytes of a record, framing included; protobuf allows no larger message."""
_LARGEST_UNPACKED = 256 << 20  # of a compressed shard, whose size says nothing about its records
_LARGEST_MESSAGE = 1 << 28
_MESSAGE_STARTS = (b"\x0a", b"\x12")  # the tags of the two fields of a SequenceExample


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record as stored: where it starts, its number in the shard (from 0), and its bytes.

    Of a compressed shard, the offset counts decompressed bytes. `is_bare`: it is the whole file, unframed.
    """

    offset: int
    index: int
    data: bytes
    is_bare: bool = False


def masked_crc(data: bytes) -> int:
    """The checksum that TFRecord stores for `data`."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def frame(data: bytes) -> bytes:
    """`data` with its header and footer, as it is stored in a shard."""
    length = struct.pack("<Q", len(data))
    return length + _CRC.pack(masked_crc(length)) + data + _CRC.pack(masked_crc(data))


def read_records(path: Path, on_corrupt: Policy = FAIL) -> Iterator[RawRecord]:
    """Every intact record of a shard, in order, with bounded memory (one record).

    Args:
        path: the shard.
        on_corrupt: what to do with a damaged record. Reading goes on behind it only when its length is
            intact; otherwise the rest of the shard is left out as one piece, without guessing.

    Raises:
        CorruptShardError: a checksum is wrong or the shard ends early (policy "fail").
        NotFoundError: no such file.
        StorageError: the file cannot be read.
    """
    with opened(path) as (shard, size):
        yield from _records(path, shard, size, on_corrupt)


def records_from(path: Path, policy: Policy, offset: int, index: int, size: int) -> Iterator[RawRecord]:
    """As `read_records`, from `offset`, where record `index` starts.

    `size` is that of the shard when reading began, so that a shard that became shorter is an error.
    """
    with opened(path) as (shard, _):
        with suppress(DamagedStream):  # reading on says so again
            shard.seek(offset)
        yield from _records(path, shard, size, policy, offset, index)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Stream, int]]:
    """A shard open for reading, decompressed where it is compressed, and its size in bytes.

    The size of a compressed one is `ENDLESS`: nobody knows it before the end. Reading raises `DamagedStream`
    where the compressed data are damaged.

    Raises:
        NotFoundError, StorageError: it cannot be read.
    """
    with disk.reading(path, "no such shard"), BufferedReader(FileIO(path), _BUFFER_BYTES) as shard:
        start = shard.read(START_BYTES)
        shard.seek(0)
        if is_compressed(start):
            yield Inflated(shard), ENDLESS
        else:
            yield shard, os.fstat(shard.fileno()).st_size


def _records(
    path: Path, shard: Stream, size: int, policy: Policy, offset: int = 0, index: int = 0
) -> Iterator[RawRecord]:
    while offset < size:
        try:
            header = shard.read(HEADER_BYTES)
            if not header and size == ENDLESS and offset:
                return
            reason, length = _check_header(header, offset, size - offset)
            if reason == NO_TFRECORD and (bare := _bare_message(header, shard)):
                yield RawRecord(0, 0, bare, is_bare=True)
                return
            if not reason:
                data, footer = shard.read(length), shard.read(FOOTER_BYTES)
                if len(data) < length or len(footer) < FOOTER_BYTES:
                    cut = "ends early" if size == ENDLESS else "was cut while reading it"
                    reason = f"the shard {cut}, {length} bytes of data expected"
        except DamagedStream as error:
            reason = str(error)
        if reason:
            _leave_out_rest(policy, path, index, offset, size, reason)
            return
        (expected,) = _CRC.unpack(footer)
        crc = crc32c(data)
        # masked_crc, inlined: saves a call for each of millions of records
        if ((((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF) == expected:
            yield RawRecord(offset, index, data)
        else:
            _leave_out_record(policy, path, index, offset, (header, data, footer))
        offset += HEADER_BYTES + length + FOOTER_BYTES
        index += 1


def _bare_message(header: bytes, shard: Stream) -> bytes:
    """The whole file, if it is one serialised SequenceExample without framing, as MediaPipe writes it."""
    if header[:1] not in _MESSAGE_STARTS:
        return b""
    data = header + shard.read(_LARGEST_MESSAGE)
    try:
        message = messages.SequenceExample.FromString(data)
    except DecodeError:
        return b""
    return data if message.context.feature or message.feature_lists.feature_list else b""


NO_TFRECORD = "not a TFRecord file, or damaged in its first bytes"
_SKIP_HINT = "fetch it again, or leave damaged records out with --on-corrupt skip or --on-corrupt quarantine"


def _check_header(header: bytes, offset: int, remaining: int) -> tuple[str, int]:
    """What is wrong with a header ("" if nothing) and the length it claims."""
    if len(header) < HEADER_BYTES:
        reason = f"the shard ends inside a header, {remaining} of {HEADER_BYTES} bytes are there"
        return reason if offset else NO_TFRECORD, 0
    length, stored = _HEADER.unpack(header)
    if not offset and masked_crc(header[:8]) != stored:
        return NO_TFRECORD, 0
    if masked_crc(header[:8]) != stored:
        return f"length checksum is {masked_crc(header[:8]):08x}, stored is {stored:08x}", 0
    largest = LARGEST_RECORD if remaining < ENDLESS >> 1 else _LARGEST_UNPACKED
    present = min(remaining, largest) - HEADER_BYTES - FOOTER_BYTES
    if length > present:  # checked before anything of that size is allocated
        return f"the shard ends early, the record claims {length} bytes but {max(present, 0)} are left", 0
    return "", length


def _leave_out_record(
    policy: Policy, path: Path, index: int, offset: int, pieces: tuple[bytes, bytes, bytes]
) -> None:
    _, data, footer = pieces
    reason = f"data checksum is {masked_crc(data):08x}, stored is {_CRC.unpack(footer)[0]:08x}"
    error = CorruptShardError(reason, where=path, offset=offset, record=index, hint=_SKIP_HINT)
    skipped = SkippedRecord(path, index, offset, sum(map(len, pieces)), reason)
    policy.leave_out(skipped, error, lambda: pieces)


def _leave_out_rest(policy: Policy, path: Path, index: int, offset: int, size: int, reason: str) -> None:
    # Of a compressed shard the whole file is kept: its rest alone could not be decompressed.
    start = 0 if size == ENDLESS else offset
    lost = path.stat().st_size if size == ENDLESS else size - offset
    rest = "what comes after" if size == ENDLESS else f"the last {lost} bytes of the shard"
    what, hint = f"{reason}; {rest} cannot be read", _SKIP_HINT
    if reason == NO_TFRECORD:
        what = reason
        hint = "fetch it again; arrays are recognised by their suffix, such as .npy, .h5 or .parquet"
    error = CorruptShardError(what, where=path, offset=offset, record=index, hint=hint)
    skipped = SkippedRecord(path, index, offset, lost, reason, rest_of_shard=True)
    policy.leave_out(skipped, error, lambda: _pieces(path, start))


def _pieces(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as shard:
        shard.seek(offset)
        while piece := shard.read(_BUFFER_BYTES):
            yield piece


def write_records(path: Path, records: Iterable[bytes], *, replace: bool = True) -> int:
    """Write a shard atomically: it appears whole or not at all.

    Args:
        path: the shard; its folder exists.
        records: serialised messages, each below 2 GiB.
        replace: False keeps a file that is there and holds anything else.

    Returns:
        How many records were written.

    Raises:
        DataError: there is no record; an empty shard cannot be told from a lost one.
        UsageError: another file is there, and is not to be replaced.
        StorageError: the disk refuses.
    """
    count = 0
    with replacing(path) as unfinished, unfinished.open("wb") as shard:
        for data in records:
            shard.write(frame(data))
            count += 1
        shard.flush()
        if not count:
            raise DataError("no records to write", where=path)
        if not replace and path.exists() and not filecmp.cmp(path, unfinished, shallow=False):
            raise UsageError(
                "is there already and holds other records",
                where=path,
                hint=f"{OTHER_FOLDER}, or give --replace",
            )
    return count


def refuse_more_shards(folder: Path, prefix: str, paths: Sequence[Path]) -> None:
    """UsageError if a folder holds shards `<prefix>NNNN.tfrecord` besides `paths`, to be read as one set."""
    older = re.compile(re.escape(prefix) + r"[0-9]{4,}\.tfrecord")
    present = {path for path in folder.glob("*.tfrecord") if older.fullmatch(path.name)}
    if left := sorted(present - set(paths)):
        raise UsageError(
            f"the folder holds {len(left)} more shards of '{prefix}', such as {left[0].name}",
            where=folder,
            hint=f"remove them, or {OTHER_FOLDER}",
        )

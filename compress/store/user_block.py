"""The first 4096 bytes of a store, which HDF5 skips: one JSON line about the rest of the file, then zeros.

The line carries its own CRC32C, and the whole block is compared with what we would write: no bit of it can
change unseen. Every schema version keeps this form and its fields `format`, `schema_version` and `crc32c`, so
that an old reader can name a newer one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crc32c import crc32c

from compress.errors import CorruptArtifactError, DataError

SIZE = 4096
SCHEMA_VERSION = 1
FORMAT = "compress-store"
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HINT = "encode it again, or restore it from a copy"


@dataclass(frozen=True)
class UserBlock:
    """What the block says: size of the whole file in bytes, sha256 (hex) of everything after the block."""

    bytes: int
    sha256: str


def render(block: UserBlock, schema_version: int = SCHEMA_VERSION) -> bytes:
    """The 4096 bytes."""
    fields = {
        "format": FORMAT,
        "schema_version": schema_version,
        "bytes": block.bytes,
        "sha256": block.sha256,
    }
    return _with_checksum(fields)


def parse(data: bytes, path: Path) -> UserBlock:
    """The block of a finished store.

    Args:
        data: the first 4096 + 8 bytes of the file, or fewer: HDF5's signature follows the block.
        path: named in errors.

    Raises:
        DataError: not a store, an unfinished one, or one of a newer schema version.
        CorruptArtifactError: a store whose block was changed.
    """
    fields = _fields(data[:SIZE])
    if fields is None or _with_checksum(fields) != data[:SIZE]:
        raise _not_a_store(data, path)
    version = fields.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise DataError(
            f"has schema version {version}, this compress reads up to {SCHEMA_VERSION}",
            where=path,
            hint="upgrade compress",
        )
    block = UserBlock(fields.get("bytes", 0), fields.get("sha256", ""))
    if render(block) != data[:SIZE]:
        raise CorruptArtifactError("has a damaged first block", where=path, hint=_HINT)
    return block


def _with_checksum(fields: dict[str, Any]) -> bytes:
    fields = {name: value for name, value in fields.items() if name != "crc32c"}
    crc = f"{crc32c(json.dumps(fields).encode()):08x}"
    line = json.dumps({**fields, "crc32c": crc}).encode() + b"\n"
    return line.ljust(SIZE, b"\0")


def _fields(data: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(data[: data.index(b"\n")])
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and fields.get("format") == FORMAT else None


def _not_a_store(data: bytes, path: Path) -> DataError:
    block, after = data[:SIZE], data[SIZE:]
    if after.startswith(_HDF5_SIGNATURE):
        if not any(block):
            return DataError(
                "is a store that was not finished", where=path, hint="run the command that encodes it again"
            )
        if block.startswith(b'{"') or FORMAT.encode() in block:
            return CorruptArtifactError("has a damaged first block", where=path, hint=_HINT)
    offsets = [0, *(512 << shift for shift in range(4))]
    if any(data[offset:].startswith(_HDF5_SIGNATURE) for offset in offsets):
        return DataError(
            "is an HDF5 file that was written by something else, not a store of compress",
            where=path,
            hint="give it as input features instead, and encode it",
        )
    if FORMAT.encode() in block:
        return CorruptArtifactError("is a store that was cut off or overwritten", where=path, hint=_HINT)
    return DataError("is not an HDF5 file", where=path, hint="give a file that `encode` wrote")

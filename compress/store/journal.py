"""Which rows of an unfinished store are safely on the disk: one line a block, written after its fsync.

    {"identity": "<sha256>"}
    {"start": 0, "stop": 4096, "crc32c": 123}
    ...

Only the longest sound prefix counts: a torn last line, or anything after a line that makes no sense, never
happened.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compress.artifacts import disk


@dataclass(frozen=True)
class Block:
    """Rows [start, stop) and the CRC32C of their stored bytes."""

    start: int
    stop: int
    crc32c: int


def render_identity(identity: str) -> bytes:
    """The first line."""
    return json.dumps({"identity": identity}).encode() + b"\n"


def render_block(block: Block) -> bytes:
    """The line of one block."""
    return json.dumps(asdict(block)).encode() + b"\n"


def read_journal(path: Path, identity: str, num_rows: int) -> list[Block]:
    """The blocks of a journal, gapless from row 0 on; [] when it is missing or belongs to something else."""
    if not path.exists():
        return []
    with disk.storage_errors(path):
        first, *lines = path.read_bytes().split(b"\n")[:-1] or [b""]
    if first + b"\n" != render_identity(identity):
        return []
    blocks: list[Block] = []
    for line in lines:
        block = _parse(line)
        start = blocks[-1].stop if blocks else 0
        if block is None or not block.start == start < block.stop <= num_rows:
            break
        blocks.append(block)
    return blocks


def _parse(line: bytes) -> Block | None:
    try:
        block = Block(**_object(json.loads(line)))
    except (ValueError, TypeError, RecursionError):
        return None
    # What we would not have written the same way was not written by us.
    return block if render_block(block) == line + b"\n" else None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or any(type(number) is not int for number in value.values()):
        raise TypeError("not an object of integers")
    return value

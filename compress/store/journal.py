"""An unfinished store, `<name>.partial`, and its journal: created, or continued where it stopped.

The journal lists the rows that are safely on the disk, one line per block, written after the block's fsync:

    {"identity": "<sha256>"}
    {"start": 0, "stop": 4096, "crc32c": 123}
    ...

Only the lines up to the first invalid one count: a torn last line and everything behind an invalid line are
ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from crc32c import crc32c

from compress.artifacts import disk
from compress.artifacts.atomic import removed_on_error, write_bytes
from compress.artifacts.lock import exclusive, lock_path
from compress.artifacts.ownership import refuse_link
from compress.errors import StorageError, UsageError
from compress.store.format import UNFINISHED, USER_BLOCK_BYTES, Layout, is_unfinished

_READ_BYTES = 1 << 24


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
        block = _parse_block(line)
        start = blocks[-1].stop if blocks else 0
        if block is None or not block.start == start < block.stop <= num_rows:
            break
        blocks.append(block)
    return blocks


def _parse_block(line: bytes) -> Block | None:
    try:
        block = Block(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    # A line that we would write differently was not written by us.
    is_ours = {type(number) for number in astuple(block)} == {int} and render_block(block) == line + b"\n"
    return block if is_ours else None


def partial_path(path: Path) -> Path:
    """Where the store `path` is while it is being written."""
    return path.with_name(f"{path.name}.partial")


def journal_path(path: Path) -> Path:
    """Where the journal of the unfinished store `path` is."""
    return path.with_name(f"{path.name}.partial.journal")


def remove_leftovers(path: Path) -> None:
    """Remove what a writer left that was killed just after the finished store got its name.

    An unfinished store of other contents stays, as it may be continued. LockedError when somebody is writing
    a new store there right now.
    """
    journal = journal_path(path)
    orphan = not partial_path(path).exists() and journal.exists()
    if orphan or lock_path(path).exists():
        with exclusive(path), disk.storage_errors(path):
            if orphan and _foreign(partial_path(path), journal) is None:
                disk.remove(journal)


def take_over(path: Path, layout: Layout, num_rows: int) -> list[Block]:
    """Make `<path>.partial` ready for the next block: continue it when possible, else create it.

    Returns:
        The blocks in it, whose CRCs were just checked. Space for the whole store is reserved, the metadata is
        in place, and the journal holds exactly these blocks.

    Raises:
        StorageError: the disk refused; a full one with the bytes needed and free.
        UsageError: a file of these names is not one that `compress` wrote, or is a symbolic link.
    """
    partial, journal = partial_path(path), journal_path(path)
    _refuse_foreign(partial, journal)
    blocks = read_journal(journal, layout.identity, num_rows)
    if blocks and partial.exists() and partial.stat().st_size == layout.size:
        blocks = _intact(partial, layout, num_rows, blocks)
        with disk.storage_errors(partial):
            _write_pieces(partial, layout)
    else:
        blocks = []
        _create(partial, journal, layout)
    lines = [render_identity(layout.identity), *map(render_block, blocks)]
    write_bytes(journal, b"".join(lines))
    return blocks


def _refuse_foreign(partial: Path, journal: Path) -> None:
    """UsageError unless both are missing, or what `compress` writes there: a person's file stays."""
    for path in (partial, journal):
        refuse_link(path)
    foreign = _foreign(partial, journal)
    if foreign is not None:
        what = "is in the place of an unfinished store, and is none that compress wrote"
        raise UsageError(what, where=foreign, hint="move it to another name")


def _foreign(partial: Path, journal: Path) -> Path | None:
    """The one of the two that is not ours; a journal without its store tells by its first letters."""
    path, ours = (partial, is_unfinished) if partial.exists() else (journal, _begins_as_ours)
    if not path.exists():
        return None
    with disk.storage_errors(path), path.open("rb") as file:
        return None if ours(file.read(USER_BLOCK_BYTES + 8)) else path


def _begins_as_ours(journal: bytes) -> bool:
    return journal.startswith(b'{"identity": "')


def _create(partial: Path, journal: Path, layout: Layout) -> None:
    with disk.storage_errors(partial):
        disk.remove(journal)
        disk.remove(partial)
        free = disk.free_bytes(partial)
    if free < layout.size:
        raise StorageError(
            f"not enough space: the store needs {layout.size:,} bytes, {free:,} are free",
            where=partial.parent,
            hint="free some space, choose another folder, or a smaller codec",
        )
    with removed_on_error(partial, partial, layout.size):
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            disk.write_at(descriptor, UNFINISHED, 0)
            disk.reserve(descriptor, layout.size)
        finally:
            os.close(descriptor)
        _write_pieces(partial, layout)
        disk.fsync_folder(partial.parent)


def _write_pieces(partial: Path, layout: Layout) -> None:
    # Also when resuming: it takes milliseconds and repairs any damage to the metadata.
    descriptor = os.open(partial, os.O_RDWR | os.O_CLOEXEC)
    try:
        for offset, piece in layout.pieces:
            disk.write_at(descriptor, piece, offset)
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)


def _intact(partial: Path, layout: Layout, num_rows: int, blocks: list[Block]) -> list[Block]:
    row_bytes = layout.embeddings_bytes // num_rows
    intact = []
    with disk.storage_errors(partial), partial.open("rb", buffering=0) as file:
        for block in blocks:
            file.seek(layout.embeddings_offset + block.start * row_bytes)
            crc = 0
            for chunk in _read_chunks(file.fileno(), (block.stop - block.start) * row_bytes):
                crc = crc32c(chunk, crc)
            if crc != block.crc32c:
                break
            intact.append(block)
    return intact


def _read_chunks(descriptor: int, length: int) -> Iterator[bytes]:
    while length > 0:
        chunk = os.read(descriptor, min(length, _READ_BYTES))
        if not chunk:
            return
        length -= len(chunk)
        yield chunk

"""Reads a shard by C code and by Python alone, and keeps everything that a caller could notice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from compress.datasets.formats import native_blocks
from compress.datasets.formats.layout import Layout
from compress.datasets.formats.tfrecord import TFRecordReader
from compress.datasets.policy import OnCorrupt, Policy, SkippedRecord
from compress.datasets.record import Block, blocks_of
from compress.datasets.schema import FeatureSchema
from compress.errors import CompressError


@dataclass
class Noticed:
    """What reading gave: each block, the error that ended it, what was left out and what was kept of that."""

    blocks: list[tuple]
    error: str
    skipped: list[SkippedRecord]
    quarantine: dict[str, bytes]


def contents(block: Block) -> tuple:
    """Copies, comparable to the bit."""
    frames = None if block.num_frames is None else block.num_frames.tolist()
    rows = (block.rows.dtype, block.rows.shape, block.rows.tobytes())
    return block.ids.tolist(), block.num_labels.tolist(), block.classes.tolist(), rows, frames


def notice(blocks: Iterable[Block], policy: Policy) -> Noticed:
    """Read to the end or to the error."""
    seen, what = [], ""
    try:
        seen.extend(map(contents, blocks))
    except CompressError as error:
        what = f"{type(error).__name__}, {error.hint}: {error}, because of {error.__cause__!r}"
    folder = policy.quarantine
    kept = {} if folder is None else {path.name: path.read_bytes() for path in folder.glob("*")}
    return Noticed(seen, what, policy.skipped, kept)


def both(
    shard: Path,
    schema: FeatureSchema,
    on_corrupt: OnCorrupt = "fail",
    videos: int = 3,
    buffer: int | None = None,
    largest: int = 1 << 26,
) -> tuple[Noticed, Noticed]:
    """What is noticed of the C code, then of Python.

    Args:
        shard: the file.
        schema: what its records have to be.
        on_corrupt: the policy.
        videos: videos a block.
        buffer: bytes of the buffer of the C code; None for the usual size.
        largest: bytes of the largest record that it reads.
    """
    found = []
    sizes = {} if buffer is None else dict.fromkeys(("video", "frame"), buffer)
    for way in ("native", "python"):
        with (
            TemporaryDirectory() as folder,
            patch.dict(native_blocks._BUFFER_BYTES, sizes),
            patch.object(native_blocks, "_LARGEST_RECORD", largest),
        ):
            quarantine = Path(folder) if on_corrupt == "quarantine" else None
            policy = Policy(on_corrupt, quarantine)
            reader = TFRecordReader(Layout.of(schema), policy)
            records = reader.read(shard)
            blocks = (
                blocks_of(records, videos, schema) if way == "python" else reader.read_blocks(shard, videos)
            )
            noticed = notice(blocks, policy)
        for one in noticed.skipped:  # the folders differ, what is in them must not
            object.__setattr__(one, "quarantined", one.quarantined and one.quarantined.name)
        found.append(noticed)
    return found[0], found[1]

"""Write a store block by block, so that a kill at any moment loses at most the block being written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from crc32c import crc32c

from compress.artifacts import disk
from compress.artifacts.atomic import render_json
from compress.artifacts.lock import exclusive
from compress.codecs.base import Codec, finite_rows
from compress.datasets.labels import Labels
from compress.errors import DataError, RecordError, SchemaError
from compress.store import user_block
from compress.store.checks import check_contents
from compress.store.journal import Block, render_block
from compress.store.layout import Contents, Layout, lay_out
from compress.store.partial import journal_path, partial_path, take_over
from compress.store.running_hash import RunningHash
from compress.store.user_block import UserBlock


def open_writer(
    path: Path,
    *,
    ids: np.ndarray,
    labels: Labels | None,
    codec: Codec,
    splits: Mapping[str, tuple[int, int]],
    metadata: Mapping[str, Any],
) -> StoreWriter:
    """Start, or continue, writing the store `path`.

    The work goes to `<path>.partial`; `path` appears at `finish`, an older store stays until then. The same
    arguments continue an unfinished store at `writer.rows_done`, any others start over. However often that
    happens, the finished file is the same, byte for byte.

    Args:
        path: the store to make; missing folders are created.
        ids: S (N,), UTF-8, unique, in the order the embeddings will come.
        labels: of the N videos, or None.
        codec: how embeddings are stored.
        splits: rows [start, stop) of each named split.
        metadata: JSON, kept in the store.

    Raises:
        LockedError: another process is writing the same store.
        StorageError: the disk refused, or has no room for the whole store.
        DataError: no videos, duplicate ids, labels or splits that do not fit, metadata that is not JSON.
        RecordError: an id is empty or not UTF-8.
    """
    contents = Contents(ids, labels, codec, dict(splits), dict(metadata))
    check_contents(contents)
    render_json(contents.metadata, path)
    held = ExitStack()
    try:
        held.enter_context(exclusive(path))
        return StoreWriter(path, contents, lay_out(contents), held)
    except BaseException:
        held.close()
        raise


class StoreWriter:
    """An unfinished store, locked. Leave the `with` before `finish` and it stays, to be continued."""

    def __init__(self, path: Path, contents: Contents, layout: Layout, held: ExitStack) -> None:
        self._path, self._layout, self._held = path, layout, held
        self._ids, self._codec = contents.ids, contents.codec
        self._row_bytes = contents.codec.bytes_per_video
        blocks = take_over(path, layout, len(contents.ids))
        self._rows_done = blocks[-1].stop if blocks else 0
        # The state of a sha256 cannot be saved: a store that is continued is read once more at the end.
        self._hash = None if blocks else RunningHash(layout.pieces[0][1])
        if self._hash is not None:
            held.callback(self._hash.close)
        with disk.storage_errors(partial_path(path)):
            self._data = self._open(partial_path(path))
            self._journal = self._open(journal_path(path))
            self._journal_end = os.fstat(self._journal).st_size

    @property
    def rows_done(self) -> int:
        """Embeddings that are safely on the disk; the next `write` continues there."""
        return self._rows_done

    def write(self, embedding: np.ndarray) -> None:
        """Append a block of embeddings; when this returns, it is on the disk.

        Args:
            embedding: f32 (b, dim), of the next b videos.

        Raises:
            RecordError: a video's embedding holds NaN or Inf, or does not fit the codec; names the video.
            SchemaError: another dim, or more rows than ids.
            StorageError: the disk refused; the blocks before are safe, and the call may be repeated.
        """
        self._check(embedding)
        if len(embedding) == 0:
            return
        codes = np.ascontiguousarray(self._codec.encode(embedding), dtype=self._codec.dtype)
        data = codes.view(np.uint8).data.cast("B")
        block = Block(self._rows_done, self._rows_done + len(codes), crc32c(data))
        line = render_block(block)
        partial = partial_path(self._path)
        hashing = None if self._hash is None else self._hash.start(data)
        with disk.storage_errors(partial):
            offset = self._layout.embeddings_offset + block.start * self._row_bytes
            disk.write_at(self._data, data, offset)
            disk.fdatasync(self._data)
            disk.write_at(self._journal, line, self._journal_end)
            disk.fsync(self._journal)
        self._journal_end += len(line)
        self._rows_done = block.stop
        if self._hash is not None and hashing is not None:
            self._hash.advance(hashing)

    def finish(self) -> Path:
        """Seal the file with its sha256 and give it its name.

        Raises:
            DataError: rows are missing.
            StorageError: the disk refused; call again, or run again, to finish.
        """
        if self._rows_done != len(self._ids):
            missing = f"{self._rows_done:,} of {len(self._ids):,} embeddings were written"
            raise DataError(missing, where=partial_path(self._path), hint="run the same command again")
        with disk.storage_errors(partial_path(self._path)):
            disk.fsync(self._data)
            block = UserBlock(self._layout.size, self._sha256())
            disk.write_at(self._data, user_block.render(block), 0)
            disk.fsync(self._data)
            disk.rename(partial_path(self._path), self._path)
            disk.fsync_folder(self._path.parent)
            disk.remove(journal_path(self._path))
            disk.fsync_folder(self._path.parent)
        self.close()
        return self._path

    def close(self) -> None:
        """Let go of the files and the lock; an unfinished store stays, to be continued."""
        self._held.close()

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, path: Path) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._held.callback(os.close, descriptor)
        return descriptor

    def _sha256(self) -> str:
        if self._hash is None:
            return hash_after_user_block(self._data)
        return self._hash.finish(self._layout.pieces[1][1])

    def _check(self, embedding: np.ndarray) -> None:
        if embedding.ndim != 2 or embedding.shape[1] != self._codec.dim:
            raise SchemaError(
                f"embeddings have shape {embedding.shape}, the store takes (n, {self._codec.dim})"
            )
        left = len(self._ids) - self._rows_done
        if len(embedding) > left:
            raise SchemaError(f"{len(embedding)} more embeddings, but ids for {left} more videos")
        fits = self._codec.representable(embedding)
        if not fits.all():
            self._refuse(~finite_rows(embedding), "holds NaN or Inf")
            self._refuse(~fits, f"is out of the range of {self._codec.name}")

    def _refuse(self, bad: np.ndarray, what: str) -> None:
        rows = np.flatnonzero(bad)
        if len(rows):
            video_id = self._ids[self._rows_done + rows[0]].decode()
            more = f" (and of {len(rows) - 1} more in its block)" if len(rows) > 1 else ""
            raise RecordError(f"the embedding of video {video_id!r}{more} {what}", where=self._path)


def hash_after_user_block(descriptor: int) -> str:
    """sha256 (hex) of a file's bytes from 4096 on."""
    digest, buffer, offset = hashlib.sha256(), bytearray(1 << 20), user_block.SIZE
    while length := os.preadv(descriptor, [buffer], offset):
        digest.update(memoryview(buffer)[:length])
        offset += length
    return digest.hexdigest()

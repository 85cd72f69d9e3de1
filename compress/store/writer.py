"""Write a store block by block, so that a kill at any moment loses at most the block being written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
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
from compress.datasets.catalogue import first_repeat
from compress.errors import DataError, RecordError, SchemaError
from compress.labels import Labels
from compress.store.format import (
    USER_BLOCK_BYTES,
    Contents,
    Layout,
    UserBlock,
    lay_out,
    render_user_block,
)
from compress.store.journal import Block, journal_path, partial_path, render_block, take_over


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

    Data is written to `<path>.partial`; `path` appears at `finish`, and an older store stays until then. The
    same arguments continue an unfinished store at `writer.rows_done`, any others start over. The finished
    file is the same, byte for byte, however often it was interrupted.

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
    check_ids(ids)
    if labels is not None:
        check_labels(labels, len(ids))
    check_splits(contents.splits, len(ids))
    render_json(contents.metadata, path)
    held = ExitStack()
    try:
        held.enter_context(exclusive(path))
        return StoreWriter(path, contents, lay_out(contents), held)
    except BaseException:
        held.close()
        raise


class StoreWriter:
    """An unfinished store, locked. Without `finish` it stays on disk and can be continued."""

    def __init__(self, path: Path, contents: Contents, layout: Layout, held: ExitStack) -> None:
        self._path, self._layout, self._held = path, layout, held
        self._ids, self._codec = contents.ids, contents.codec
        self._row_bytes = contents.codec.bytes_per_video
        blocks = take_over(path, layout, len(contents.ids))
        self._rows_done = blocks[-1].stop if blocks else 0
        # The state of a sha256 cannot be saved, so a store that is continued is read again at the end.
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
        if len(embedding):
            self._append(np.ascontiguousarray(self._codec.encode(embedding), dtype=self._codec.dtype))

    def copy(self, codes: np.ndarray) -> None:
        """Append stored rows of the same codec, codec.dtype (b, width), as they are; else as `write`."""
        if codes.shape[1:] != (self._codec.width,) or codes.dtype != self._codec.dtype:
            raise SchemaError(f"codes are {codes.dtype} {codes.shape}, the store takes {self._codec.name}")
        self._check_room(len(codes))
        if len(codes):
            self._append(np.ascontiguousarray(codes))

    def _append(self, codes: np.ndarray) -> None:
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
            disk.write_at(self._data, render_user_block(block), 0)
            disk.fsync(self._data)
            disk.rename(partial_path(self._path), self._path)
            disk.fsync_folder(self._path.parent)
            disk.remove(journal_path(self._path))
            disk.fsync_folder(self._path.parent)
        self.close()
        return self._path

    def close(self) -> None:
        """Release the files and the lock; an unfinished store stays and can be continued."""
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
        self._check_room(len(embedding))
        fits = self._codec.representable(embedding)
        if not fits.all():
            self._refuse(~finite_rows(embedding), "holds NaN or Inf")
            self._refuse(~fits, f"is out of the range of {self._codec.name}")

    def _check_room(self, rows: int) -> None:
        left = len(self._ids) - self._rows_done
        if rows > left:
            raise SchemaError(f"{rows} more embeddings, but ids for {left} more videos")

    def _refuse(self, bad: np.ndarray, what: str) -> None:
        rows = np.flatnonzero(bad)
        if len(rows):
            video_id = self._ids[self._rows_done + rows[0]].decode()
            more = f" (and of {len(rows) - 1} more in its block)" if len(rows) > 1 else ""
            raise RecordError(f"the embedding of video {video_id!r}{more} {what}", where=self._path)


def hash_after_user_block(descriptor: int, start: bytes = b"") -> str:
    """sha256 (hex) of a file's bytes from 4096 on, with `start` in the place of the first of them."""
    digest, buffer, offset = hashlib.sha256(start), bytearray(1 << 20), USER_BLOCK_BYTES + len(start)
    while length := os.preadv(descriptor, [buffer], offset):
        digest.update(memoryview(buffer)[:length])
        offset += length
    return digest.hexdigest()


class RunningHash:
    """sha256 of everything written so far, from the first bytes on; hashes in a thread of its own."""

    def __init__(self, start: bytes) -> None:
        self._sha256 = hashlib.sha256(start)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-sha256")

    def start(self, data: memoryview) -> Future[hashlib._Hash]:
        """Begin to hash the next bytes, which must not change before the result is there; see `advance`."""
        return self._thread.submit(_continued, self._sha256, data)

    def advance(self, started: Future[hashlib._Hash]) -> None:
        """Include those bytes, now that they are written; without this call they do not count."""
        self._sha256 = started.result()

    def finish(self, end: bytes) -> str:
        """sha256 (hex) of all, `end` being the last bytes."""
        return _continued(self._sha256, memoryview(end)).hexdigest()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def _continued(before: hashlib._Hash, data: memoryview) -> hashlib._Hash:
    after = before.copy()
    after.update(data)
    return after


def check_ids(ids: np.ndarray) -> None:
    """Refuse ids, S (N,), unless there are some and all are UTF-8, not empty and unique."""
    if ids.ndim != 1 or ids.dtype.kind != "S":
        raise DataError(f"ids are {ids.dtype} {ids.shape}, not one bytes string (S) per video")
    if len(ids) == 0:
        raise DataError("there are no videos to store", hint="check the input files, and what was skipped")
    empty = np.flatnonzero(ids == b"")
    if len(empty):
        raise RecordError("the video id is empty", where=f"row {empty[0]}")
    # Nearly always all ASCII: one pass over the bytes instead of one decode per video.
    if np.ascontiguousarray(ids).view(np.uint8).max() >= 128:
        for row, video_id in enumerate(ids):
            try:
                video_id.decode()
            except UnicodeDecodeError as error:
                what = f"the video id {bytes(video_id)!r} is not UTF-8"
                raise RecordError(what, where=f"row {row}") from error
    repeat = first_repeat(ids)
    if repeat is not None:
        raise DataError(f"video id {ids[repeat[1]].decode()!r} appears more than once")


def check_labels(labels: Labels, num_videos: int) -> None:
    """Refuse labels that are not compressed sparse rows of `num_videos` videos."""
    indptr, indices = labels.indptr, labels.indices
    if len(labels) != num_videos:
        raise SchemaError(f"there are labels of {len(labels)} videos, but {num_videos} videos")
    if indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
        raise DataError("the labels' indptr does not ascend from 0 to the number of labels")
    if len(indices) and not (indices.min() >= 0 and indices.max() < labels.num_classes):
        raise DataError(f"a label is outside [0, {labels.num_classes})")


def check_splits(splits: object, num_videos: int) -> None:
    """Refuse splits that are not {name: (start, stop)} of rows that exist, each row in one split at most."""
    if not isinstance(splits, dict):
        raise DataError("splits are not {name: (start, stop)}")
    end = 0
    for name, rows in sorted(splits.items(), key=lambda item: tuple(item[1])):
        start, stop = (int(row) for row in rows)
        if not end <= start <= stop <= num_videos:
            raise DataError(f"split {name!r} is rows [{start}, {stop}) of {num_videos}, or overlaps another")
        end = stop

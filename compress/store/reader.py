"""Read one store file, or several as one."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from compress.arrays import as_path
from compress.artifacts.hashed import Verify
from compress.codecs import Codec
from compress.errors import DataError, NotFoundError, SchemaError, UsageError
from compress.labels import Labels, Rows, row_numbers
from compress.store.mapping import WORTH_BYTES, ConcatenatedRows, Part, forget, open_part

# Values decoded at once: they stay in the processor's cache on their way to the result.
_CHUNK_VALUES = 131_072
# Up to this many ids, all are compared for a "did you mean"; with more, only those next to it in the order.
_COMPARE_ALL, _NEIGHBOURS = 5000, 200
# The first look-ups scan all ids; later ones use sorted ids, which cost a second per million videos to make.
_SCANS = 3


def open_store(path: str | Path | Sequence[str | Path], verify: Verify = True) -> Store:
    """Open a finished store.

    Args:
        path: a store, or several that were made with the same codec, to be read as one.
        verify: compare the sha256 of the whole file (about 0.6 s per GB); False only checks the first block,
            the size and the structure; `HashedFiles` skips files that it has seen.

    Raises:
        NotFoundError: no such file; says so when its encoding has not finished.
        CorruptArtifactError: any bit of it was changed, or it was cut off.
        DataError: not a store, written by a newer version of compress, or several stores share an id.
        SchemaError: several stores whose codecs, dims or labels differ.
    """
    paths = list(path) if isinstance(path, list | tuple) else [path]
    if not paths:
        raise UsageError("no store was named")
    return Store([open_part(as_path(one, "a store"), verify) for one in paths])


class Store:
    """Embeddings of N videos with their ids and labels; made by `open_store`."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        if len(parts) > 1:
            _check_alike(self._parts)
        self._lookup = IdLookup(self.id_bytes)

    def __len__(self) -> int:
        return sum(len(part.ids) for part in self._parts)

    def __repr__(self) -> str:
        return f"<Store of {len(self):,} videos, dim {self.dim}, {self.codec.name}: {self.path}>"

    @property
    def path(self) -> Path:
        """The file, or the first of several."""
        return self._parts[0].path

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files, in row order."""
        return tuple(part.path for part in self._parts)

    @property
    def codec(self) -> Codec:
        """How the embeddings are stored."""
        return self._parts[0].codec

    @property
    def dim(self) -> int:
        """Size of an embedding."""
        return self.codec.dim

    @property
    def bytes_per_video(self) -> int:
        """Stored bytes of one embedding."""
        return self.codec.bytes_per_video

    @cached_property
    def sha256(self) -> str:
        """Identifies the contents (64 hex digits); for several files, the sha256 of their sha256s."""
        if len(self._parts) == 1:
            return self._parts[0].sha256
        return hashlib.sha256("".join(part.sha256 for part in self._parts).encode()).hexdigest()

    @cached_property
    def ids(self) -> list[str]:
        """Video ids of the N rows."""
        return [video_id.decode(errors="backslashreplace") for video_id in self.id_bytes.tolist()]

    @cached_property
    def id_bytes(self) -> np.ndarray:
        """The ids as they are stored, UTF-8 S (N,): for sorting and joining many of them."""
        ids = [np.asarray(part.ids) for part in self._parts]
        return ids[0] if len(ids) == 1 else np.concatenate(ids)

    @cached_property
    def codes(self) -> np.ndarray | ConcatenatedRows:
        """Stored elements, codec.dtype (N, width), mapped from the disk."""
        codes = [part.codes for part in self._parts]
        return codes[0] if len(codes) == 1 else ConcatenatedRows(codes)

    @cached_property
    def labels(self) -> Labels | None:
        """Labels of the N videos, or None when they have none."""
        known = [part.labels for part in self._parts if part.labels is not None]
        return Labels.concatenate(known) if known else None

    @cached_property
    def splits(self) -> dict[str, range]:
        """Rows of each split; in several files, the rows of a shared name must be adjacent."""
        splits: dict[str, range] = {}
        first_row = 0
        for part in self._parts:
            for name, (start, stop) in part.splits.items():
                rows = range(first_row + start, first_row + stop)
                known = splits.get(name, range(rows.start, rows.start))
                if known.stop != rows.start:
                    raise SchemaError(f"split {name!r} is not one range of rows", where=part.path)
                splits[name] = range(known.start, rows.stop)
            first_row += len(part.ids)
        return splits

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """Metadata written by the encoder; for several files, the entries that are equal in all."""
        first, *others = (part.metadata for part in self._parts)
        return {
            key: value
            for key, value in first.items()
            if all(key in other and other[key] == value for other in others)
        }

    def decode(self, start: int, stop: int) -> np.ndarray:
        """Embeddings f32 (stop - start, dim) of the rows [start, stop), 0 <= start <= stop <= N."""
        if not 0 <= start <= stop <= len(self):
            raise UsageError(f"rows [{start}, {stop}) are not within [0, {len(self)})", where=self.path)
        embedding = np.empty((stop - start, self.dim), dtype=np.float32)
        for first, last in _chunks(stop - start, self.dim):
            embedding[first:last] = self.codec.decode(self.codes[start + first : start + last])
        if embedding.nbytes >= WORTH_BYTES:
            self._forget(start, stop)
        return embedding

    def rows(self, rows: Rows) -> np.ndarray:
        """Embeddings f32 (M, dim) of some rows, in the order asked.

        Args:
            rows: numbers (M,), each within [0, N), a mask bool (N,), or a slice.

        Raises:
            UsageError: rows that do not exist, fractions, or a mask of another length.
        """
        indices = row_numbers(rows, len(self), self.path)
        embedding = np.empty((len(indices), self.dim), dtype=np.float32)
        # Reading a row maps sixteen pages; rows in ascending order never need earlier pages again.
        in_order = embedding.nbytes >= WORTH_BYTES and bool((np.diff(indices) >= 0).all())
        for first, last in _chunks(len(indices), self.dim):
            embedding[first:last] = self.codec.decode(self.codes[indices[first:last]])
            if in_order:
                self._forget(int(indices[first]), int(indices[last - 1]) + 1)
        return embedding

    def _forget(self, start: int, stop: int) -> None:
        first = 0
        for part in self._parts:
            last = first + len(part.ids)
            if start < last and first < stop:
                forget(part.codes, max(start, first) - first, min(stop, last) - first)
            first = last

    def row_of(self, video_id: str | bytes) -> int:
        """The row of a video; NotFoundError that suggests similar ids when there is none."""
        # A lone surrogate (from JSON or the command line) is not UTF-8 and in no store, but must not crash.
        key = video_id.encode(errors="backslashreplace") if isinstance(video_id, str) else video_id
        row = self._lookup.row(key)
        if row is None:
            # Pasted from a printed numpy array of bytes, where the id abc is b'abc'.
            bare = key[2:-1] if key[:2] in (b"b'", b'b"') else b""
            found = self._lookup.row(bare) is not None
            close = bare.decode() if found else ", ".join(self._lookup.close(key))
            hint = f"did you mean {close}?" if close else ""
            raise NotFoundError(f"no video {key.decode(errors='replace')!r}", where=self.path, hint=hint)
        return row


def _chunks(count: int, dim: int) -> Iterator[tuple[int, int]]:
    rows = max(1, _CHUNK_VALUES // dim)
    for first in range(0, count, rows):
        yield first, min(first + rows, count)


def _check_alike(parts: Sequence[Part]) -> None:
    first = parts[0]
    for other in parts[1:]:
        if _codec_identity(first.codec) != _codec_identity(other.codec):
            raise SchemaError(
                f"holds {other.codec.name} of {other.codec.dim} dimensions with its own calibration, "
                f"{first.path} holds {first.codec.name} of {first.codec.dim}",
                where=other.path,
                hint="encode them again in one run, or with a codec that needs no calibration",
            )
        classes = [None if part.labels is None else part.labels.num_classes for part in (first, other)]
        if classes[0] != classes[1]:
            raise SchemaError(f"its labels differ in kind from those of {first.path}", where=other.path)
    ordered = np.sort(np.concatenate([part.ids for part in parts]))
    duplicates = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(duplicates):
        names = ", ".join(str(part.path) for part in parts)
        raise DataError(f"video id {duplicates[0].decode()!r} appears more than once", where=names)


def _codec_identity(codec: Codec) -> tuple[str, int, list[tuple[str, bytes]]]:
    return codec.name, codec.dim, [(name, array.tobytes()) for name, array in sorted(codec.state().items())]


class IdLookup:
    """Unique ids, S (N,) -> row: scans all ids the first times, then bisects sorted ones.

    Sorted ids take 8 bytes per video and a copy of the ids; a dict would take a hundred.
    """

    def __init__(self, ids: np.ndarray) -> None:
        self._ids = ids
        self._looks = 0

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self._ids, kind="stable")

    @cached_property
    def _sorted(self) -> np.ndarray:
        return self._ids[self._order]

    def row(self, video_id: bytes) -> int | None:
        """The row of `video_id`, or None."""
        self._looks += 1
        if self._looks <= _SCANS:
            rows = np.flatnonzero(self._ids == np.bytes_(video_id))
            return int(rows[0]) if len(rows) and bytes(self._ids[rows[0]]) == video_id else None
        position = self._position(video_id)
        # numpy drops NULs at the end of a bytes string, so b"a\\0" must not find b"a": compare real bytes.
        if position < len(self._ids) and bytes(self._sorted[position]) == video_id:
            return int(self._order[position])
        return None

    def close(self, video_id: bytes) -> list[str]:
        """Up to three ids that look like `video_id`."""
        candidates = self._sorted
        if len(candidates) > _COMPARE_ALL:
            position = self._position(video_id)
            candidates = candidates[max(0, position - _NEIGHBOURS) : position + _NEIGHBOURS]
        names = [candidate.decode(errors="replace") for candidate in candidates]
        return difflib.get_close_matches(video_id.decode(errors="replace"), names, n=3)

    def _position(self, video_id: bytes) -> int:
        return int(np.searchsorted(self._sorted, np.bytes_(video_id)))

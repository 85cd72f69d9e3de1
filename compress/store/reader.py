"""Read one store file, or several as one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.hashed import Verify
from compress.codecs.base import Codec
from compress.datasets.labels import Labels
from compress.errors import DataError, NotFoundError, SchemaError, UsageError
from compress.store.id_lookup import IdLookup
from compress.store.mapping import WORTH_BYTES, forget
from compress.store.part import Part, open_part
from compress.store.rows import ConcatenatedRows

# Numbers decoded at once: they stay in the processor's cache on their way to the result.
_CHUNK_NUMBERS = 131_072


def open_store(path: str | Path | Sequence[str | Path], verify: Verify = True) -> Store:
    """Open a finished store.

    Args:
        path: a store, or several that were made with the same codec, to be read as one.
        verify: compare the sha256 of the whole file (about 0.6 s a GB); False trusts the bytes, and still
            checks the first block, the size and the structure; a memory trusts those that it knows.

    Raises:
        NotFoundError: no such file; says so when its encoding has not finished.
        CorruptArtifactError: any bit of it was changed, or it was cut off.
        DataError: not a store, or written by a newer version of this project, or several that share an id.
        SchemaError: several whose codecs, dims or labels differ.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    if not paths:
        raise UsageError("no store was named")
    return Store([open_part(Path(one), verify) for one in paths])


class Store:
    """Embeddings of N videos with their ids and labels; made by `open_store`."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        if len(parts) > 1:
            _check_alike(self._parts)
        self._lookup = IdLookup(self.ids)

    def __len__(self) -> int:
        return sum(len(part.ids) for part in self._parts)

    @property
    def path(self) -> Path:
        """The file; of several, the first."""
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
        """What identifies the contents (64 hex digits); of several files, the sha256 of theirs."""
        if len(self._parts) == 1:
            return self._parts[0].sha256
        return hashlib.sha256("".join(part.sha256 for part in self._parts).encode()).hexdigest()

    @cached_property
    def ids(self) -> np.ndarray:
        """Video ids, S (N,), UTF-8."""
        return np.asarray(_joined([part.ids for part in self._parts]))

    @cached_property
    def codes(self) -> np.ndarray | ConcatenatedRows:
        """Stored elements, codec.dtype (N, width), mapped from the disk."""
        codes = [part.codes for part in self._parts]
        return codes[0] if len(codes) == 1 else ConcatenatedRows(codes)

    @cached_property
    def labels(self) -> Labels | None:
        """Labels of the N videos, or None when they have none."""
        return _join_labels([part.labels for part in self._parts])

    @cached_property
    def splits(self) -> dict[str, range]:
        """Rows of each split; of several files, a name they share must be adjacent rows."""
        return _join_splits(self._parts)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the encoder said about the store; of several files, what they all say."""
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

    def rows(self, indices: np.ndarray | Sequence[int]) -> np.ndarray:
        """Embeddings f32 (M, dim) of rows `indices`, int (M,), each within [0, N)."""
        indices = np.asarray(indices, dtype=np.int64)
        if len(indices) and not (indices.min() >= 0 and indices.max() < len(self)):
            raise UsageError(f"a row is not within [0, {len(self)})", where=self.path)
        embedding = np.empty((len(indices), self.dim), dtype=np.float32)
        # A row maps sixteen pages; rows in order never need those behind them again.
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
        """The row of a video; NotFoundError naming ids that look like it when there is none."""
        # A lone surrogate (from JSON, or an odd argument) is no UTF-8, so in no store, but must not crash.
        key = video_id.encode(errors="backslashreplace") if isinstance(video_id, str) else video_id
        row = self._lookup.row(key)
        if row is None:
            close = ", ".join(self._lookup.close(key))
            hint = f"did you mean {close}?" if close else ""
            raise NotFoundError(f"no video {key.decode(errors='replace')!r}", where=self.path, hint=hint)
        return row


def _chunks(count: int, dim: int) -> Iterator[tuple[int, int]]:
    rows = max(1, _CHUNK_NUMBERS // dim)
    for first in range(0, count, rows):
        yield first, min(first + rows, count)


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _check_alike(parts: Sequence[Part]) -> None:
    first = parts[0]
    for other in parts[1:]:
        if _codec_identity(first.codec) != _codec_identity(other.codec):
            raise SchemaError(
                f"holds {other.codec.name} of {other.codec.dim} dimensions in its own calibration, "
                f"{first.path} holds {first.codec.name} of {first.codec.dim}",
                where=other.path,
                hint="encode them again in one run, or with a codec that needs no calibration",
            )
        if _num_classes(first) != _num_classes(other):
            raise SchemaError(f"its labels differ in kind from those of {first.path}", where=other.path)
    ordered = np.sort(np.concatenate([part.ids for part in parts]))
    duplicates = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(duplicates):
        names = ", ".join(str(part.path) for part in parts)
        raise DataError(f"video id {duplicates[0].decode()!r} appears more than once", where=names)


def _codec_identity(codec: Codec) -> tuple[str, int, list[tuple[str, bytes]]]:
    return codec.name, codec.dim, [(name, array.tobytes()) for name, array in sorted(codec.state().items())]


def _num_classes(part: Part) -> int | None:
    return part.labels.num_classes if part.labels else None


def _join_labels(labels: Sequence[Labels | None]) -> Labels | None:
    known = [one for one in labels if one is not None]
    if len(known) <= 1:
        return known[0] if known else None
    lengths = np.concatenate([one.counts() for one in known])
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Labels(indptr, np.concatenate([one.indices for one in known]), known[0].num_classes)


def _join_splits(parts: Sequence[Part]) -> dict[str, range]:
    splits: dict[str, range] = {}
    first_row = 0
    for part in parts:
        for name, (start, stop) in part.splits.items():
            rows = range(first_row + start, first_row + stop)
            known = splits.get(name, range(rows.start, rows.start))
            if known.stop != rows.start:
                raise SchemaError(f"split {name!r} is not one range of rows", where=part.path)
            splits[name] = range(known.start, rows.stop)
        first_row += len(part.ids)
    return splits

"""Blocks of videos on their way into a collection: encoded, checked, and made to codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.arrays import plain_array
from compress.codecs import Codec, sample_rows
from compress.codecs.base import spread_evenly
from compress.collection.columns import as_table, joined
from compress.collection.passed import as_embeddings, id_bytes, numbered_labels
from compress.collection.rows import Rows, in_order
from compress.collection.state import State
from compress.datasets.catalogue import first_repeat
from compress.datasets.vocabulary import Vocabulary
from compress.errors import DataError, RecordError, SchemaError
from compress.index.rows import comparable
from compress.labels import Labels
from compress.progress import check_interrupt

if TYPE_CHECKING:
    import pyarrow as pa

UNCHANGED = "nothing was changed; run the same command again"
_AT_ONCE = 65_536


@dataclass(frozen=True, eq=False)
class Block:
    """Some videos.

    Args:
        ids: S (n,), UTF-8.
        rows: embeddings, float32 (n, dim); None where there are codes.
        labels: of the n videos, or None.
        table: their metadata, or None.
        codes: of `codec`, (n, width): taken as they are where the collection has this codec or none yet.
        codec: of the codes.
    """

    ids: np.ndarray
    rows: np.ndarray | None
    labels: Labels | None = None
    table: pa.Table | None = None
    codes: np.ndarray | None = None
    codec: Codec | None = None

    def embeddings(self) -> np.ndarray:
        """Float32 (n, dim)."""
        if self.rows is not None:
            return self.rows
        assert self.codec is not None
        return self.codec.decode(self.codes)


def gather(
    state: State, blocks: Iterable[Block], *, replacing: bool
) -> tuple[Rows, Codec | None, dict[int, np.ndarray]]:
    """The videos of all blocks as rows of the collection.

    Args:
        state: what is there.
        blocks: at least one video in all.
        replacing: videos whose ids are there take their place.

    Returns:
        The rows; the codec where this is the first addition; and by segment the rows that are replaced.

    Raises:
        RecordError: an id is in the collection already, or in two places of the blocks; a video cannot be
            stored.
        DataError: no videos, or too few to calibrate the codec.
    """
    codec, seen, waiting = state.codec, [], []
    parts: list[tuple[np.ndarray, np.ndarray | None]] = []
    wanted = sample_rows(state.facts.codec)
    for block in blocks:
        check_interrupt(UNCHANGED)
        seen.append(replace(block, rows=None, codes=None))  # without what takes the memory
        if not replacing:
            _refuse_known(state, block.ids)
        if codec is None and block.codec is not None and block.codec.name == state.facts.codec:
            codec = block.codec
        waiting.append(block)
        if codec is None and sum(len(each.ids) for each in waiting) >= max(1, wanted):
            codec = _fitted(state.facts.codec, waiting)
        if codec is not None:
            parts += [_coded(each, codec, state.facts.metric) for each in waiting]
            waiting = []
    if not seen:
        raise DataError("there are no videos to add", hint="check the input files, and what was skipped")
    if codec is None:
        codec = _fitted(state.facts.codec, waiting)
    parts += [_coded(each, codec, state.facts.metric) for each in waiting]
    ids = np.concatenate([block.ids for block in seen])
    if (repeat := first_repeat(ids)) is not None:
        raise RecordError(f"video {ids[repeat[1]].decode()!r} is there twice among those to add")
    lengths = [each for _, each in parts if each is not None]
    rows = in_order(
        ids,
        np.concatenate([codes for codes, _ in parts]),
        np.arange(len(ids)),
        np.concatenate(lengths) if lengths else None,
        _joined_labels(seen),
        joined([(block.table, len(block.ids)) for block in seen]),
    )
    owners, places = state.find(rows.ids)
    gone = {int(number): places[owners == number] for number in np.unique(owners) if number >= 0}
    return rows, codec if state.codec is None else None, gone


def block_of(
    state: State, rows: Any, ids: Any, *, raw: bool | None, labels: Any, metadata: Any
) -> tuple[Block, Vocabulary | None]:
    """One block of what a caller passes to `Collection.add`, and the class names where they become more."""
    names = id_bytes(ids, len(ids) if isinstance(ids, Sequence) or hasattr(ids, "shape") else _count(rows))
    table = as_table(metadata, len(names))
    classes, vocabulary = numbered_labels(state, labels, len(names))
    embeddings = as_embeddings(state, rows, raw, "rows")
    if len(embeddings) != len(names):
        raise SchemaError(f"there are {len(names)} ids for {len(embeddings)} videos")
    return Block(names, embeddings, classes, table), vocabulary


def _count(rows: Any) -> int:
    return len(plain_array(rows))


def _refuse_known(state: State, ids: np.ndarray) -> None:
    owners, _ = state.find(ids)
    known = np.flatnonzero(owners >= 0)
    if len(known):
        more = f" (and {len(known) - 1:,} more)" if len(known) > 1 else ""
        raise RecordError(
            f"video {bytes(ids[known[0]]).decode()!r}{more} is in the collection already",
            where=state.manifest.folder,
            hint="--replace puts the new one in its place",
        )


def _fitted(name: str, blocks: Sequence[Block]) -> Codec:
    sample = np.concatenate([block.embeddings() for block in blocks])
    wanted = sample_rows(name)
    return Codec.fit(name, spread_evenly(sample, wanted) if wanted else sample[:1])


def _coded(block: Block, codec: Codec, metric: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Codes (n, width), and for cosine the norms of the decoded rows, float32 (n,)."""
    codes = block.codes if _same(block.codec, codec) else None
    if codes is None:
        rows = block.embeddings()
        _check_range(block, rows, codec)
        starts = range(0, len(rows), _AT_ONCE)
        codes = np.concatenate([codec.encode(rows[start : start + _AT_ONCE]) for start in starts])
    codes = np.asarray(codes)
    lengths = np.empty(len(codes), np.float32)
    for start in range(0, len(codes), _AT_ONCE):
        decoded = codec.decode(codes[start : start + _AT_ONCE])

        def name(row: int, start: int = start) -> str:
            return f"video {block.ids[start + row].decode()!r}"

        comparable(decoded, metric, name, keep_zeros=True)
        with np.errstate(over="ignore"):
            squares = np.einsum("nd,nd->n", decoded, decoded, dtype=np.float64)
            lengths[start : start + len(decoded)] = np.sqrt(squares)
    if metric == "ip":
        return codes, None
    if not np.isfinite(lengths).all():
        row = int(np.argmin(np.isfinite(lengths)))
        what = f"video {block.ids[row].decode()!r} is too long for inner products in float32"
        raise RecordError(what)
    lengths[lengths == 0] = 1  # their inner products are 0, and so is the cosine
    return codes, lengths


def _check_range(block: Block, rows: np.ndarray, codec: Codec) -> None:
    fits = codec.representable(rows)
    if not fits.all():
        name = block.ids[int(np.argmin(fits))].decode()
        raise RecordError(f"the embedding of video {name!r} cannot be stored as {codec.name}")


def _same(one: Codec | None, other: Codec) -> bool:
    if one is other:
        return True
    if one is None or (one.name, one.dim) != (other.name, other.dim):
        return False
    mine, its = one.state(), other.state()
    return all(np.array_equal(mine[name], its[name]) for name in its)


def _joined_labels(blocks: Sequence[Block]) -> Labels | None:
    classes = max((block.labels.num_classes for block in blocks if block.labels is not None), default=0)
    if not classes:
        return None
    return Labels.concatenate(
        [
            Labels.empty(len(block.ids), classes)
            if block.labels is None
            else replace(block.labels, num_classes=classes, names=())
            for block in blocks
        ]
    )

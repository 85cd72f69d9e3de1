"""Rows on their way into a segment: those that are added, or those of several segments that become one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from compress.collection.columns import joined
from compress.labels import Labels
from compress.store.mapping import ConcatenatedRows

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 65_536


class Held(Protocol):
    """What segments and rows have in common: n videos in the order of their ids, each there once."""

    @property
    def ids(self) -> np.ndarray: ...
    @property
    def codes(self) -> np.ndarray: ...
    @property
    def lengths(self) -> np.ndarray | None: ...
    @property
    def labels(self) -> Labels | None: ...
    @property
    def table(self) -> pa.Table | None: ...


@dataclass(frozen=True, eq=False)
class Rows:
    """n videos that are in no file yet.

    Args:
        ids: S (n,), ascending.
        codes: of the collection's codec, (m, width), in memory or mapped.
        order: int64 (n,), the row of `codes` of each video.
        lengths: float32 (n,), see `CodesIndex`; None for inner products.
        labels: of the n videos, or None.
        table: their metadata, or None.
    """

    ids: np.ndarray
    codes: Any
    order: np.ndarray
    lengths: np.ndarray | None
    labels: Labels | None
    table: pa.Table | None

    def __len__(self) -> int:
        return len(self.ids)

    def code_blocks(self) -> Iterator[np.ndarray]:
        """The codes in the order of the ids, piece by piece."""
        for start in range(0, len(self), _AT_ONCE):
            yield np.asarray(self.codes[self.order[start : start + _AT_ONCE]])


def in_order(
    ids: np.ndarray,
    codes: Any,
    picked: np.ndarray,
    lengths: np.ndarray | None,
    labels: Labels | None,
    table: pa.Table | None,
) -> Rows:
    """Rows by ascending ids; `picked` are the rows of `codes`, int64 (n,), and all the rest is of these n."""
    order = np.argsort(ids, kind="stable")
    return Rows(
        ids[order],
        codes,
        picked[order],
        None if lengths is None else lengths[order],
        None if labels is None else labels.take(order),
        None if table is None else table.take(order),
    )


def merged(parts: Sequence[tuple[Held, np.ndarray]]) -> Rows:
    """The rows of several parts as one: of each part those with the given numbers, int64 ascending.

    No id may be in two of them.
    """
    held, rows = [part for part, _ in parts], [own for _, own in parts]
    starts = np.cumsum([0, *(len(part.codes) for part in held)])
    in_codes = [part.order[own] if isinstance(part, Rows) else own for part, own in parts]
    lengths = [part.lengths[own] for part, own in parts if part.lengths is not None]
    tables = [(None if part.table is None else part.table.take(own), len(own)) for part, own in parts]
    return in_order(
        np.concatenate([part.ids[own] for part, own in parts]),
        ConcatenatedRows([part.codes for part in held]),
        np.concatenate([start + own for start, own in zip(starts, in_codes, strict=False)]),
        np.concatenate(lengths) if lengths else None,
        _labels(held, rows),
        joined(tables),
    )


def _labels(held: Sequence[Held], rows: Sequence[np.ndarray]) -> Labels | None:
    classes = max((part.labels.num_classes for part in held if part.labels is not None), default=0)
    if not classes:
        return None
    found = [
        Labels.empty(len(own), classes)
        if part.labels is None
        else replace(part.labels.take(own), num_classes=classes)
        for part, own in zip(held, rows, strict=True)
    ]
    return Labels.concatenate(found)

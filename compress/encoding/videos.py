"""The videos of several splits as one list: ids, labels and row ranges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compress.datasets.catalogue import Catalogue
from compress.datasets.distinct import first_repeat
from compress.datasets.labels import Labels
from compress.errors import RecordError, SchemaError


def joined_ids(catalogues: Mapping[str, Catalogue]) -> np.ndarray:
    """Ids of all splits, S (N,); RecordError when a video is in two of them."""
    if len(catalogues) == 1:
        return next(iter(catalogues.values())).ids  # a scan finds what is twice within one
    ids = np.concatenate([catalogue.ids for catalogue in catalogues.values()])
    if first_repeat(ids) is None:
        return ids
    ordered = np.sort(ids)
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    names = " and ".join(name for name, c in catalogues.items() if ordered[twice[0]] in c.ids)
    raise RecordError(f"video {ordered[twice[0]].decode()!r} is in {names} (and {len(twice) - 1} more)")


def joined_labels(catalogues: Mapping[str, Catalogue]) -> Labels | None:
    """Labels of all splits, unlabelled ones empty; None when no split has any."""
    all_labels = [catalogue.labels for catalogue in catalogues.values()]
    present = [labels for labels in all_labels if labels is not None]
    if not present:
        return None
    classes = {labels.num_classes for labels in present}
    if len(classes) > 1:
        raise SchemaError(f"splits have different numbers of classes: {sorted(classes)}")
    if len(all_labels) == 1:
        return present[0]
    counts = [
        np.zeros(len(catalogue), dtype=np.int64) if labels is None else labels.counts()
        for catalogue, labels in zip(catalogues.values(), all_labels, strict=True)
    ]
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return Labels(indptr, np.concatenate([labels.indices for labels in present]), classes.pop())


def ranges(catalogues: Mapping[str, Catalogue]) -> dict[str, tuple[int, int]]:
    """Rows [start, stop) of each split."""
    found, start = {}, 0
    for name, catalogue in catalogues.items():
        found[name] = (start, start + len(catalogue))
        start += len(catalogue)
    return found


def without_copies(catalogues: Mapping[str, Catalogue], ids: np.ndarray) -> dict[str, Catalogue]:
    """The catalogues with their part of all ids, and without labels: so nothing is in memory twice."""
    return {
        name: Catalogue(ids[start:stop], None, catalogues[name].rows_per_shard, None)
        for name, (start, stop) in ranges(catalogues).items()
    }

"""Stores that were measured: which of them can be compared with a baseline, video by video."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from compress.errors import NotFoundError
from compress.evaluation.fresh_head import rows_by_id
from compress.evaluation.measure import fingerprint
from compress.store.reader import open_store
from compress.workspace import Workspace

_ALIKE = {
    "head": "measured with another head recipe (epochs, mixup or seed)",
    "train": "measured on other training videos",
    "validate": "measured on other validation videos",
}


def why_stale(workspace: Workspace, name: str, facts: Mapping[str, Any]) -> str | None:
    """Why scores are not those of the store of today, or None.

    Args:
        workspace: where the store lies; one that is gone is not stale, its scores still say what it was.
        name: of the store.
        facts: kept with its scores.

    Raises:
        CorruptArtifactError: the store is no store any more.
    """
    path = workspace.store(name)
    # Not verified again: the sha256 that the file claims tells whether it is the one that was measured.
    if path.exists() and open_store(path, verify=False).sha256 != facts.get("store_sha256"):
        return "encoded again since it was measured"
    return None


def why_unlike(facts: Mapping[str, Any], baseline: Mapping[str, Any]) -> str | None:
    """Why two measurements do not compare, or None; both are what was kept with the scores."""
    return next((words for key, words in _ALIKE.items() if facts.get(key) != baseline.get(key)), None)


def validation_ids(workspace: Workspace, names: Iterable[str], videos: str) -> np.ndarray:
    """The ids of the videos that scores are about, in the order of the scores; S<w> (N,).

    Args:
        workspace: where the stores lie.
        names: stores that may hold them, the first that does is read.
        videos: fingerprint of the validation videos.

    Raises:
        NotFoundError: no store holds them.
        CorruptArtifactError: one of the stores is damaged.
    """
    for name in names:
        if not workspace.store(name).exists():
            continue
        # Not verified: the fingerprint covers the ids and labels, all that is read.
        store = open_store(workspace.store(name), verify=False)
        complete = store.labels is not None and "validate" in store.splits
        if complete and fingerprint(store, "validate") == videos:
            return np.asarray(store.id_bytes[rows_by_id(store, "validate")])
    raise NotFoundError(
        "no store holds the videos that were measured any more, so their ids are not known",
        where=workspace.embeddings,
        hint="`compress encode` the baseline again, then `compress evaluate` it",
    )

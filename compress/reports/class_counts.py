"""How many training videos each class had when scores were kept; old folders of scores do not say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.artifacts.folder import read_folder
from compress.errors import CorruptArtifactError, NotFoundError

ARRAY = "train_class_counts"
_FILE = "top.npz"


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """Of one folder of scores.

    Args:
        counts: int64 (C,), or None when the folder does not say.
        training: fingerprint of the training videos, or None when the folder does not say.
    """

    counts: np.ndarray | None
    training: str | None


def read_class_counts(folder: Path) -> ClassCounts | None:
    """The counts that lie beside the kept scores of a row; None when there is no such folder.

    Nothing but the counts is read: the scores of a million videos stay on the disk.

    Raises:
        CorruptArtifactError: it is not a folder of scores.
    """
    try:
        manifest = read_folder(folder, "scores", verify=False)
    except NotFoundError:
        return None
    path = manifest.path(_FILE)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            counts = arrays[ARRAY] if ARRAY in arrays.files else None
    except ValueError as error:
        raise CorruptArtifactError(f"not top scores ({error})", where=path) from error
    return ClassCounts(counts, manifest.metadata.get("train"))

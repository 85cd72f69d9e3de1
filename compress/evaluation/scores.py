"""Top scores of a row, kept beside its figures: a later row is compared with them video by video."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.folder import commit_folder, read_folder
from compress.errors import CorruptArtifactError, SchemaError
from compress.metrics import TopScores

_FILE = "top.npz"


def save_scores(folder: Path, top: TopScores, metadata: dict[str, Any]) -> None:
    """Commit the top scores of all validation videos, in the order of their ids."""
    buffer = io.BytesIO()
    np.savez(buffer, **top.to_arrays())  # type: ignore[arg-type]
    commit_folder(folder, "scores", {_FILE: buffer.getvalue()}, metadata)


def load_scores(folder: Path) -> tuple[TopScores, dict[str, Any]]:
    """What `save_scores` kept.

    Raises:
        NotFoundError: nothing was evaluated under that name.
        CorruptArtifactError: a checksum does not match.
    """
    manifest = read_folder(folder, "scores")
    try:
        with np.load(manifest.path(_FILE), allow_pickle=False) as arrays:
            return TopScores.from_arrays(dict(arrays)), manifest.metadata
    except (ValueError, SchemaError) as error:
        raise CorruptArtifactError(f"not top scores ({error})", where=manifest.path(_FILE)) from error

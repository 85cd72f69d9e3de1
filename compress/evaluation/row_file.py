"""Where a measured row lies: with its scores, committed together, and in a file for people.

<folder>/scores/<name>/    the scores (artifact "scores"); the entry "row" of its manifest is the row
<folder>/<name>.json       the same row, sealed, written after that commit
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compress.artifacts.folder import load_folder
from compress.artifacts.sealed import read_sealed, write_sealed
from compress.errors import DataError, NotFoundError
from compress.evaluation.fields import Fields, again
from compress.evaluation.row import SCHEMA_VERSION, Row

SCORES, ROW = "scores", "row"


def read_row(path: Path) -> Row:
    """The row that an evaluation file holds.

    Raises:
        CorruptArtifactError: not JSON, or a field is missing or wrong; names the file and the field.
        DataError: written with a schema version that this code does not know.
        StorageError: the file cannot be read.
    """
    return Row.from_json(read_fields(path))


def read_fields(path: Path) -> Fields:
    """The fields of a row of SCHEMA_VERSION; raises as `read_row`.

    The row that was committed together with its scores counts: an evaluation that was killed right after that
    commit leaves the file of the one before.
    """
    value = read_sealed(path, again(path))
    found = Fields(_committed(path) or value, path)
    version = found.integer("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(
            f"the row has schema version {version}, this code reads version {SCHEMA_VERSION}",
            where=path,
            hint="measure the row again with `compress evaluate`, or use the compress that wrote it",
        )
    return found


def complete_row(path: Path) -> None:
    """Write the file of a row that was killed after the commit of its scores."""
    committed = _committed(path)
    if committed is not None and read_sealed(path, again(path)) != committed:
        write_sealed(path, committed)


def _committed(path: Path) -> dict[str, Any] | None:
    """The row in the manifest of the scores; None where there are none, or of version 0.1."""
    try:
        scores = path.parent / SCORES / path.stem
        row = load_folder(scores, SCORES, lambda manifest: manifest.metadata.get(ROW), verify=False)
    except NotFoundError:
        return None
    return row if isinstance(row, dict) else None

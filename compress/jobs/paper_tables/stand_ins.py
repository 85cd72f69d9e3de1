"""What stands in for what a workspace's data lack: in rows to come, and in runs that were trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compress.artifacts.atomic import read_json
from compress.errors import DataError, NotFoundError, UsageError
from compress.jobs.sources import schemas
from compress.reports import Catalogue, StandIn, catalogue
from compress.workspace import Workspace


def stand_ins(workspace: Workspace, rows: Catalogue | None = None) -> dict[str, StandIn]:
    """For each row whose encoder asks for more than the workspace's data have, what it takes instead.

    Nothing where the data are not known: a report of what was measured needs no shards, so they may be gone.

    Args:
        workspace: with shards, or without.
        rows: in place of the catalogue, for tests.
    """
    known = rows or catalogue()
    try:
        levels = schemas(workspace, workspace.defaults.on_corrupt)
    except (UsageError, NotFoundError, DataError):
        return {}
    found = {row.run: known.stand_in(row, levels[row.level].dim) for row in known.rows if row.level in levels}
    return {run: stand_in for run, stand_in in found.items() if stand_in is not None}


def stand_in_notes(workspace: Workspace, rows: Catalogue | None = None) -> dict[str, list[str]]:
    """For each run that was trained with a stand-in for what its data lack, the note that says so."""
    known = rows or catalogue()
    notes: dict[str, list[str]] = {}
    for row in known.rows:
        for stand_in in known.stand_ins:
            if stand_in.encoder == row.encoder and _was_trained_with(workspace, row.run, stand_in.options):
                notes.setdefault(row.run, []).append(stand_in.note)
    return notes


def _was_trained_with(workspace: Workspace, run: str, options: Mapping[str, Any]) -> bool:
    path = workspace.run(run) / "config.json"
    if not path.exists():
        return False
    content = read_json(path)
    chosen = content.get("config", {}).get("encoder_options", {}) if isinstance(content, dict) else {}
    return all(chosen.get(name) == value for name, value in options.items())

"""Which runs were trained with a stand-in for what their data lack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compress.artifacts.atomic import read_json
from compress.reports import Catalogue, catalogue
from compress.workspace import Workspace


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

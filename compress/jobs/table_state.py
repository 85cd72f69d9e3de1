"""How far each row of a table is in a workspace, and whether its data fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import read_bytes, read_json
from compress.artifacts.folder import read_folder
from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import FeatureSchema
from compress.errors import DataError, NotFoundError
from compress.jobs.sources import open_split
from compress.reports import Catalogue, CatalogueRow, catalogue, read_model
from compress.workspace import Workspace


class State(StrEnum):
    """How far a row is."""

    MEASURED = "measured"
    TRAINED = "trained"
    PARTLY_TRAINED = "partly trained"
    TO_DO = "to do"
    DOES_NOT_FIT = "does not fit"


@dataclass(frozen=True)
class Standing:
    """The state of a row, the epochs that are done, and the reason where its data do not fit."""

    state: State
    epochs_done: int = 0
    reason: str = ""


def schemas(workspace: Workspace, on_corrupt: OnCorrupt) -> dict[str, FeatureSchema]:
    """What the workspace's training shards hold, by level: "video", "frame" or both.

    Raises:
        UsageError: the workspace has no shards.
        NotFoundError, DataError: they are gone or damaged.
    """
    levels = ("video", "frame") if workspace.train_frames else ("video",)  # which may well hold frames
    found = [open_split(workspace, "train", (), on_corrupt, level=level).schema for level in levels]
    return {schema.level: schema for schema in found}


def standing(workspace: Workspace, row: CatalogueRow, levels: dict[str, FeatureSchema]) -> Standing:
    """How far a row is, from what lies in runs/ and evaluation/models/.

    A row whose run was trained again since it was measured, or whose evaluation is damaged, is `TRAINED`.
    """
    run = workspace.run(row.run)
    model = run / "model" / "manifest.json"
    if _is_measured(workspace.evaluation / "models", row.run, model.parent if model.exists() else None):
        return Standing(State.MEASURED)
    if row.level not in levels:
        has = " and ".join(f"{level}-level" for level in levels)
        return Standing(State.DOES_NOT_FIT, reason=f"it reads {row.level}-level data, the shards are {has}")
    if model.exists():
        return Standing(State.TRAINED)
    epochs = _logged_epochs(run / "log.jsonl")
    if epochs or (run / "checkpoint" / "manifest.json").exists():
        return Standing(State.PARTLY_TRAINED, epochs)
    return Standing(State.TO_DO)


def _is_measured(evaluations: Path, run: str, model: Path | None) -> bool:
    row, scores = evaluations / f"{run}.json", evaluations / "scores" / run / "manifest.json"
    if not (row.exists() and scores.exists()):
        return False
    try:
        measured = read_model(row)
        if model is None:
            return True  # a run that was thrown away to save the disk was measured all the same
        weights = read_folder(model, "model", verify=False).files["model.safetensors"]
    except (DataError, NotFoundError, KeyError):
        return False
    return measured.model_sha256 == (weights.sha256,)


def _logged_epochs(log: Path) -> int:
    return sum(line.endswith(b"\n") for line in read_bytes(log).splitlines(True)) if log.exists() else 0


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

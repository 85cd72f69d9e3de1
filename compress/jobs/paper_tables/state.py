"""How far each row of a table is in a workspace, and whether its data fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from compress.artifacts.atomic import read_bytes
from compress.artifacts.folder import read_folder
from compress.datasets.schema import FeatureSchema
from compress.errors import DataError, NotFoundError
from compress.jobs.paper_tables.own_model import unlike_run
from compress.jobs.paper_tables.tasks import Task
from compress.reports import Catalogue, catalogue, read_model, read_row
from compress.reports.models.same_model import unlike_row
from compress.workspace import Workspace


class State(StrEnum):
    """How far a row is."""

    MEASURED = "measured"
    TRAINED = "trained"
    PARTLY_TRAINED = "partly trained"
    TO_DO = "to do"
    DOES_NOT_FIT = "does not fit"
    ANOTHER_MODEL = "another model"


@dataclass(frozen=True)
class Standing:
    """The state of a row, the epochs that are done, and the reason where data or model do not fit."""

    state: State
    epochs_done: int = 0
    reason: str = ""


def standing(
    workspace: Workspace, task: Task, levels: Mapping[str, FeatureSchema], rows: Catalogue | None = None
) -> Standing:
    """How far a row is, from what lies in runs/ and evaluation/.

    A row whose run was trained again since it was measured, or whose evaluation is damaged, is `TRAINED`;
    one whose name another model has, a run or an evaluation, is `ANOTHER_MODEL`.
    """
    run = workspace.run(task.run)
    model = run / "model" / "manifest.json"
    if task.codec is None:
        if differences := _another_model(workspace, task, rows or catalogue()):
            return Standing(State.ANOTHER_MODEL, reason=", ".join(differences))
        own = workspace.evaluation / "models"
        measured = _model_is_measured(own, task.run, model.parent if model.exists() else None)
    else:
        measured = _store_is_measured(workspace.evaluation, task)
    if measured:
        return Standing(State.MEASURED)
    if reason := _misfit(task, levels):
        return Standing(State.DOES_NOT_FIT, reason=reason)
    if model.exists():
        return Standing(State.TRAINED)
    epochs = _logged_epochs(run / "log.jsonl")
    if epochs or (run / "checkpoint" / "manifest.json").exists():
        return Standing(State.PARTLY_TRAINED, epochs)
    return Standing(State.TO_DO)


def _misfit(task: Task, levels: Mapping[str, FeatureSchema]) -> str:
    has = " and ".join(f"{level}-level" for level in levels)
    if task.level not in levels:
        return f"it reads {task.level}-level data, the shards are {has}"
    if task.codec is not None and "video" not in levels:
        return f"it is compared with the original video-level features, the shards are {has}"
    return ""


def _another_model(workspace: Workspace, task: Task, rows: Catalogue) -> list[str]:
    row = next((row for row in rows.rows if row.run == task.run), None)
    if row is None:
        return []
    path = workspace.evaluation / "models" / f"{row.run}.json"
    try:
        found = unlike_row(row, read_model(path)) if path.exists() else []
    except (DataError, NotFoundError):
        found = []  # a damaged one is measured again
    return found or unlike_run(workspace, row, rows)


def _model_is_measured(evaluations: Path, run: str, model: Path | None) -> bool:
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


def _store_is_measured(evaluations: Path, task: Task) -> bool:
    """Whether a row has its name, or answers the same line of Table 4."""
    for path in evaluations.glob("*.json"):
        try:
            row = read_row(path)
        except DataError:
            continue  # a damaged one is measured again, or named by the report
        if row.row == task.name or (task.answers is not None and row.table4_row == task.answers):
            return True
    return False


def _logged_epochs(log: Path) -> int:
    return sum(line.endswith(b"\n") for line in read_bytes(log).splitlines(True)) if log.exists() else 0

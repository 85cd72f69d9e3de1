"""Compares runs with the rows of the papers' tables that they are named after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from compress.artifacts.folder import read_folder
from compress.errors import DataError, NotFoundError, UsageError
from compress.jobs.sources import schemas
from compress.papers import Catalogue, CatalogueRow, StandIn, catalogue
from compress.run_config import config_path, read_run_config
from compress.workspace import Workspace


def unlike_runs(workspace: Workspace, rows: Catalogue | None = None) -> dict[str, list[str]]:
    """For each row whose finished run is another model, sentences that say what differs.

    Args:
        workspace: whose runs/ is read; a run that is gone, or whose model is damaged, is left out.
        rows: in place of the catalogue.
    """
    known = rows or catalogue()
    found = {row.run: unlike_run(workspace, row, known) for row in known.rows}
    return {run: differences for run, differences in found.items() if differences}


def unlike_run(workspace: Workspace, row: CatalogueRow, rows: Catalogue) -> list[str]:
    """What makes the finished run of a row's name another model than the row's; empty where nothing does.

    Encoder, head and every option of the encoder that the row names are compared with those in the model,
    where defaults are written out; the options of a stand-in are as good. The training is not compared.
    """
    model = _model_config(workspace, row.run)
    if model is None:
        return []
    wanted = {"encoder": row.encoder, "head": row.head}
    differences = [f"{k} {model.get(k)}, not {value}" for k, value in wanted.items() if model.get(k) != value]
    if differences:
        return differences
    chosen: Mapping[str, Any] = model.get("encoder_options") or {}
    asked = {**({} if row.dim is None else {"dim": row.dim}), **row.options}
    instead = [stand_in.options for stand_in in rows.stand_ins if stand_in.encoder == row.encoder]
    return [
        f"{name} {chosen[name]}, not {value}"
        for name, value in asked.items()
        # An option that the encoder does not have belongs to the recipe.
        if name in chosen
        and not any(_agrees(other, chosen[name]) for other in (value, *(o.get(name, value) for o in instead)))
    ]


def stand_ins(workspace: Workspace, rows: Catalogue | None = None) -> dict[str, StandIn]:
    """For each row whose encoder needs more than the workspace's data have, the replacement.

    Empty where the data are not known: a report of what was measured needs no shards, so they may be gone.
    """
    known = rows or catalogue()
    try:
        # Names of classes do not matter here, so a vocabulary that is gone does not either.
        levels = schemas(replace(workspace, vocabulary=None), workspace.defaults.on_corrupt)
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
    if not config_path(workspace.run(run)).exists():
        return False
    chosen = read_run_config(workspace.run(run))["config"].get("encoder_options", {})
    return all(chosen.get(name) == value for name, value in options.items())


def _model_config(workspace: Workspace, run: str) -> Mapping[str, Any] | None:
    try:
        config = read_folder(workspace.run(run) / "model", "model", verify=False).metadata["model_config"]
    except (DataError, NotFoundError, KeyError):
        return None
    return config if isinstance(config, dict) else None


def _agrees(asked: Any, chosen: Any) -> bool:
    """Whether a value is what was asked for, though the encoder may have added defaults inside of it."""
    if isinstance(asked, Mapping) and isinstance(chosen, Mapping):
        return all(name in chosen and _agrees(value, chosen[name]) for name, value in asked.items())
    if isinstance(asked, list | tuple) and isinstance(chosen, list | tuple):
        return len(asked) == len(chosen) and all(map(_agrees, asked, chosen))
    if isinstance(chosen, list | tuple):
        return all(_agrees(asked, each) for each in chosen)  # one value for every layer, written out
    return bool(asked == chosen)

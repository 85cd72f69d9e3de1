"""Whether the run of a row's name is a model of the row's options: a name is free to choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compress.artifacts.folder import read_folder
from compress.errors import DataError, NotFoundError
from compress.reports import Catalogue, CatalogueRow, catalogue
from compress.workspace import Workspace


def unlike_runs(workspace: Workspace, rows: Catalogue | None = None) -> dict[str, list[str]]:
    """For each row whose finished run is another model, what differs, in words.

    Args:
        workspace: whose runs/ is read; a run that was thrown away, or whose model is damaged, says nothing.
        rows: in place of the catalogue, for tests.
    """
    known = rows or catalogue()
    found = {row.run: unlike_run(workspace, row, known) for row in known.rows}
    return {run: differences for run, differences in found.items() if differences}


def unlike_run(workspace: Workspace, row: CatalogueRow, rows: Catalogue) -> list[str]:
    """What makes the finished run of a row's name another model than the row's; empty where nothing does.

    Encoder, head and every option of the encoder that the row names are compared with those that the model
    keeps, defaults written out; what stands in for what the data lack is as good. How it was trained is not.
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
        # What the encoder does not know is the recipe's.
        if name in chosen
        and not any(_agrees(other, chosen[name]) for other in (value, *(o.get(name, value) for o in instead)))
    ]


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

"""`compress shrink`: a smaller run of the workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import FeatureSchema
from compress.errors import UsageError
from compress.jobs.names import checked, find_run, is_smaller_copy
from compress.jobs.sources import load_labelled
from compress.jobs.train import delete_run
from compress.machine import choose_device
from compress.progress import Reporter, silent
from compress.run_config import config_path, read_run_config
from compress.workspace import Workspace

EPOCHS = 2
"""Passes over the training videos while weights are pruned, unless --epochs says how many."""


@dataclass(frozen=True)
class Smaller:
    """A smaller run beside the one it was made from.

    Args:
        name: of the new run. run: its folder. source: name of the old run.
        size, size_before: see `compress.evaluation.description.model_size`.
        parameters: how many the model has, by part. not_zero: how many of them are not 0.
        figures: on the validation videos; empty for a run without a head.
        figures_before: of the old run, if it was measured on the same videos; otherwise empty.
        seconds: of the work.
    """

    name: str
    run: Path
    source: str
    size: Mapping[str, Any]
    size_before: Mapping[str, Any]
    parameters: Mapping[str, int]
    not_zero: Mapping[str, int]
    figures: Mapping[str, float]
    figures_before: Mapping[str, float]
    seconds: float


def shrink_run(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    weights: str = "int8",
    prune: float = 0.0,
    scope: str = "row",
    epochs: int | None = None,
    learning_rate: float | None = None,
    output: str | None = None,
    train: Sequence[str] = (),
    validate: Sequence[str] = (),
    fresh: bool = False,
    on_corrupt: OnCorrupt = "fail",
    threads: int = 0,
    device: str = "auto",
    report: Reporter = silent,
) -> Smaller:
    """Make a smaller run, or continue making it.

    Args:
        workspace: has the run.
        dim, name: which run.
        weights: how matrices are stored: "float32", "float16" or "int8".
        prune: share of their weights that is set to 0, in [0, 1).
        scope: "global" prunes this share of all matrices together, "layer" of each, "row" of each row.
        epochs: of training while weights are pruned; None for EPOCHS, or 0 where nothing is pruned or the run
            is closed-form.
        learning_rate: of these epochs; None for the run's own.
        output: name of the new run; None: the run's with a suffix such as -w8-p80.
        train, validate: patterns of shards; none means the workspace's.
        fresh: delete an earlier run of that name first.
        on_corrupt: what happens to unusable records.
        threads: 0 for all. device: "auto", "cpu" or "cuda".
        report: gets progress and notes.

    Raises:
        NotFoundError: no such run, or it has not finished.
        UsageError: an option out of range, a name that is taken, or no shards.
        SchemaError: shards and run do not fit.
        DataError, DivergedError: see `compress.shrinking.shrink`.
        LockedError: another process writes the new run right now.
    """
    source = find_run(workspace, dim, name)

    # Imported late: torch takes seconds, and a wrong name should be answered at once.
    from compress.evaluation.description import model_size
    from compress.shrinking import ShrinkPlan, shrink
    from compress.training.run import model_manifest

    facts = model_manifest(workspace.run(source)).metadata
    has_head = facts["model_config"]["head"] is not None
    if epochs is None:
        epochs = EPOCHS if prune and has_head else 0
    plan = ShrinkPlan(
        weights=weights,  # type: ignore[arg-type]  # checked by the plan
        prune=prune,
        scope=scope,  # type: ignore[arg-type]
        epochs=epochs,
        learning_rate=learning_rate,
    )
    output = checked(output or f"{source}-{plan.suffix}", "--output")
    run = workspace.run(output)
    _check_output(run, source)
    schema = FeatureSchema.from_json(facts["schema"])
    splits = {"train": train} if plan.epochs and has_head else {}
    splits |= {"validate": validate} if has_head else {}
    tables = {
        split: load_labelled(workspace, split, given, schema, on_corrupt, report)
        for split, given in splits.items()
    }
    if fresh and run.exists():
        delete_run(run, report)
    done = shrink(
        workspace.run(source),
        run,
        plan,
        tables.get("train"),
        tables.get("validate"),
        device=choose_device(device),
        threads=threads,
        report=report,
    )
    smaller = model_manifest(run).metadata
    before, after = (
        read_run_config(folder).get("validation") if config_path(folder).exists() else None
        for folder in map(workspace.run, (source, output))
    )
    return Smaller(
        name=output,
        run=run,
        source=source,
        size=model_size(run),
        size_before=model_size(workspace.run(source)),
        parameters=smaller["parameters"],
        not_zero=smaller["shrunk"]["not_zero"],
        figures=done.figures,
        figures_before=facts["figures"] if before == after else {},
        seconds=done.seconds,
    )


def _check_output(run: Path, source: str) -> None:
    """UsageError if the new run would replace one that `compress shrink` did not make."""
    if run.name == source or (config_path(run).exists() and not is_smaller_copy(run)):
        raise UsageError(
            "is the name of another run", where=f"--output {run.name}", hint="choose another one"
        )

"""`compress evaluate`: what are the stored embeddings still good for, and how good are trained runs?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import compute_options, dim_option, head_mixup_option, name_option, on_corrupt_option
from cli.session import Session
from cli.text import size, table

if TYPE_CHECKING:
    from compress.training.precision import Wanted


@click.command()
@dim_option
@name_option
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="NAME",
    help="Measure this trained run with its own head, not a store; given several times, the mean of all.",
)
@click.option(
    "--validate",
    multiple=True,
    metavar="PATTERN",
    help="With --run: shards to measure on, instead of the workspace's.",
)
@click.option(
    "--again", is_flag=True, help="With --run: measure it also when nothing changed since the last time."
)
@click.option(
    "--baseline",
    metavar="NAME",
    show_default="original; with --run, none",
    help="The store that deltas are measured against; with --run, another evaluated run or ensemble.",
)
@click.option(
    "--head-epochs",
    type=click.IntRange(min=1),
    show_default="the preset's",
    help="Passes over the data of the fresh head; not with --run.",
)
@head_mixup_option
@click.option(
    "--retrieval/--no-retrieval",
    default=None,
    show_default="retrieval",
    help="Also measure the quality of the nearest neighbours; not with --run.",
)
@click.option(
    "--full-map",
    is_flag=True,
    help="Also compute MAP over all scores, not within the top 20; scores the videos twice more.",
)
@click.option(
    "--precision",
    type=click.Choice(("auto", "fp32", "bf16")),
    show_default="auto: as each was trained, but fp32 where the machine has no bf16",
    help="With --run: numbers to compute with.",
)
@on_corrupt_option
@compute_options
@click.pass_obj
def evaluate(
    session: Session,
    dim: int | None,
    name: str | None,
    runs: tuple[str, ...],
    validate: tuple[str, ...],
    again: bool,
    baseline: str | None,
    head_epochs: int | None,
    head_mixup: float | None,
    retrieval: bool | None,
    full_map: bool,
    precision: Wanted | None,
) -> None:
    """GAP, MAP, PERR, Hit@1 with intervals: of a fresh head on stored embeddings, or of trained runs.

    --dim or --name: a store; a fresh head is trained on it. --run: the mean of the runs' own heads, on the
    validation shards; --name then names the ensemble.
    """
    of_stores: dict[str, object] = {"--dim": dim, "--head-epochs": head_epochs}
    of_stores |= {"--head-mixup": head_mixup, "--retrieval": retrieval}
    of_runs: dict[str, object] = {
        "--validate": validate or None,
        "--again": again or None,
        "--precision": precision,
    }
    for option, value in (of_stores if runs else of_runs).items():
        if value is not None:
            raise click.UsageError(f"{option} {'does not go with' if runs else 'needs'} --run.")
    if runs:
        _evaluate_runs(session, runs, name, baseline, validate, again, precision or "auto", full_map)
    else:
        with_neighbours = retrieval is not False
        head = (head_epochs, head_mixup or 0.0)
        _evaluate_store(session, dim, name, baseline or "original", head, with_neighbours, full_map)


def _evaluate_store(
    session: Session,
    dim: int | None,
    name: str | None,
    baseline: str,
    head: tuple[int | None, float],
    retrieval: bool,
    full_map: bool,
) -> None:
    from compress.jobs.evaluate import evaluate_store
    from compress.jobs.evaluation_requests import EvaluateRequest

    request = EvaluateRequest(
        dim=dim,
        name=name,
        baseline=baseline,
        head_epochs=head[0],
        head_mixup=head[1],
        retrieval=retrieval,
        seed=session.settings.seed,
        threads=session.settings.threads,
        device=session.settings.device,
        full_map=full_map,
    )
    with session.working() as report:
        row = evaluate_store(session.workspace, request, report)
    session.show(row, lambda: _figures(row, row["row"]))


def _evaluate_runs(
    session: Session,
    runs: tuple[str, ...],
    name: str | None,
    baseline: str | None,
    validate: tuple[str, ...],
    again: bool,
    precision: Wanted,
    full_map: bool,
) -> None:
    from compress.jobs.evaluate_models import evaluate_runs
    from compress.jobs.evaluation_requests import EvaluateModelsRequest
    from compress.jobs.names import checked

    for run in runs:
        checked(run, "--run")
    request = EvaluateModelsRequest(
        runs=runs,
        name=name,
        baseline=baseline,
        validate=validate,
        again=again,
        on_corrupt=session.settings.on_corrupt,
        seed=session.settings.seed,
        threads=session.settings.threads,
        device=session.settings.device,
        precision=precision,
        full_map=full_map,
    )
    with session.working() as report:
        row = evaluate_runs(session.workspace, request, report)
    session.show(row, lambda: f"{_model(row)}\n{_figures(row, row['name'])}")


def _model(row: dict[str, Any]) -> str:
    """What was measured; rows of earlier versions do not tell how large it is."""
    return row["title"] + (f", {size(row['model_bytes'])}" if "model_bytes" in row else "")


def _figures(row: dict[str, Any], title: str) -> str:
    from compress.metrics import METRICS  # not before: numpy

    figures, deltas = row["figures"], row["delta"] or {}
    rows: list[tuple[str, ...]] = [
        (name, f"{figures[name]['value']:.4f}", _interval(figures[name]), *_delta(deltas.get(name)))
        for name in METRICS
    ]
    for name, value in row.get("map_full", {}).items():
        rows.append((f"{name} of all scores", f"{value:.4f}", "", "", ""))
    return table(("figure", title, "95 % interval", "change", "95 % interval"), rows)


def _delta(delta: dict[str, Any] | None) -> tuple[str, str]:
    return ("", "") if delta is None else (f"{delta['value']:+.4f}", _interval(delta, "+"))


def _interval(figure: dict[str, Any], sign: str = "") -> str:
    return f"{figure['low']:{sign}.4f} to {figure['high']:{sign}.4f}"

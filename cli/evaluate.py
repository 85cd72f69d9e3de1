"""`compress evaluate`: how good stored embeddings are for a fresh head, and trained runs with their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.judge_options import head_epochs_option, head_mixup_option, heads_option
from cli.options import compute_options, description_options, dim_option, name_option, on_corrupt_option
from cli.session import Session
from cli.text import size, table
from cli.types import whole
from compress.limits import COUNT

if TYPE_CHECKING:
    from compress.datasets.policy import OnCorrupt

ONLY_RUNS = ("validate", "again", "precision")
OF_STORES, OF_RUNS = "Of a store (fresh head)", "With --run"


@click.command()
@dim_option
@name_option
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="NAME",
    help="Evaluate this trained run with its own head. May be repeated: the mean of several runs.",
)
@click.option(
    "--baseline",
    metavar="NAME",
    show_default="original; with --run, none",
    help="The store that changes are measured against; with --run, another evaluated run or ensemble.",
)
@click.option(
    "--full-map",
    is_flag=True,
    help="Also compute MAP over all scores, not only the top 20; scores the videos twice more.",
)
@heads_option
@click.option(
    "--seeds",
    type=whole(COUNT),
    show_default="3; 1 from 50,000 videos on",
    panel=OF_STORES,
    help="Heads that each trained judge is the mean of. With 2 or more, intervals cover their seeds too.",
)
@head_epochs_option
@head_mixup_option
@click.option(
    "--retrieval/--no-retrieval",
    default=None,
    show_default="retrieval",
    panel=OF_STORES,
    help="Also measure the quality of the nearest neighbours.",
)
@click.option(
    "--validate",
    multiple=True,
    metavar="PATTERN",
    panel=OF_RUNS,
    help="Shards to measure on, instead of the workspace's; may be repeated.",
)
@click.option(
    "--again", is_flag=True, default=None, panel=OF_RUNS, help="Measure again although nothing has changed."
)
@click.option(
    "--precision",
    type=click.Choice(("auto", "fp32", "bf16")),
    show_default="auto: as each run was trained, but fp32 if the machine has no bf16",
    panel=OF_RUNS,
    help="Number format to compute in.",
)
@description_options()
@on_corrupt_option
@compute_options("seed", "threads", "device")
@click.pass_obj
def evaluate(
    session: Session,
    /,
    runs: tuple[str, ...],
    name: str | None,
    baseline: str | None,
    full_map: bool,
    seed: int,
    threads: int,
    device: str,
    on_corrupt: OnCorrupt,
    **special: Any,
) -> None:
    """Measure GAP, MAP, PERR and Hit@1 with intervals: of a fresh head on stored embeddings, or of runs.

    With --dim or --name, a panel of fresh heads judges that store; each trains until it stops improving on
    training videos that are set aside, and the best judge of the row is compared with the best of the
    baseline. With --run, trained runs are measured with their own heads on the validation shards; --name then
    names the ensemble.

    GAP: global average precision. MAP: mean average precision over classes. PERR: precision at equal recall
    rate. Hit@1: share of videos whose best guess is right.
    """
    given = {option: value for option, value in special.items() if value is not None and value != ()}
    for option in given:
        if (option in ONLY_RUNS) != bool(runs):
            flag = f"--{option.replace('_', '-')}"
            raise click.UsageError(f"{flag} {'does not go with' if runs else 'needs'} --run.")
    if not runs and session.description.said():
        (flag, *_) = session.description.said()
        raise click.UsageError(f"--{flag.replace('_', '-')} needs --run.")
    if baseline is not None:
        given["baseline"] = baseline
    given |= {"name": name, "full_map": full_map, "seed": seed, "threads": threads, "device": device}
    if runs:
        from compress.jobs.evaluate import evaluate_runs

        with session.working() as report:
            row = evaluate_runs(session.workspace, runs=runs, on_corrupt=on_corrupt, **given, report=report)
        session.show(row, lambda: f"{_model(row)}\n{_figures(row, row['name'])}", kept=True)
    else:
        from compress.jobs.evaluate import evaluate_store

        with session.working() as report:
            row = evaluate_store(session.workspace, **given, report=report)
        session.show(row, lambda: f"{_figures(row, row['row'])}\n\n{_judges(session, row['row'])}", kept=True)


def _model(row: dict[str, Any]) -> str:
    """What was measured; rows of earlier versions do not tell how large it is."""
    return row["title"] + (f", {size(row['model_bytes'])}" if "model_bytes" in row else "")


def _judges(session: Session, store: str) -> str:
    from cli.judges import judges_text  # not before: torch

    return judges_text(session.workspace, store)


def _figures(row: dict[str, Any], measured: str) -> str:
    from compress.metrics import METRICS  # not before: numpy

    figures, deltas = row["figures"], row["delta"] or {}
    titles = {metric.name: metric.title for metric in METRICS}
    rows: list[tuple[str, ...]] = [
        (title, f"{figures[name]['value']:.4f}", _interval(figures[name]), *_delta(deltas.get(name)))
        for name, title in titles.items()
        if name in figures
    ]
    for name, value in row.get("map_full", {}).items():
        rows.append((f"{titles[name]} of all scores", f"{value:.4f}", "", "", ""))
    return table(("figure", measured, "95 % interval", "change", "95 % interval"), rows)


def _delta(delta: dict[str, Any] | None) -> tuple[str, str]:
    return ("", "") if delta is None else (f"{delta['value']:+.4f}", _interval(delta, "+"))


def _interval(figure: dict[str, Any], sign: str = "") -> str:
    return f"{figure['low']:{sign}.4f} to {figure['high']:{sign}.4f}"

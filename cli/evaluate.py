"""`compress evaluate`: what are the stored embeddings still good for?"""

from __future__ import annotations

from typing import Any

import rich_click as click

from cli.options import compute_options, dim_option, name_option
from cli.session import Session
from cli.text import table


@click.command()
@dim_option
@name_option
@click.option(
    "--baseline", metavar="NAME", default="original", help="The store that deltas are measured against."
)
@click.option(
    "--head-epochs",
    type=click.IntRange(min=1),
    show_default="the preset's",
    help="Passes over the data of the fresh head.",
)
@click.option(
    "--retrieval/--no-retrieval", default=True, help="Also measure the quality of the nearest neighbours."
)
@compute_options
@click.pass_obj
def evaluate(
    session: Session,
    dim: int | None,
    name: str | None,
    baseline: str,
    head_epochs: int | None,
    retrieval: bool,
) -> None:
    """Train a fresh head on the stored embeddings: GAP, MAP, PERR, Hit@1 with intervals, and what changed."""
    from compress.jobs.evaluate import EvaluateRequest, evaluate_store

    request = EvaluateRequest(
        dim=dim,
        name=name,
        baseline=baseline,
        head_epochs=head_epochs,
        retrieval=retrieval,
        seed=session.settings.seed,
        threads=session.settings.threads,
        device=session.settings.device,
    )
    with session.working() as report:
        row = evaluate_store(session.workspace, request, report)
    session.show(row, lambda: table(*_figures(row)))


def _figures(row: dict[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    deltas = row["delta"] or {}
    rows: list[tuple[str, ...]] = [
        (name, f"{figure['value']:.4f}", _interval(figure), *_delta(deltas.get(name)))
        for name, figure in row["figures"].items()
    ]
    return ("figure", row["row"], "95 % interval", "change", "95 % interval"), rows


def _delta(delta: dict[str, Any] | None) -> tuple[str, str]:
    return ("", "") if delta is None else (f"{delta['value']:+.4f}", _interval(delta, "+"))


def _interval(figure: dict[str, Any], sign: str = "") -> str:
    return f"{figure['low']:{sign}.4f} to {figure['high']:{sign}.4f}"

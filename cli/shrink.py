"""`compress shrink`: make a trained model smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import (
    compute_options,
    description_options,
    dim_option,
    name_option,
    on_corrupt_option,
    train_shards_option,
    validate_shards_option,
)
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, size
from cli.types import real, whole
from compress.limits import COUNT, LIMITS, Limit

if TYPE_CHECKING:
    from compress.jobs.shrink import Smaller


@click.command()
@dim_option
@name_option
@click.option(
    "--weights",
    type=click.Choice(("float32", "float16", "int8")),
    default="int8",
    help="How weight matrices are stored: 4, 2 or 1 bytes per weight (int8: and one factor per row).",
)
@click.option(
    "--prune",
    type=real(Limit(at_least=0, below=1)),
    default=0.0,
    metavar="SHARE",
    help="Set this share of the weights, the smallest, to 0; zeros take almost no space.",
)
@click.option(
    "--scope",
    type=click.Choice(("global", "layer", "row")),
    default="row",
    help="Where SHARE applies: to all matrices together, to each matrix, or to each row of each matrix.",
)
@click.option(
    "--epochs",
    type=whole(Limit(at_least=0, at_most=COUNT.at_most)),
    show_default="2 when pruning, otherwise 0",
    help="Passes over the data in which encoder and head are trained while weights are pruned.",
)
@click.option(
    "--learning-rate",
    type=real(LIMITS["learning_rate"]),
    show_default="the run's",
    help="The highest of these passes.",
)
@click.option(
    "--output",
    metavar="NAME",
    show_default="the run's name with a suffix such as -w8-p80",
    help="Name of the new run.",
)
@click.option("--fresh", is_flag=True, help="Delete an earlier run of this name and start over.")
@train_shards_option
@validate_shards_option
@description_options()
@on_corrupt_option
@compute_options("threads", "device")
@click.pass_obj
def shrink(session: Session, /, **options: Any) -> None:
    """Make the model of a trained run smaller: fewer bits per weight, fewer weights.

    The result is a run of its own that encodes and is evaluated like any other; select it with --name. The
    old run stays. Run the same command again to continue after Ctrl-C or a crash.
    """
    from compress.jobs.shrink import shrink_run

    with session.working() as report:
        done = shrink_run(session.workspace, **options, report=report)
    following = session.next(f"compress encode --name {done.name}")
    session.show(done, lambda: aligned({**_told(done), "next": following}), kept=True)


def _told(done: Smaller) -> dict[str, str]:
    from compress.metrics import METRICS  # imported late: it takes numpy

    before, after = done.size_before["bytes"], done.size["bytes"]
    numbers, left = sum(done.parameters.values()), sum(done.not_zero.values())
    figures = {
        metric.title: f"{done.figures[metric.name]:.4f}"
        + (f" (before {done.figures_before[metric.name]:.4f})" if metric.name in done.figures_before else "")
        for metric in METRICS
        if metric.column and metric.name in done.figures
    }
    return {
        "run": str(done.run),
        "model": f"{size(after)}, {before / after:.1f} times smaller than {size(before)}",
        "of the encoder": f"{size(done.size['parts']['encoder'])} (before "
        f"{size(done.size_before['parts']['encoder'])})",
        "parameters": f"{numbers:,}, {left:,} of them not 0",
        **figures,
        "took": duration(done.seconds),
    }

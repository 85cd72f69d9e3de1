"""`compress shrink`: make a trained model smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import (
    compute_options,
    dim_option,
    name_option,
    on_corrupt_option,
    train_shards_option,
    validate_shards_option,
)
from cli.progress import duration
from cli.session import Session
from cli.text import facts, size

if TYPE_CHECKING:
    from compress.jobs.shrink import Smaller


@click.command()
@dim_option
@name_option
@click.option(
    "--weights",
    type=click.Choice(("float32", "float16", "int8")),
    default="int8",
    help="How the weights of matrices are stored: 4 or 2 bytes, or 1 and a factor for each row.",
)
@click.option(
    "--prune",
    type=click.FloatRange(min=0, max=1, max_open=True),
    default=0.0,
    metavar="SHARE",
    help="Set the smallest weights to 0, this share of all; zeros take next to no room.",
)
@click.option(
    "--scope",
    type=click.Choice(("global", "layer", "row")),
    default="row",
    help="Prune this share of all matrices together, of each, or of the weights of each output number.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=0),
    show_default="2 where weights are pruned, else 0",
    help="Train encoder and head so many passes while they are pruned.",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    show_default="the run's",
    help="The highest of these passes.",
)
@click.option(
    "--output",
    metavar="NAME",
    show_default="the run's, with what was done behind it: RUN-w8-p80",
    help="Name of the new run.",
)
@train_shards_option
@validate_shards_option
@click.option("--fresh", is_flag=True, help="Throw away what an earlier call left under this name.")
@on_corrupt_option
@compute_options("threads", "device")
@click.pass_obj
def shrink(session: Session, /, **options: Any) -> None:
    """Make a smaller model of a trained run: fewer bits a weight, fewer weights.

    The result is a run of its own, which encodes and is evaluated like any other; the old one stays. Run it
    again to go on after Ctrl-C or a crash.
    """
    from compress.jobs.shrink import shrink_run

    with session.working() as report:
        done = shrink_run(session.workspace, **options, report=report)
    session.show(done, lambda: facts(_told(done)))


def _told(done: Smaller) -> dict[str, str]:
    before, after = done.size_before["bytes"], done.size["bytes"]
    numbers, left = sum(done.parameters.values()), sum(done.not_zero.values())
    figures = {
        name: f"{done.figures[name]:.4f}"
        + (f" (before {done.figures_before[name]:.4f})" if name in done.figures_before else "")
        for name in ("gap", "map", "perr", "hit_at_one")
        if name in done.figures
    }
    return {
        "run": str(done.run),
        "model": f"{size(after)}, {before / after:.1f} times smaller than {size(before)}",
        "of the encoder": f"{size(done.size['parts']['encoder'])} (before "
        f"{size(done.size_before['parts']['encoder'])})",
        "parameters": f"{numbers:,}, {left:,} of them not 0",
        **figures,
        "took": duration(done.seconds),
        "next": f"compress encode --name {done.name}",
    }

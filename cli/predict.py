"""`compress predict`: the most probable labels of new videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import (
    compute_options,
    description_options,
    on_corrupt_option,
    precision_option,
    vocabulary_option,
)
from cli.progress import duration
from cli.session import Session, VisibleOut
from cli.text import aligned
from cli.types import whole
from compress.limits import COUNT, LIMITS

if TYPE_CHECKING:
    from compress.jobs.predict import Threshold


class Limit(click.ParamType):
    """`per-class`, `global`, or a number from 0 to 1."""

    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | float:
        if value in ("per-class", "global"):
            return str(value)
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 <= number <= 1:
            self.fail(f"{value!r} is not per-class, global or a number from 0 to 1", param, ctx)
        return number


@click.command()
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@click.option("--run", required=True, metavar="NAME", help="The trained run whose head gives the labels.")
@click.option("--top", type=whole(COUNT), default=20, help="How many labels a video gets at most.")
@click.option(
    "--format",
    type=click.Choice(("table", "csv", "jsonl", "parquet", "kaggle")),
    show_default="by the suffix of --output, otherwise table",
    help="The form. jsonl: a JSON object per line; kaggle: a submission, VideoId,LabelConfidencePairs.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    show_default="standard output",
    help="The file to write; it appears when all videos are done.",
)
@click.option("--replace", is_flag=True, help="Write over an --output that is there.")
@click.option(
    "--threshold",
    type=Limit(),
    metavar="per-class|global|P",
    show_default="none: --top labels",
    help="Give only labels of at least this probability: P, or what gives the highest F1 on the workspace's "
    "validation videos, for each class or for all of them.",
)
@vocabulary_option
@click.option(
    "--batch-size",
    type=whole(LIMITS["batch_size"]),
    show_default="512, frame-level 64; on a GPU 1024 and 256",
    help="Videos at once per thread; more videos need more memory.",
)
@precision_option
@description_options()
@on_corrupt_option
@compute_options("device")
@click.pass_obj
def predict(session: Session, /, output: Path | None, **options: Any) -> None:
    """Give new videos their most probable labels, with names and probabilities.

    The videos need no labels; those that they have are not looked at. Any number of them takes the memory of
    one batch.
    """
    if output is None and session.json:
        raise click.UsageError("--json prints a summary, so the labels need --output FILE.")
    from compress.jobs.predict import predict_videos

    with session.working() as report:
        done = predict_videos(session.workspace, output=output, stream=VisibleOut(), **options, report=report)
    if output is None:
        return
    session.show(
        done,
        lambda: aligned(
            {
                "predictions": done.output,
                "videos": f"{done.videos:,}",
                "labels": f"{done.labels:,} ({done.labels / max(1, done.videos):.1f} per video)",
                "threshold": None if done.threshold is None else _limit(done.threshold),
                "took": duration(done.seconds),
            }
        ),
        kept=True,
    )


def _limit(chosen: Threshold) -> str:
    if chosen.f1 is None:
        return f"{chosen.value:g}"
    own = f"{chosen.own_classes:,} of {chosen.num_classes:,} classes have their own, others "
    words = f"{own if chosen.kind == 'per-class' else ''}{chosen.value:.3f}"
    return f"{words}; F1 {chosen.f1:.3f} on the validation videos that chose it; kept in {chosen.file}"

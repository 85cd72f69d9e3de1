"""`compress search`: the videos most like one video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import compute_options, dim_option, store_option, vocabulary_option
from cli.session import Session
from cli.text import table
from cli.types import whole
from compress.foreign_text import one_line
from compress.limits import COUNT, Limit

if TYPE_CHECKING:
    from compress.jobs.search import Answer


def _as_id(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """VIDEO_ID is --id without the name of the option."""
    if value is None:
        return
    if context.params.get("video_id") is not None:
        raise click.UsageError("give VIDEO_ID or --id, not both", context)
    context.params["video_id"] = value


@click.command()
@click.argument("given", metavar="[VIDEO_ID]", required=False, expose_value=False, callback=_as_id)
@click.option(
    "--id",
    "video_id",
    metavar="VIDEO_ID",
    is_eager=True,  # before the argument, which may fill it
    help="The same as VIDEO_ID, for an id that begins with -: --id=-abc.",
)
@click.option(
    "--row",
    type=whole(Limit(at_least=0, at_most=COUNT.at_most)),
    help="Search for the video in this row of the store.",
)
@click.option(
    "--vector",
    type=click.Path(path_type=Path),
    metavar="FILE.npy",
    help="Search for an embedding: an array (dim,), or the first row of (n, dim).",
)
@click.option("--k", type=whole(COUNT), default=10, help="How many videos to find.")
@vocabulary_option
@click.option(
    "--verify",
    is_flag=True,
    help="Check the checksums of store and index now; otherwise once in 24 hours, and when they change.",
)
@dim_option
@store_option
@compute_options()
@click.pass_obj
def search(session: Session, /, **options: Any) -> None:
    """Find the videos most similar to VIDEO_ID, with score and labels, without the video itself."""
    from compress.jobs.search import search_store

    with session.working() as report:
        answer = search_store(session.workspace, **options, report=report)
    session.show(answer, lambda: answer_text(answer))


def answer_text(answer: Answer) -> str:
    """The question and the videos that were found, as a table."""
    rows = [
        (place, hit.video_id, hit.score, ", ".join(hit.labels))
        for place, hit in enumerate(answer.neighbours, 1)
    ]
    return f"{one_line(answer.query)}\n\n" + table(("", "video", "score", "labels"), rows)

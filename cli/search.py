"""`compress search`: the videos most like one video, or like each of many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import compute_options, dim_option, store_option, vocabulary_option
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, table
from cli.types import Finite, real, whole
from compress.foreign_text import one_line
from compress.limits import COUNT, Limit

if TYPE_CHECKING:
    from compress.jobs.search import Answer, Answers


def _as_ids(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> None:
    """VIDEO_ID is --id without the name of the option."""
    if options := [word for word in value if any(word in one.opts for one in context.command.params)]:
        raise click.UsageError(f"{options[0]!r} was taken for an id; options go before --", context)
    context.params["video_ids"] = (*context.params.get("video_ids", ()), *value)


@click.command()
@click.argument("given", metavar="[VIDEO_ID]...", nargs=-1, expose_value=False, callback=_as_ids)
@click.option(
    "--id",
    "video_ids",
    metavar="VIDEO_ID",
    multiple=True,
    is_eager=True,  # before the arguments, which are added to it
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
    help="Search for an embedding, or for raw features, which are encoded first: an array (dim,).",
)
@click.option(
    "--features",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Search for raw features, also where they have the size of an embedding.",
)
@click.option(
    "--queries",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Search for each row of a file: .npy (queries, dim), Parquet, a store, shards, or ids in a .txt.",
)
@click.option(
    "--run", metavar="NAME", show_default="that of the store", help="The run that encodes features."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what was found to .parquet, .csv or .jsonl; needed for more than one query.",
)
@click.option("--replace", is_flag=True, help="Write over an --output that is there.")
@click.option("--k", type=whole(COUNT), default=10, help="How many videos to find at most.")
@click.option(
    "--offset",
    type=whole(Limit(at_least=0, at_most=COUNT.at_most)),
    default=0,
    help="How many better ones to pass over: for the next page.",
)
@click.option("--min-score", type=Finite(), help="Find only videos of this score or a higher one.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="ID|FILE",
    help="A video that is not to be found, or a text file of ids; may be repeated.",
)
@click.option(
    "--mmr",
    type=real(Limit(at_least=0, at_most=1)),
    metavar="LAMBDA",
    help="Diverse results by maximal marginal relevance: 1 is relevance alone, 0 diversity alone.",
)
@click.option(
    "--rerank",
    metavar="STORE|CODEC",
    help="Rank what the index finds by a larger codec of the same videos.",
)
@click.option(
    "--depth", type=whole(COUNT), default=100, help="Candidates that --mmr and --rerank choose from."
)
@vocabulary_option
@click.option(
    "--verify",
    is_flag=True,
    help="Check the checksums of store and index now; otherwise once in 24 hours, and when they change.",
)
@dim_option
@store_option
@compute_options("device")
@click.pass_obj
def search(session: Session, /, **options: Any) -> None:
    """Find the videos most similar to VIDEO_ID, with score and labels, without the video itself.

    The mean of several videos finds what is like all of them.
    """
    from compress.jobs.search import search_store

    with session.working() as report:
        answer = search_store(session.workspace, **options, report=report)
    session.show(answer, lambda: answer_text(answer))


def answer_text(answer: Answer | Answers) -> str:
    """The question and the videos that were found, as a table; or where the file of them is."""
    from compress.jobs.search import Answers

    if isinstance(answer, Answers):
        facts = {"hits": answer.output, "queries": answer.queries, "rows": answer.hits}
        return aligned({**facts, "took": duration(answer.seconds)})
    rows = [
        (place, hit.video_id, hit.score, ", ".join(hit.labels))
        for place, hit in enumerate(answer.neighbours, 1 + answer.offset)
    ]
    shown = table(("", "video", "score", "labels"), rows) if rows else "no other video is found"
    return f"{one_line(answer.query)}\n\n{shown}"

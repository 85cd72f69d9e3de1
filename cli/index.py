"""`compress index`: build the index of a store."""

from __future__ import annotations

from typing import Any

import rich_click as click

from cli.options import compute_options, dim_option, store_option
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, size
from cli.types import whole
from compress.limits import COUNT


@click.command()
@dim_option
@store_option
@click.option(
    "--metric",
    type=click.Choice(["cosine", "ip"]),
    default="cosine",
    help="Similarity: cosine, or inner product (ip).",
)
@click.option(
    "--factory",
    metavar="TEXT",
    show_default="exact search below about 500,000 videos, otherwise IVF with fast-scan PQ and refinement",
    help="A FAISS factory string, for example IVF1024,Flat. IVF: inverted file; PQ: product quantisation.",
)
@click.option(
    "--on-codes/--decoded",
    "on_codes",
    default=None,
    show_default="on codes below 2,000,000 videos, except float32, --factory and --device cuda",
    help="Search the stored codes as they are, or a FAISS index of the decoded embeddings.",
)
@click.option(
    "--split",
    metavar="NAME",
    show_default="all videos",
    help="Index only the videos of one split, train or validate.",
)
@click.option(
    "--recall-queries",
    type=whole(COUNT),
    default=1000,
    help="How many videos measure recall@10 against exact search.",
)
@click.option("--replace", is_flag=True, help="Build it also if an index of another kind is there.")
@compute_options("seed", "device")
@click.pass_obj
def index(session: Session, /, **options: Any) -> None:
    """Build the search index of a store beside it, and measure its recall@10 against exact search."""
    from compress.jobs.index import index_store

    with session.working() as report:
        made = index_store(session.workspace, **options, report=report)
    summary = made.summary
    session.show(
        made,
        lambda: aligned(
            {
                "index": made.folder,
                "kind": f"{summary.codec} codes, as stored" if summary.codec else summary.kind,
                "metric": summary.metric,
                "videos": f"{summary.num_vectors:,}",
                "of zeros": f"{summary.zero_videos:,}" if summary.zero_videos else None,
                "size": f"{size(summary.bytes)} ({summary.bytes_per_video:,} bytes per video, plus its id)",
                "recall@10": f"{summary.recall_at_10:.4f} against exact search",
                "built on": summary.device,
                "took": duration(summary.seconds),
                "next": session.next(made.next),
            }
        ),
        kept=True,
    )

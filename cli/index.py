"""`compress index`: build the index of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import compute_options, dim_option, store_option
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, size
from cli.types import whole
from compress.limits import COUNT

if TYPE_CHECKING:
    from compress.jobs.index import IndexSummary


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
@click.option(
    "--rerank",
    metavar="STORE|CODEC",
    help="Also measure recall@10 of `compress search --rerank` with this store or codec.",
)
@click.option("--depth", type=whole(COUNT), default=100, help="Candidates that --rerank ranks.")
@click.option("--replace", is_flag=True, help="Build it also if an index of another kind is there.")
@compute_options("seed", "device")
@click.pass_obj
def index(session: Session, /, **options: Any) -> None:
    """Build the search index of a store beside it, and measure how many true neighbours it finds."""
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
                **recalls(session, summary),
                "built on": summary.device,
                "took": duration(summary.seconds),
                "next": session.next(made.next),
            }
        ),
        kept=True,
    )


def recalls(session: Session, summary: IndexSummary) -> dict[str, str | None]:
    """Both figures, each with what it is measured against: one of 1.0000 says nothing about the other."""
    of_float32 = f"of the embeddings in {summary.float32_store}"
    missing = "not measured: needs the float32 embeddings of these videos"
    if summary.float32_command is not None:
        missing = f"not measured: needs the float32 store, `{session.next(summary.float32_command)}`"
    lossy, reranked = summary.stored_as != "float32", summary.recall_at_10_reranked
    stored = f"decoded {summary.stored_as} rows" if lossy else "float32 rows"
    found = summary.recall_at_10_float32
    after = missing if reranked is None else f"{reranked:.4f} {of_float32}, by {summary.reranked_by}"
    return {
        "recall@10, stored rows": f"{summary.recall_at_10_stored:.4f} of an exact search of the {stored}",
        "recall@10, float32": (missing if found is None else f"{found:.4f} {of_float32}") if lossy else None,
        "recall@10, re-ranked": None if summary.reranked_by is None else after,
    }

"""`compress clusters`: groups of like videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import compute_options, dim_option, store_option, vocabulary_option
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, table
from cli.types import whole
from compress.limits import COUNT

if TYPE_CHECKING:
    from compress.jobs.clusters import Clustered

_SHOWN = 20


@click.command()
@dim_option
@store_option
@click.option("--k", type=whole(COUNT), default=100, help="How many groups.")
@click.option("--split", metavar="NAME", show_default="all videos", help="Group only the videos of a split.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the group of every video: FILE.parquet, FILE.csv or FILE.jsonl.",
)
@vocabulary_option
@click.option("--replace", is_flag=True, help="Write over an --output that is there.")
@compute_options("seed")
@click.pass_obj
def clusters(session: Session, /, **options: Any) -> None:
    """Divide the videos of a store into groups of like ones (k-means by cosine).

    Centres come from a sample of 256 videos for each; every video gets its nearest centre.
    """
    from compress.jobs.clusters import cluster_store

    with session.working() as report:
        found = cluster_store(session.workspace, **options, report=report)
    session.show(found, lambda: _text(found))


def _text(found: Clustered) -> str:
    more = found.k - _SHOWN
    facts = aligned(
        {
            "store": found.store,
            "videos": found.videos,
            "clusters": f"{found.k:,}" + (f", the {_SHOWN} largest below; all with --json" * (more > 0)),
            "cosine": f"{found.cosine:.4f} to the centre, on average",
            "written to": found.output,
            "took": duration(found.seconds),
        }
    )
    rows = [
        (
            each.number,
            each.size,
            each.cosine,
            each.nearest or "",
            ", ".join(f"{label} {share:.0%}" for label, share in each.labels),
        )
        for each in found.clusters[:_SHOWN]
    ]
    return f"{facts}\n\n{table(('', 'videos', 'cosine', 'nearest video', 'labels'), rows)}"

"""`compress duplicates`: videos that are nearly the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import compute_options, dim_option, store_option
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, table
from cli.types import real, whole
from compress.limits import COUNT, Limit

if TYPE_CHECKING:
    from compress.jobs.duplicates import Duplicates


@click.command()
@dim_option
@store_option
@click.option(
    "--threshold",
    type=real(Limit(above=0, at_most=1)),
    default=0.95,
    help="Cosine from which two videos are nearly the same.",
)
@click.option(
    "--split", metavar="NAME", show_default="all videos", help="Compare only the videos of a split."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every video of every group: FILE.parquet, FILE.csv or FILE.jsonl.",
)
@click.option("--pairs", is_flag=True, help="Write every pair to --output instead.")
@click.option("--show", type=whole(COUNT), default=10, help="How many groups to show, the largest.")
@click.option("--replace", is_flag=True, help="Write over an --output that is there.")
@compute_options()
@click.pass_obj
def duplicates(session: Session, /, **options: Any) -> None:
    """Find the videos of a store that are nearly the same, by comparing every one with every other.

    Two videos are in one group if their cosine reaches --threshold, or if a chain of such pairs connects
    them. Nothing is approximate: 30,000 videos take seconds, ten times as many a hundred times as long.
    """
    from compress.jobs.duplicates import find_duplicates

    with session.working() as report:
        found = find_duplicates(session.workspace, **options, report=report)
    session.show(found, lambda: _text(found))


def _text(found: Duplicates) -> str:
    facts = aligned(
        {
            "store": found.store,
            "threshold": f"cosine {found.threshold:g}",
            "videos": found.videos,
            "pairs": found.pairs,
            "groups": f"{found.groups:,}, of {found.grouped:,} videos",
            "could go": f"{found.redundant:,} videos, if one of each group stays",
            "written to": found.output,
            "took": duration(found.seconds),
        }
    )
    rows = [
        (group.name, group.size, group.cosine, ", ".join(group.ids) + ", ..." * (group.size > len(group.ids)))
        for group in found.first
    ]
    return f"{facts}\n\n{table(('group', 'videos', 'nearest', 'ids'), rows)}" if rows else facts

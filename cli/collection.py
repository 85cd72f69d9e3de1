"""`compress collection`: videos that come, go and are found, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import (
    CodecOption,
    Commands,
    compute_options,
    description_options,
    on_corrupt_option,
    vocabulary_option,
    workspace_options,
)
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, size, table
from cli.types import CodecName, real, whole
from compress.foreign_text import one_line
from compress.limits import COUNT, Limit

if TYPE_CHECKING:
    from compress.collection import Stats
    from compress.jobs.collection import Found

_File = click.Path(path_type=Path)
_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_ids_option = click.option(
    "--id",
    "more_ids",
    multiple=True,
    metavar="VIDEO_ID",
    help="The same as VIDEO_ID, for an id that begins with -: --id=-abc; may be repeated.",
)


@click.group(cls=Commands)
def collection() -> None:
    """A folder of videos that come, go and are found: add, delete, filter, search."""


@collection.command()
@_folder
@click.option(
    "--run",
    metavar="NAME|FOLDER",
    show_default="none, finished embeddings are added",
    help="The run that encodes raw features; its encoder is copied into the collection.",
)
@click.option(
    "--codec",
    type=CodecName(),
    default="int8",
    metavar="CODEC",
    cls=CodecOption,
    help="How embeddings are stored, calibrated on the first addition:",
)
@click.option(
    "--metric",
    type=click.Choice(("cosine", "ip")),
    default="cosine",
    help="How videos are compared: by cosine or by inner product.",
)
@vocabulary_option
@workspace_options
@click.pass_obj
def create(session: Session, /, **options: Any) -> None:
    """Make an empty collection in FOLDER, which must not exist or be empty."""
    from compress.jobs.collection import create_collection

    made = create_collection(session.workspace, **options)
    session.show(
        made,
        lambda: aligned(
            {
                "collection": made.folder,
                "encoder": made.encoder or "none: it takes finished embeddings",
                "codec": made.codec,
                "metric": made.metric,
                "next": f"compress collection add {made.folder} PATTERN",
            }
        ),
        kept=True,
    )


@collection.command()
@_folder
@click.argument("inputs", nargs=-1, required=True, metavar="PATTERN|FILE...")
@click.option(
    "--metadata",
    type=_File,
    metavar="FILE",
    help="A .csv, .tsv, .jsonl or .parquet with a row per video, joined by its column video_id or id.",
)
@click.option("--metadata-id", metavar="NAME", help="Its column of ids, if it is called otherwise.")
@click.option("--replace", is_flag=True, help="A video whose id is there takes the place of the older one.")
@description_options()
@on_corrupt_option
@compute_options()
@click.pass_obj
def add(session: Session, /, **options: Any) -> None:
    """Add the videos of shards, of arrays (.npy, .npz, .parquet, .h5) or of a store, in one step.

    Raw features go through the encoder of the collection; embeddings of its size are taken as they are.
    """
    from compress.jobs.collection import add_videos

    with session.working() as report:
        done = add_videos(session.workspace, **options, report=report)
    session.show(
        done,
        lambda: aligned(
            {
                "collection": done.folder,
                "added": f"{done.added:,}",
                "replaced": f"{done.replaced:,}" if done.replaced else None,
                "without metadata": f"{done.without_metadata:,}" if done.without_metadata else None,
                "unused metadata": f"{done.unused_metadata:,}" if done.unused_metadata else None,
                "videos": f"{done.videos:,}",
                "took": duration(done.seconds),
            }
        ),
        kept=True,
    )


@collection.command()
@_folder
@click.argument("video_ids", nargs=-1, metavar="[VIDEO_ID]...")
@_ids_option
@click.option("--ids", "file", type=_File, metavar="FILE", help="A text file with one id a line.")
@compute_options()
@click.pass_obj
def delete(
    session: Session, folder: Path, video_ids: tuple[str, ...], more_ids: tuple[str, ...], file: Path | None
) -> None:
    """Delete videos; no search finds them any more. `compact` removes their bytes from the disk."""
    from compress.jobs.collection import delete_videos

    wanted = (*video_ids, *more_ids)
    with session.working() as report:
        done = delete_videos(session.workspace, folder=folder, video_ids=wanted, file=file, report=report)
    command = session.next(f"compress collection compact {folder}")
    session.show(done, lambda: aligned({"deleted": f"{done.deleted:,}", "next": command}), kept=True)


@collection.command()
@_folder
@compute_options()
@click.pass_obj
def compact(session: Session, folder: Path) -> None:
    """Write the living videos anew, so that no file has bytes of deleted ones."""
    from compress.jobs.collection import compact_collection

    with session.working() as report:
        done = compact_collection(session.workspace, folder=folder, report=report)
    session.show(
        done,
        lambda: aligned(
            {
                "videos": f"{done.videos:,}",
                "removed": f"{done.removed:,}",
                "size": f"{size(done.bytes_before)} before, {size(done.bytes_after)} now",
            }
        ),
        kept=True,
    )


@collection.command()
@_folder
@compute_options()
@click.pass_obj
def stats(session: Session, folder: Path) -> None:
    """Say what a collection holds: videos, segments, bytes, and the columns of its metadata."""
    from compress.jobs.collection import collection_stats

    with session.working() as report:
        found = collection_stats(session.workspace, folder=folder, report=report)
    session.show(found, lambda: _stats_text(found))


def _stats_text(found: Stats) -> str:
    facts = {
        "videos": f"{found.videos:,}",
        "deleted": f"{found.deleted:,}, until they are compacted" if found.deleted else None,
        "encoder": found.encoder or "none: it takes finished embeddings",
        "dim": found.dim,
        "codec": found.codec,
        "bytes per video": found.bytes_per_video,
        "size": size(found.bytes),
        "metric": found.metric,
        "classes": found.num_classes or None,
        "columns": found.columns or None,
        "commits": found.generation,
    }
    rows = [(each["name"], each["videos"], each["deleted"], size(each["bytes"])) for each in found.segments]
    shown = table(("segment", "videos", "deleted", "size"), rows) if rows else "no segments"
    return f"{aligned(facts)}\n\n{shown}"


@collection.command()
@_folder
@compute_options()
@click.pass_obj
def verify(session: Session, folder: Path) -> None:
    """Compare every file of a collection with its checksum."""
    from compress.jobs.collection import verify_collection

    with session.working():
        done = verify_collection(folder=folder)
    session.show(
        done, lambda: aligned({"collection": done.folder, "videos": f"{done.videos:,}", "state": "whole"})
    )


@collection.command()
@_folder
@click.argument("video_ids", nargs=-1, metavar="[VIDEO_ID]...")
@_ids_option
@click.option(
    "--vector",
    type=_File,
    metavar="FILE.npy",
    help="Search for an embedding or raw features: an array (d,) or (1, d).",
)
@click.option("--k", type=whole(COUNT), default=10, help="How many videos to find.")
@click.option(
    "--where",
    metavar="SQL",
    help="Find only videos for which this is true: an expression over metadata, video_id and labels.",
)
@click.option("--exclude", multiple=True, metavar="VIDEO_ID", help="Do not find this video; may be repeated.")
@click.option("--min-score", type=real(Limit()), help="Find only videos that score at least this.")
@compute_options()
@click.pass_obj
def search(
    session: Session, /, folder: Path, video_ids: tuple[str, ...], more_ids: tuple[str, ...], **options: Any
) -> None:
    """Find the videos most similar to VIDEO_ID, or to the mean of several, among those that pass --where."""
    from compress.jobs.collection import search_collection

    with session.working() as report:
        found = search_collection(
            session.workspace, folder=folder, video_ids=(*video_ids, *more_ids), **options, report=report
        )
    session.show(found, lambda: _found_text(found))


def _found_text(found: Found) -> str:
    columns = list(dict.fromkeys(name for hit in found.neighbours for name in hit.metadata))
    rows = [
        (place, hit.video_id, hit.score, ", ".join(hit.labels), *(_cell(hit.metadata, c) for c in columns))
        for place, hit in enumerate(found.neighbours, 1)
    ]
    shown = table(("", "video", "score", "labels", *columns), rows) if rows else "no video passes"
    return f"{one_line(found.query)}\n\n{shown}"


def _cell(metadata: Any, column: str) -> str:
    value = metadata.get(column)
    return "" if value is None else str(value)

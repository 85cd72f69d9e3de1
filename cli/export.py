"""`compress export`: a store for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from cli.options import compute_options, vocabulary_option
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, size


@click.command()
@click.argument("store", metavar="STORE")
@click.argument("output", metavar="OUTPUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(("parquet", "npy", "safetensors", "faiss", "projector")),
    show_default="by the suffix: .parquet, .npy, .safetensors, .faiss, .tsv (projector)",
    help="The form. projector: tensors and metadata for TensorBoard's embedding projector.",
)
@click.option("--split", metavar="NAME", show_default="all videos", help="Only the videos of a split.")
@vocabulary_option
@click.option("--replace", is_flag=True, help="Write over files that are there.")
@compute_options()
@click.pass_obj
def export(session: Session, /, **options: Any) -> None:
    """Write the embeddings of STORE, decoded to float32, to OUTPUT.

    STORE is a name or FILE.h5. Ids and labels are in the Parquet file; the other forms have a file beside
    OUTPUT with the id of each row.
    """
    from compress.jobs.export import export_store

    with session.working() as report:
        done = export_store(session.workspace, **options, report=report)
    session.show(
        done,
        lambda: aligned(
            {
                "store": done.store,
                "written": done.files,
                "videos": f"{done.videos:,}, {done.dim} float32 numbers each",
                "size": size(done.bytes),
                "took": duration(done.seconds),
            }
        ),
        kept=True,
    )

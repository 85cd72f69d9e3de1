"""`compress encode`: stream videos through a trained encoder into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from cli.options import (
    codec_option,
    compute_options,
    name_option,
    on_corrupt_option,
    precision_option,
)
from cli.progress import duration
from cli.session import Session
from cli.text import facts, size


@click.command()
@click.option(
    "--dim",
    type=click.IntRange(min=1),
    help="Numbers a video: picks the encoder that was trained for it; with --name, how many of its numbers "
    "are stored.",
)
@name_option
@click.option(
    "--any-dim",
    is_flag=True,
    help="Cut embeddings to --dim numbers also where the encoder was not trained for that (train --nested).",
)
@codec_option
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="PATTERN",
    help="Shards to encode, instead of the workspace's train and validate; needs --output.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default="embeddings/NAME.h5 of the workspace",
    metavar="FILE.h5",
    help="The store to write.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    show_default="32; of frames 64; on a GPU 1024 and 256",
    help="Videos at once, for each thread; more needs more memory.",
)
@precision_option
@on_corrupt_option
@compute_options("device")
@click.pass_obj
def encode(session: Session, /, **options: Any) -> None:
    """Write the embeddings of all videos into one HDF5 file that anyone can open.

    Run it again to go on after Ctrl-C or a crash: the file is the same, byte for byte, as without the stop.
    """
    from compress.jobs.encode import encode_store
    from compress.jobs.names import store_file

    with session.working() as report:
        done = encode_store(session.workspace, **options, report=report)
    session.show(
        done,
        lambda: facts(
            {
                "store": done.path,
                "videos": f"{done.videos:,}",
                "bytes a video": f"{done.bytes_per_video:,}",
                "size": size(done.videos * done.bytes_per_video),
                "resumed at": f"video {done.resumed_rows:,}" if done.resumed_rows else None,
                "took": duration(done.seconds),
                "next": f"compress index --name {store_file(session.workspace, done.path).typed}",
            }
        ),
    )

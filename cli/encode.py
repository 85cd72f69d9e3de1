"""`compress encode`: stream videos through a trained encoder into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from cli.options import (
    DATA,
    codec_option,
    compute_options,
    description_options,
    name_option,
    on_corrupt_option,
    precision_option,
)
from cli.progress import duration
from cli.session import Session
from cli.text import aligned, size
from cli.types import whole
from compress.limits import LIMITS


@click.command()
@click.option(
    "--dim",
    type=whole(LIMITS["dim"]),
    help="Embedding size; selects the run trained at this size. With --name: how many dimensions are stored.",
)
@name_option
@click.option(
    "--any-dim",
    is_flag=True,
    help="Allow a --dim that the encoder was not trained for (see train --nested): embeddings are cut to it.",
)
@codec_option
@precision_option
@click.option(
    "--batch-size",
    type=whole(LIMITS["batch_size"]),
    show_default="32, frame-level 64; on a GPU 1024 and 256",
    help="Videos at once per thread; more videos need more memory.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default="embeddings/NAME.h5 of the workspace",
    metavar="FILE.h5",
    help="The store to write.",
)
@click.option(
    "--append",
    is_flag=True,
    help="Add the videos that the store lacks; those that it holds stay as they are.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Write the store also if another one, or videos that it alone holds, are lost by that.",
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="PATTERN",
    panel=DATA,
    help="Shards to encode, instead of the workspace's train and validate shards; needs --output.",
)
@description_options()
@on_corrupt_option
@compute_options("device")
@click.pass_obj
def encode(session: Session, /, **options: Any) -> None:
    """Write the embeddings of all videos into one HDF5 file that anyone can open.

    Run the same command again to continue after Ctrl-C or a crash: the file is the same, byte for byte, as
    without the stop.
    """
    from compress.jobs.encode import encode_store
    from compress.jobs.names import store_file

    with session.working() as report:
        done = encode_store(session.workspace, **options, report=report)
    session.show(
        done,
        lambda: aligned(
            {
                "store": done.path,
                "videos": f"{done.videos:,}",
                "added": None if done.added is None else f"{done.added:,}",
                "bytes per video": f"{done.bytes_per_video:,}",
                "size": size(done.videos * done.bytes_per_video),
                "resumed at": f"video {done.resumed_rows:,}" if done.resumed_rows else None,
                "took": duration(done.seconds),
                "next": session.next(
                    f"compress index --name {store_file(session.workspace, done.path).typed}"
                ),
            }
        ),
        kept=True,
    )

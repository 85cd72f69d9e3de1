"""`compress init`: make a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from cli.options import description_options, output_options
from cli.session import Session
from cli.text import aligned


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option(
    "--train", multiple=True, required=True, metavar="PATTERN", help="Shards to train on; may be repeated."
)
@click.option(
    "--validate",
    multiple=True,
    required=True,
    metavar="PATTERN",
    help="Shards to measure on; may be repeated.",
)
@click.option(
    "--train-frames",
    multiple=True,
    metavar="PATTERN",
    help="Frame-level shards of the training videos, for encoders that read frames; may be repeated.",
)
@click.option(
    "--validate-frames",
    multiple=True,
    metavar="PATTERN",
    help="Frame-level shards of the videos to measure on.",
)
@click.option(
    "--vocabulary", type=click.Path(path_type=Path), metavar="FILE", help="Names of the classes (CSV)."
)
@click.option(
    "--num-classes", type=click.IntRange(min=1), help="Number of classes, if the shards do not say."
)
@description_options()
@output_options
@click.pass_obj
def init(session: Session, /, folder: Path, **options: Any) -> None:
    """Make a workspace: write FOLDER/compress.toml, which says where the videos are.

    Patterns are relative to FOLDER.

    Example: compress init --train 'video/train*.tfrecord' --validate 'video/validate*.tfrecord'
    """
    from compress.jobs.init import create_workspace

    made = create_workspace(folder, **options, description=session.description)
    session.show(
        made,
        lambda: aligned(
            {
                "workspace": made.root,
                "train": ", ".join(made.train),
                "validate": ", ".join(made.validate),
                "train frames": ", ".join(made.train_frames) or None,
                "validate frames": ", ".join(made.validate_frames) or None,
                "vocabulary": made.vocabulary,
                "next": "compress train --dim 320",
            }
        ),
    )

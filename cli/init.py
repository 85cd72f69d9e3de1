"""`compress init`: make a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import description_options, output_options
from cli.session import Session
from cli.text import aligned
from cli.types import real, whole
from compress.limits import LIMITS, Limit

if TYPE_CHECKING:
    from compress.workspace import Workspace


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option(
    "--train", multiple=True, required=True, metavar="PATTERN", help="Shards to train on; may be repeated."
)
@click.option(
    "--validate",
    multiple=True,
    metavar="PATTERN",
    help="Shards to measure on; may be repeated.",
)
@click.option(
    "--validate-fraction",
    type=real(LIMITS["validate_fraction"]),
    metavar="SHARE",
    help="Instead of --validate: measure on this share of the --train videos, such as 0.1. A hash of the id "
    "says which, so it is the same share on every machine.",
)
@click.option(
    "--group-duplicates",
    type=real(Limit(above=0, at_most=1)),
    metavar="COSINE",
    help="With --validate-fraction: videos whose features have this cosine or more, such as 0.99, are on one "
    "side. Each is compared with its 10 nearest.",
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
    "--num-classes", type=whole(LIMITS["num_classes"]), help="Number of classes, if the shards do not say."
)
@description_options()
@output_options
@click.pass_obj
def init(session: Session, /, folder: Path, **options: Any) -> None:
    """Make a workspace: write FOLDER/compress.toml, which says where the videos are.

    Patterns are relative to FOLDER, or to the current folder if FOLDER has no such file.

    Example: compress init --train 'video/train*.tfrecord' --validate 'video/validate*.tfrecord'
    """
    from compress.jobs.init import create_workspace, next_command

    with session.working() as report:
        made = create_workspace(folder, **options, description=session.description, report=report)
    session.show(
        made,
        lambda: aligned(
            {
                "workspace": made.root,
                "train": ", ".join(made.train),
                "validate": _validate(made),
                "train frames": ", ".join(made.train_frames) or None,
                "validate frames": ", ".join(made.validate_frames) or None,
                "vocabulary": made.vocabulary,
                "classes": made.num_classes,
                "next": next_command(made),
            }
        ),
        kept=True,
    )


def _validate(made: Workspace) -> str:
    if made.validate_fraction is None:
        return ", ".join(made.validate)
    groups = "" if made.near_duplicates is None else f", near-duplicates together ({made.near_duplicates})"
    return f"{made.validate_fraction:.4g} of train, by a hash of the id{groups}"

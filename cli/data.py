"""`compress data`: inspect data, make samples, import your own features, repair a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import rich_click as click

from cli.options import Commands, compute_options, description_options, on_corrupt_option, output_options
from cli.session import Session
from cli.text import aligned
from cli.types import whole
from compress.limits import COUNT, LIMITS, Limit

if TYPE_CHECKING:
    from compress.datasets.policy import OnCorrupt
    from compress.inspection import Finding

AT_LEAST_TWO = Limit(at_least=2, at_most=COUNT.at_most)
Folder = click.Path(file_okay=False, path_type=Path)


@click.group(cls=Commands)
def data() -> None:
    """Inspect data of any kind, make samples, import your own features, repair a store."""


@data.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH|PATTERN...")
@click.option(
    "--num-classes",
    type=whole(LIMITS["num_classes"]),
    help="Number of classes, if shards or arrays do not say.",
)
@description_options()
@on_corrupt_option
@compute_options()
@click.pass_obj
def inspect(session: Session, paths: tuple[str, ...], num_classes: int | None, on_corrupt: OnCorrupt) -> None:
    """Say what each path is, and verify its checksums: shards, arrays, stores, runs, indexes, workspaces."""
    from compress.inspection import Asked, inspect_all

    asked = Asked(num_classes, session.description, on_corrupt, session.workspace.root / "quarantine")
    with session.working() as report:
        found = inspect_all(paths, asked, report=report)
    session.show(
        {"findings": found},
        lambda: "\n\n".join(_told(one) for one in found),
    )


def _told(found: Finding) -> str:
    shown = {name.replace(" a video", " per video"): value for name, value in found.facts.items()}
    return aligned({"path": found.path, "kind": found.kind, **shown})


@data.command()
@click.argument("folder", type=Folder)
@click.option(
    "--videos",
    type=whole(Limit(at_least=10, at_most=COUNT.at_most)),
    default=5000,
    help="How many videos; a fifth of them is for validation.",
)
@click.option(
    "--level",
    type=click.Choice(["video", "frame"]),
    default="video",
    help="One feature vector per video, or a sequence of frames.",
)
@click.option(
    "--num-classes",
    type=whole(Limit(at_least=2, at_most=COUNT.at_most)),
    default=3862,
    help="Number of classes.",
)
@click.option(
    "--frames",
    "num_frames",
    nargs=2,
    type=whole(COUNT),
    default=(120, 300),
    metavar="LEAST MOST",
    help="Frames per video, for --level frame and --from.",
)
@click.option(
    "--from",
    "source",
    multiple=True,
    metavar="PATTERN",
    help="Expand these real video-level shards into frames, instead of making up videos.",
)
@click.option("--replace", is_flag=True, help="Write over shards that are there and hold something else.")
@description_options("level")
@compute_options("seed")
@click.pass_obj
def sample(session: Session, /, folder: Path, **options: Any) -> None:
    """Write sample shards, shaped like YouTube-8M, into FOLDER; the same seed gives the same shards.

    With --from, each real video becomes frames whose mean is the real mean; the shards and every report say
    that the frames are synthetic.
    """
    from compress.jobs.data import make_sample

    with session.working() as report:
        made = make_sample(folder, **options, description=session.description, report=report)
    session.show(
        made,
        lambda: aligned(
            {
                "folder": made.folder,
                **{f"{split} shards": len(shards) for split, shards in made.shards.items()},
                "next": made.next,
            }
        ),
        kept=True,
    )


@data.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("folder", type=Folder)
@click.option(
    "--num-classes", type=whole(LIMITS["num_classes"]), help="Number of classes, if the labels do not say."
)
@click.option(
    "--split",
    type=click.Choice(["train", "validate", "test"]),
    default="train",
    help="The split that the videos are for.",
)
@click.option("--shards", type=whole(COUNT), default=1, help="How many files to write.")
@click.option("--replace", is_flag=True, help="Write over shards that are there and hold something else.")
@description_options()
@on_corrupt_option
@output_options
@click.pass_obj
def import_(session: Session, /, path: Path, folder: Path, split: str, **options: Any) -> None:
    """Write your own features (such as .npy, .h5 or .parquet) as shards into FOLDER.

    Not needed for `compress init`, which reads such files as they are.
    """
    from compress.jobs.data import import_arrays

    with session.working() as report:
        made = import_arrays(
            path, folder, split=split, **options, description=session.description, report=report
        )
    session.show(
        made,
        lambda: aligned({"folder": made.folder, "shards": len(made.shards[split]), "next": made.next}),
        kept=True,
    )


@data.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE.h5")
@output_options
@click.pass_obj
def repair(session: Session, path: Path) -> None:
    """Remove the mark that HDF5 leaves in a store which another program opened for writing and did not close.

    The store is verified first: where more was changed than that mark, nothing is done.
    """
    from compress.jobs.data import repair_store

    done = repair_store(path)
    state = "the mark is removed, and its sha256 matches" if done.repaired else "was whole, nothing was done"
    session.show(done, lambda: aligned({"store": done.path, "state": state}), kept=True)


@data.command()
@click.option(
    "--level",
    type=click.Choice(["video", "frame"]),
    default="video",
    help="Video level is 31 GB, frame level 1.5 TB.",
)
@click.option("--part", default="1/100", metavar="I/N", help="The I-th of N equal parts; 1/1 is everything.")
@output_options
@click.pass_obj
def download(session: Session, level: Literal["video", "frame"], part: str) -> None:
    """Print the official commands that download YouTube-8M. This command itself downloads nothing."""
    from compress.jobs.data import download_commands

    wanted = download_commands(level, part)
    session.show(wanted, lambda: "\n".join([*wanted.commands, f"# then: {wanted.next}"]))

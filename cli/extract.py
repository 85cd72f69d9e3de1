"""`compress extract`: raw videos to shards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import DATA, machine_options
from cli.progress import duration
from cli.session import Session
from cli.text import aligned
from cli.types import real, whole
from compress.limits import COUNT, Limit

if TYPE_CHECKING:
    from compress.jobs.extract import Extracted

FEATURES, SHARDS = "Features", "Shards"
SHOWN = 5


@click.command()
@click.argument("patterns", nargs=-1, metavar="VIDEO|FOLDER|PATTERN...")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--fps",
    type=real(Limit(above=0, at_most=1000)),
    default=1.0,
    panel=FEATURES,
    help="Frames per second that are looked at.",
)
@click.option(
    "--max-frames",
    type=whole(COUNT),
    default=360,
    panel=FEATURES,
    help="Frames per video, from its start.",
)
@click.option(
    "--backbone",
    metavar="NAME",
    default="efficientnet-lite0",
    panel=FEATURES,
    help="The network that sees the frames: efficientnet-lite0, timm:NAME, torchvision:NAME, "
    "open_clip:NAME/TAG, or FILE.onnx with a FILE.toml beside it that says what pictures it wants.",
)
@click.option(
    "--weights",
    metavar="FILE|download",
    show_default="none; efficientnet-lite0 and ONNX files bring their own",
    panel=FEATURES,
    help="Weights of a timm, torchvision or open_clip network; 'download' lets that library fetch them.",
)
@click.option(
    "--audio-backbone",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    show_default="none: shards without audio",
    panel=FEATURES,
    help="VGGish: a .pth, .pt or .safetensors file of its weights, or any .onnx file from log-mel patches "
    "to features.",
)
@click.option(
    "--projection",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    show_default="fitted on the training part",
    panel=FEATURES,
    help="The folder projection/ of an earlier extraction, so that features of new videos are comparable.",
)
@click.option(
    "--components",
    type=whole(COUNT),
    default=1024,
    panel=FEATURES,
    help="Components of the PCA, and bytes per frame, at most; a backbone may have fewer.",
)
@click.option(
    "--validate-fraction",
    type=real(Limit(at_least=0, below=1)),
    show_default="0.1; with --projection 0",
    panel=SHARDS,
    help="Share of the videos for validation, chosen by a hash of their ids.",
)
@click.option(
    "--labels",
    metavar="FILE[:ID:LABELS]",
    panel=SHARDS,
    help="A table of labels (CSV): ids or file names, and class numbers or names; with the names of its "
    "columns if they are unusual.",
)
@click.option(
    "--label-separator",
    metavar="TEXT",
    panel=SHARDS,
    help="What is between the labels of one video in that table, where it cannot be seen.",
)
@click.option(
    "--vocabulary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    panel=SHARDS,
    help="Names of the classes (CSV), if the labels are names that have numbers already.",
)
@click.option(
    "--id",
    "id_style",
    type=click.Choice(["path", "name"]),
    default="path",
    panel=SHARDS,
    help="Id of a video: its path below the folder that all have in common, or its file name.",
)
@click.option(
    "--keep-damaged",
    is_flag=True,
    panel=DATA,
    help="Use what can be read of a damaged video. Otherwise it is left out.",
)
@click.option(
    "--replace", is_flag=True, help="Make the shards anew where FOLDER has some of other videos or options."
)
@click.option(
    "--workers",
    type=whole(Limit(at_least=0, at_most=256)),
    default=0,
    show_default="0: one per core, at most 8; fewer for few videos",
    help="Processes that decode and compute. A video that crashes its process is left out; with 1 that is "
    "this process, and all ends.",
)
@machine_options("device")
@click.pass_obj
@click.pass_context
def extract(context: click.Context, session: Session, /, **options: Any) -> None:
    """Turn raw videos into shards, one feature vector per second, as YouTube-8M has them.

    FOLDER becomes a workspace: train, encode, index and search work there. Damaged files, and files that are
    no videos, are left out with a line each; then the exit code is 65. Run the same command again to continue
    after Ctrl-C or a crash.

    Example: compress extract 'videos/**/*.mp4' library
    """
    from compress.errors import DataError
    from compress.extract.videos import SUFFIXES
    from compress.jobs.extract import extract_videos

    folder = options["folder"]
    is_video = folder.is_file() or (folder.suffix.lower() in SUFFIXES and not folder.is_dir())
    if is_video or not options["patterns"]:
        what = (
            f"the FOLDER is missing after '{folder}': name the videos, then the folder where the shards go."
        )
        raise click.UsageError(what)

    with session.working() as report:
        done = extract_videos(**options, report=report)
    session.show(done, lambda: _text(done), kept=True)
    if done.left_out:
        context.exit(DataError.exit_code)


def _text(done: Extracted) -> str:
    parts = ", ".join(f"{name} {count:,}" for name, count in done.parts.items())
    shown = {
        "folder": done.folder if done.new else f"{done.folder} (nothing to do: all was there)",
        "videos": f"{done.videos:,} ({parts})",
        "frames": f"{done.frames:,}",
        "bytes per frame": ", ".join(f"{name} {dim:,}" for name, dim in done.features.items()),
        "labelled": None if done.labelled is None else f"{done.labelled:,} videos",
        "no sound track": f"{done.silent:,} videos, whose audio is silence" if done.silent else None,
        "took": duration(done.seconds) if done.new else None,
        "next": done.next,
    }
    lines = [f"note: {note}" for note in done.notes]
    for what, files in (("left out", done.left_out), ("read in part", done.damaged)):
        lines += [f"{what}: {path}: {why}" for path, why in list(files.items())[:SHOWN]]
        more = f", {len(files) - SHOWN:,} of them not shown; --json names all" if len(files) > SHOWN else ""
        lines += [f"{what}: {len(files):,} files{more}"] if len(files) > 1 else []
    return "\n".join([aligned(shown), *lines])

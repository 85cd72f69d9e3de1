"""Options that several commands share. Their values land in the Session, not in the command's arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from cli.session import Session
from compress.codecs.names import FORMS, canonical
from compress.errors import UsageError
from compress.workspace import CHOICES, Defaults

Command = TypeVar("Command", bound=Callable[..., Any])
BUILT_IN = Defaults()


class CodecName(click.ParamType):
    """A codec as `compress.codecs.names` writes it."""

    name = "codec"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return canonical(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


def output_options(command: Command) -> Command:
    """--json and --quiet."""
    return _all(command, _json, _quiet)


def workspace_options(command: Command) -> Command:
    """--workspace, --json and --quiet."""
    return _all(command, _workspace, _json, _quiet)


def compute_options(command: Command) -> Command:
    """--seed, --threads, --device, --workspace, --json and --quiet."""
    return _all(command, _seed, _threads, _device, _workspace, _json, _quiet)


def machine_options(command: Command) -> Command:
    """As compute_options, for a command that makes its own workspace."""
    return _all(command, _seed, _threads, _device, _json, _quiet)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    if value is not None:
        setattr(context.ensure_object(Session), str(parameter.name), value)
    return value


def _shared(*names: str, **settings: Any) -> Callable[[Command], Command]:
    # The one place where options are declared for others: click's own keywords pass through.
    return click.option(*names, expose_value=False, callback=_keep, default=None, **settings)


_json = _shared("--json", is_flag=True, help="One JSON value on stdout, also for an error; no progress.")
_quiet = _shared("--quiet", "-q", is_flag=True, help="No progress; results and errors only.")
_workspace = _shared(
    "--workspace",
    "workspace_folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="COMPRESS_WORKSPACE",
    show_envvar=True,
    show_default="the folder with compress.toml, from here upwards, or here",
    metavar="FOLDER",
    help="Where runs, embeddings and reports are kept.",
)
_seed = _shared(
    "--seed",
    type=click.IntRange(min=0),
    envvar="COMPRESS_SEED",
    show_envvar=True,
    show_default=str(BUILT_IN.seed),
    help="Seed of every random choice.",
)
_threads = _shared(
    "--threads",
    type=click.IntRange(min=0, max=1024),  # far above, OpenMP dies instead of saying no
    envvar="COMPRESS_THREADS",
    show_envvar=True,
    show_default="0: every core that this process may use",
    help="CPU threads.",
)
_device = _shared(
    "--device",
    type=click.Choice(CHOICES["device"]),
    envvar="COMPRESS_DEVICE",
    show_envvar=True,
    show_default=BUILT_IN.device,
    help="Where to compute; auto takes a GPU when there is one.",
)
preset_option = _shared(
    "--preset",
    type=click.Choice(CHOICES["preset"]),
    envvar="COMPRESS_PRESET",
    show_envvar=True,
    show_default=BUILT_IN.preset,
    help="Training recipe: tuned on real data, or the paper's own.",
)
codec_option = _shared(
    "--codec",
    type=CodecName(),
    metavar="CODEC",
    envvar="COMPRESS_CODEC",
    show_envvar=True,
    show_default=BUILT_IN.codec,
    help=f"How embeddings are stored: {', '.join(FORMS)} (M bytes a video, B bits a dimension).",
)
on_corrupt_option = _shared(
    "--on-corrupt",
    type=click.Choice(CHOICES["on_corrupt"]),
    envvar="COMPRESS_ON_CORRUPT",
    show_envvar=True,
    show_default=BUILT_IN.on_corrupt,
    help="A damaged record: stop, leave it out and say so, or set it aside in a folder.",
)
dim_option = click.option(
    "--dim", type=click.IntRange(min=1), help="Numbers a video; picks the encoder that was trained for it."
)
name_option = click.option(
    "--name", metavar="NAME", help="Name of the run or store, where --dim is not enough."
)
precision_option = click.option(
    "--precision",
    type=click.Choice(("auto", "fp32", "bf16")),
    default="auto",
    help="Numbers to compute with; auto: as it was trained, but fp32 where the machine has no bf16.",
)
store_option = click.option(
    "--name", metavar="NAME|FILE.h5", help="Name of the store, where --dim is not enough, or its path."
)


def _all(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


head_mixup_option = click.option(
    "--head-mixup",
    type=click.FloatRange(min=0),
    show_default="0: none",
    help="Train the fresh head on blends of two videos and their labels: a share Beta(x, x) of one.",
)

train_shards_option = click.option(
    "--train", multiple=True, metavar="PATTERN", help="Shards to train on, instead of the workspace's."
)

validate_shards_option = click.option(
    "--validate", multiple=True, metavar="PATTERN", help="Shards to measure on, instead of the workspace's."
)

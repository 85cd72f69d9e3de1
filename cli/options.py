"""Options that several commands share, and the group that commands are in.

An option is declared once, here or above its command, under the name of the keyword argument that it becomes
in compress/jobs; a command passes its options on by these names.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from cli.session import Session
from cli.typed import remember
from cli.types import CodecName, Listed, whole
from compress.errors import CompressError
from compress.limits import LIMITS
from compress.workspace import CHOICES, Defaults, find_workspace

Command = TypeVar("Command", bound=Callable[..., Any])
BUILT_IN = Defaults()
# Titles of groups of options in --help.
DATA, GENERAL, DESCRIBED = "Data", "General", "What is in the files, where it cannot be seen"


class Commands(click.RichGroup):
    """Lists its commands in the order they were added, and suggests the closest for an unknown one."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        remember(ctx, args)
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            names = self.list_commands(ctx)
            close = difflib.get_close_matches(args[0], names, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"commands: {', '.join(names)}"
            raise click.UsageError(f"no such command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


class CodecOption(click.RichOption):
    """Its help ends in the names of all codecs, which are known once their files, and numpy, are loaded."""

    @property
    def help(self) -> str:
        """Read when somebody asks for the help of the command."""
        from compress.codecs import forms

        return f"{self._start} {forms()}."

    @help.setter
    def help(self, start: str) -> None:
        self._start = start


def output_options(command: Command) -> Command:
    """--json and --quiet."""
    return _all(command, _json, _quiet)


def workspace_options(command: Command) -> Command:
    """--workspace, --json and --quiet."""
    return _all(command, _workspace, _json, _quiet)


def machine_options(*passed: str) -> Callable[[Command], Command]:
    """--seed, --threads, --device, --json and --quiet, for a command that makes its own workspace.

    Args:
        passed: of "seed", "threads" and "device", those that become arguments of the command.
    """
    options = [_setting(name, name in passed) for name in ("seed", "threads", "device")]
    return lambda command: _all(command, *options, _json, _quiet)


def compute_options(*passed: str) -> Callable[[Command], Command]:
    """As `machine_options`, and --workspace."""
    return lambda command: machine_options(*passed)(_workspace(command))


def description_options(*without: str) -> Callable[[Command], Command]:
    """--features, --id, --labels, --label-separator, --level and --segments; see `Session.description`.

    Args:
        without: those that the command itself has another use for.
    """

    def described(command: Command) -> Command:
        for name in reversed([name for name in _DESCRIBING if name not in without]):
            command = click.option(
                f"--{name.replace('_', '-')}",
                default=None,
                expose_value=False,
                is_eager=True,  # other options look their defaults up in the workspace, which these describe
                callback=_keep,
                panel=DESCRIBED,
                **_DESCRIBING[name],
            )(command)
        return command

    return described


def _all(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return click.option_panel("Options")(command)  # in --help before all other groups


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None:
        setattr(context.ensure_object(Session), str(parameter.name), value)


def _resolve(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """The flag, otherwise the environment (click looks there), compress.toml, or the built-in default."""
    _keep(context, parameter, value)
    return getattr(context.ensure_object(Session).settings, str(parameter.name))


def _setting(name: str, passed: bool = True) -> Callable[[Command], Command]:
    """An option that compress.toml may set as well; `passed`: it becomes an argument of the command."""
    words: dict[str, Any] = {"show_default": str(getattr(BUILT_IN, name)), **_SETTINGS[name]}
    if name in CHOICES:
        words["type"] = click.Choice(CHOICES[name])
    return click.option(
        f"--{name.replace('_', '-')}",
        expose_value=passed,
        callback=_resolve if passed else _keep,
        envvar=f"COMPRESS_{name.upper()}",
        show_envvar=True,
        default=None,
        **words,
    )


_SETTINGS: dict[str, dict[str, Any]] = {
    "seed": {"type": whole(LIMITS["seed"]), "panel": GENERAL, "help": "Seed of every random choice."},
    "threads": {
        "type": whole(LIMITS["threads"]),
        "show_default": "0: every core that this process may use",
        "panel": GENERAL,
        "help": "CPU threads.",
    },
    "device": {"panel": GENERAL, "help": "Where to compute. auto takes a GPU if there is one."},
    "preset": {"help": "Training recipe: best was tuned on real data, paper is the paper's own."},
    "codec": {
        "type": CodecName(),
        "metavar": "CODEC",
        "cls": CodecOption,
        "help": "How embeddings are stored:",
    },
    "on_corrupt": {
        "panel": DATA,
        "help": "A damaged record: stop, skip it with a note, or also copy it to quarantine/. "
        "skip and quarantine leave out a second video of an id, too.",
    },
}
# Eager, so that the workspace is known when other options look up their defaults in it.
_workspace = click.option(
    "--workspace",
    "workspace_folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="COMPRESS_WORKSPACE",
    show_envvar=True,
    show_default="the nearest folder with compress.toml, from here upwards, otherwise the current folder",
    metavar="FOLDER",
    is_eager=True,
    expose_value=False,
    callback=_keep,
    panel=GENERAL,
    help="Where runs, embeddings and reports are kept.",
)
_json = click.option(
    "--json",
    is_flag=True,
    default=None,
    expose_value=False,
    callback=_keep,
    panel=GENERAL,
    help="Print the result, or the error, as one JSON value; no progress.",
)
_quiet = click.option(
    "--quiet",
    "-q",
    is_flag=True,
    default=None,
    expose_value=False,
    callback=_keep,
    panel=GENERAL,
    help="Print results and errors only, no progress.",
)
preset_option, codec_option = _setting("preset"), _setting("codec")
on_corrupt_option = _setting("on_corrupt")


def _complete_name(context: click.Context, parameter: click.Parameter, start: str) -> list[str]:
    """Names of runs and stores, for a shell; nothing where there is no workspace, or a wrong one."""
    try:
        workspace = find_workspace()
    except CompressError:
        return []
    runs, stores = workspace.runs.glob("*/"), workspace.embeddings.glob("*.h5")
    names = {*(path.name for path in runs), *(path.stem for path in stores)}
    return sorted(name for name in names if name.startswith(start))


dim_option = click.option(
    "--dim", type=whole(LIMITS["dim"]), help="Embedding size; selects the run or store of this size."
)
name_option = click.option(
    "--name",
    metavar="NAME",
    shell_complete=_complete_name,
    help="Name of the run or store, if --dim does not select it.",
)
store_option = click.option(
    "--name",
    metavar="NAME|FILE.h5",
    shell_complete=_complete_name,
    help="Name of the store, or its path, if --dim does not select it.",
)
precision_option = click.option(
    "--precision",
    type=click.Choice(("auto", "fp32", "bf16")),
    default="auto",
    help="Number format to compute in. auto: as the run was trained, but fp32 if the machine has no bf16.",
)
vocabulary_option = click.option(
    "--vocabulary",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Names of the classes (CSV), instead of the workspace's.",
)
train_shards_option = click.option(
    "--train",
    multiple=True,
    metavar="PATTERN",
    panel=DATA,
    help="Shards to train on, instead of the workspace's; may be repeated.",
)
validate_shards_option = click.option(
    "--validate",
    multiple=True,
    metavar="PATTERN",
    panel=DATA,
    help="Shards to measure on, instead of the workspace's; may be repeated.",
)
_DESCRIBING: dict[str, dict[str, Any]] = {
    "features": {
        "type": Listed(str),
        "metavar": "NAME,...",
        "help": "Names of the features in the files, in the order in which they are joined.",
    },
    "id": {"metavar": "NAME", "help": "Name of the video id in the files."},
    "labels": {
        "metavar": "NAME|FILE",
        "help": "Name of the labels in the files; or a file of labels by id: FILE.csv, FILE.csv:COLUMN or "
        "FILE.csv:ID:COLUMN.",
    },
    "label_separator": {
        "metavar": "TEXT",
        "help": "What is between the labels of one video, where they are one text.",
    },
    "level": {
        "type": click.Choice(("video", "frame")),
        "help": "Whether a row is a video or a frame, where files allow both.",
    },
    "segments": {
        "is_flag": True,
        "help": "Labelled segments of a video become rows of their own, named ID:START.",
    },
}

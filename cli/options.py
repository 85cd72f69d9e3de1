"""Options that several commands share.

An option is declared once, here or above its command, under the name of the keyword argument that it becomes
in compress/jobs; a command passes its options on by these names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from cli.session import Session
from compress.errors import UsageError
from compress.workspace import CHOICES, Defaults

Command = TypeVar("Command", bound=Callable[..., Any])
BUILT_IN = Defaults()


class CodecName(click.ParamType):
    """A codec as `compress.codecs` writes it."""

    name = "codec"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from compress.codecs import canonical

        try:
            return canonical(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Sizes(click.ParamType):
    """32,64,128 -> (32, 64, 128)."""

    name = "D,D,..."

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"[0-9]{1,9}( *, *[0-9]{1,9})*", value, re.ASCII):
            self.fail(f"{value!r} is not a list of sizes such as 32,64,128", param, ctx)
        return tuple(map(int, value.split(",")))


class Listed(click.ParamType):
    """`a,b` as ("a", "b") or `8,16` as (8, 16), each once.

    Args:
        item: str, or int for numbers of at least 1.
        nothing: the word for an empty list; None where that makes no sense.
    """

    name = "list"

    def __init__(self, item: type[str] | type[int], nothing: str | None = None) -> None:
        self.item, self.nothing = item, nothing

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not words:
            self.fail("names nothing", param, ctx)
        if self.item is int and not all(re.fullmatch("[0-9]+", word) and int(word) for word in words):
            self.fail(f"{value!r} is not a list of numbers of at least 1, such as 64,128", param, ctx)
        return () if words == [self.nothing] else tuple(dict.fromkeys(map(self.item, words)))


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


def compute_options(*passed: str) -> Callable[[Command], Command]:
    """--seed, --threads, --device, --workspace, --json and --quiet.

    Args:
        passed: of "seed", "threads" and "device", those that become arguments of the command.
    """
    options = [_setting(name, name in passed) for name in _COMPUTE]
    return lambda command: _all(command, *options, _workspace, _json, _quiet)


def machine_options(*passed: str) -> Callable[[Command], Command]:
    """As compute_options, for a command that makes its own workspace."""
    options = [_setting(name, name in passed) for name in _COMPUTE]
    return lambda command: _all(command, *options, _json, _quiet)


def _all(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None:
        setattr(context.ensure_object(Session), str(parameter.name), value)


def _resolve(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """The flag, otherwise the environment (click looks there), compress.toml, or the built-in default."""
    _keep(context, parameter, value)
    return getattr(context.ensure_object(Session).settings, str(parameter.name))


def _setting(name: str, passed: bool = True) -> Callable[[Command], Command]:
    """An option that compress.toml may set as well; `passed`: it becomes an argument of the command."""
    words: dict[str, Any] = {"envvar": f"COMPRESS_{name.upper()}", "show_envvar": True, "default": None}
    words |= {"show_default": str(getattr(BUILT_IN, name)), **_COMPUTE.get(name, {}), **_OTHER.get(name, {})}
    if name in CHOICES:
        words["type"] = click.Choice(CHOICES[name])
    callback = _resolve if passed else _keep
    return click.option(f"--{name.replace('_', '-')}", expose_value=passed, callback=callback, **words)


# Eager, so that the workspace is known when other options look up their defaults in it.
_workspace = click.option(
    "--workspace",
    "workspace_folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="COMPRESS_WORKSPACE",
    show_envvar=True,
    show_default="the nearest folder with compress.toml, from here upwards; otherwise the current folder",
    metavar="FOLDER",
    is_eager=True,
    expose_value=False,
    callback=_keep,
    help="Where runs, embeddings and reports are kept.",
)
_json = click.option(
    "--json",
    is_flag=True,
    default=None,
    expose_value=False,
    callback=_keep,
    help="Print one JSON value, also for an error; no progress.",
)
_quiet = click.option(
    "--quiet",
    "-q",
    is_flag=True,
    default=None,
    expose_value=False,
    callback=_keep,
    help="No progress; results and errors only.",
)
_COMPUTE: dict[str, dict[str, Any]] = {
    "seed": {"type": click.IntRange(min=0), "help": "Seed of every random choice."},
    "threads": {
        "type": click.IntRange(min=0, max=1024),  # OpenMP crashes on far larger numbers
        "show_default": "0: every core that this process may use",
        "help": "CPU threads.",
    },
    "device": {"help": "Where to compute; auto takes a GPU when there is one."},
}
_OTHER: dict[str, dict[str, Any]] = {
    "preset": {"help": "Training recipe: best, tuned on real data, or paper, as the paper trained."},
    "codec": {
        "type": CodecName(),
        "metavar": "CODEC",
        "cls": CodecOption,
        "help": "How embeddings are stored:",
    },
    "on_corrupt": {
        "help": "What to do with a damaged record: stop, skip it with a note, or also copy it to quarantine/."
    },
}
preset_option, codec_option = _setting("preset"), _setting("codec")
on_corrupt_option = _setting("on_corrupt")
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

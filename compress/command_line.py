"""A command line as a person would type it, for reports, hints and the rows of evaluations."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence


def command_argv(command: str, options: Mapping[str, object]) -> list[str]:
    """The words of `compress <command> ...`.

    Args:
        command: for example "train".
        options: by name ("head_epochs" is --head-epochs), in the order to print. None, False and an empty
            sequence are left out, True is a flag without a value, a sequence repeats the option.
    """
    words = ["compress", command]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            words += [word for item in value for word in (flag, str(item))]
        elif value is not None and value is not False:
            words += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    return words


def unless(value: object, default: object) -> object:
    """`value`, or None, which `command_argv` leaves out, where it is the default."""
    return None if value == default else value


def command_line(*commands: Sequence[str]) -> str:
    """Commands, each a list of words, as one line for a shell."""
    return " && ".join(map(shlex.join, commands))

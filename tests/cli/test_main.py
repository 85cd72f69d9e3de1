"""The commands as a whole: help, version, names."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

import click
import pytest

from cli.program import compress as program

COMMANDS = [
    "demo",
    "extract",
    "init",
    "data",
    "train",
    "encode",
    "index",
    "search",
    "evaluate",
    "report",
    "du",
    "clean",
    "doctor",
    "completion",
]


def every(group: click.Group, *words: str) -> Iterator[list[str]]:
    """The words of a group and of all commands in it, of those of groups in it too."""
    yield [*words]
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every(command, *words, name)
        else:
            yield [*words, name]


EVERY = list(every(program))


def command_of(words: list[str]) -> click.Command:
    command: click.Command = program
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def test_commands_are_listed_in_the_order_of_work(compress):
    ended = compress("--help")
    first_words = [line.strip(" │|").split(" ")[0] for line in ended.out.splitlines()]

    assert ended.code == 0
    assert [word for word in first_words if word in COMMANDS] == COMMANDS


def test_without_a_command_the_help_is_shown(compress):
    assert compress() == compress("--help")


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_has_help_that_fits_without_an_error(compress, words: list[str]):
    ended = compress(*words, "-h")

    assert (ended.code, ended.err) == (0, "")
    assert "Usage: compress" in ended.out


@pytest.mark.parametrize(
    "words", [item for item in EVERY if not isinstance(command_of(item), click.Group)], ids=" ".join
)
def test_every_command_takes_json_and_quiet(words: list[str]):
    assert {"json", "quiet"} <= {parameter.name for parameter in command_of(words).params}


@pytest.mark.parametrize(
    "words", [["train"], ["encode"], ["index"], ["search"], ["evaluate"], ["demo"]], ids=" ".join
)
def test_commands_that_compute_take_seed_threads_and_device(words: list[str]):
    names = {parameter.name for parameter in program.commands[words[0]].params}

    # The demo makes its own workspace, in the folder that it is given.
    own = {"folder"} if words == ["demo"] else {"workspace_folder"}
    assert {"seed", "threads", "device"} | own <= names


def test_every_option_says_what_it_is_for():
    commands = [*program.commands.values(), *program.commands["data"].commands.values()]
    silent = [
        f"{command.name} {parameter.opts[0]}"
        for command in commands
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.help
    ]

    assert silent == []


def test_the_version_is_that_of_the_installed_distribution(compress):
    assert compress("--version").out.split()[-1] == importlib.metadata.version("compress-video-embeddings")

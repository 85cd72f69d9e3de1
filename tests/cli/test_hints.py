"""Options that a message names exist, as they are typed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from cli.program import compress as program

ROOT = Path(__file__).resolve().parents[2]
OF_OTHERS = {"--force-reinstall", "--no-cache-dir", "--no-deps", "--yes", "--page"}  # pip's; CSS's


def words_of(path: Path) -> list[str]:
    """The strings of a module."""
    tree = ast.parse(path.read_text())
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_every_option_that_a_message_names_exists():
    commands = [*program.commands.values(), *program.commands["data"].commands.values()]
    options = {
        name
        for command in commands
        for option in command.params
        for name in (*option.opts, *option.secondary_opts)
    }
    named = {
        option
        for folder in ("compress", "cli", "encoders")
        for path in (ROOT / folder).rglob("*.py")
        for text in words_of(path)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)
    }

    assert named - options - OF_OTHERS - {"--help"} == set()

"""docs/architecture.md is true: its paths exist, every folder has its line, its floors are the contract."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = ("compress", "encoders", "cli")


def contract() -> list[list[str]]:
    """The floors of pyproject.toml, without the package that most of them are in."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (floors,) = (each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    return [
        [name.strip().strip("()").removeprefix("compress.") for name in re.split(r"[|:]", line)]
        for line in floors["layers"]
    ]


def test_every_path_that_is_named_exists() -> None:
    spans = re.findall(r"`((?:compress|encoders|cli|tests|docs)/[\w/.-]*)`", PAGE)
    assert len(spans) >= 40
    assert [path for path in spans if not (ROOT / path).exists()] == []


def test_every_folder_has_its_line() -> None:
    told = set(re.findall(r"^\| `([^`]+)`", PAGE, re.M))
    folders = {f"compress/{path.parent.name}/" for path in (ROOT / "compress").glob("*/__init__.py")}
    assert folders <= told


def test_the_floors_are_those_of_the_contract() -> None:
    block = next(text for text in re.findall(r"^```\n(.*?)^```", PAGE, re.M | re.S) if text.startswith("cli"))
    assert [line.split(", ") for line in block.splitlines()] == contract()


def test_every_module_stands_on_a_floor() -> None:
    standing = {name for floor in contract() for name in floor}
    modules = {path.stem for path in (ROOT / "compress").glob("*.py")} - {"__init__"}
    modules |= {path.parent.name for path in (ROOT / "compress").glob("*/__init__.py")}
    assert modules <= standing

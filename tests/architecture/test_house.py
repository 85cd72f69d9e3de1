"""The house: short files with names of concepts, and options that are the arguments of their jobs."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rich_click as click

from cli.program import compress
from compress.jobs.data import download_commands, import_arrays, make_sample
from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_runs, evaluate_store
from compress.jobs.extract import extract_videos
from compress.jobs.index import index_store
from compress.jobs.init import create_workspace
from compress.jobs.search import search_store
from compress.jobs.select import select_store
from compress.jobs.settings import list_settings
from compress.jobs.shrink import shrink_run
from compress.jobs.train import train_run

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {"compress/datasets/features_pb2.py"}
FILES = [path for name in ("compress", "encoders", "cli") for path in sorted((ROOT / name).rglob("*.py"))]
LONGEST = 300
NO_CONCEPT = {
    *("admission", "common", "facts", "helpers", "kept", "lessons", "placed", "standing", "titles", "utils"),
    *("wording", "words"),
}

JOBS: dict[str, list[Callable[..., Any]]] = {
    "init": [create_workspace],
    "sample": [make_sample],
    "import": [import_arrays],
    "download": [download_commands],
    "train": [train_run, list_settings],
    "shrink": [shrink_run],
    "extract": [extract_videos],
    "encode": [encode_store],
    "index": [index_store],
    "search": [search_store],
    "evaluate": [evaluate_store, evaluate_runs],
    "select": [select_store],
}
OF_THE_COMMAND = {"help_settings"}


def test_no_file_is_too_long_to_read_at_once():
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in FILES}
    too_long = {str(path.relative_to(ROOT)) for path, lines in lengths.items() if lines > LONGEST}
    assert too_long - GENERATED == set()


def test_every_file_is_named_after_a_concept():
    assert [path for path in FILES if path.stem in NO_CONCEPT] == []


def test_only_cli_imports_the_library_of_the_command_line():
    for path in FILES:
        if path.relative_to(ROOT).parts[0] == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"click", "rich_click"}, path


@pytest.mark.parametrize("name", JOBS)
def test_the_options_of_a_command_are_the_arguments_of_its_job(name: str):
    commands = {**compress.commands["data"].commands, **compress.commands}  # type: ignore[attr-defined]
    exposed = [one for one in commands[name].params if one.expose_value and one.name not in OF_THE_COMMAND]
    taken = {argument for job in JOBS[name] for argument in inspect.signature(job).parameters}
    assert isinstance(commands[name], click.Command)
    assert {str(one.name) for one in exposed} <= taken
    assert taken - {str(one.name) for one in exposed} <= {
        "workspace",
        "report",
        "folder",
        "notes",
        "description",
    }

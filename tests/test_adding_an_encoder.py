"""docs/adding-an-encoder.md is true: its encoder is added to a copy of the repository, tested, trained there.

A copy, and processes of their own: nothing is left in this process's registry.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from encoders import list_encoders

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "adding-an-encoder.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.M | re.S)
LINES_OF_THE_LAST = re.findall(r"^- `([^`]+)`: `([^`]+)`$", PAGE, re.M)
COPIED = (
    "encoders",
    "compress",
    "cli",
    "tests/encoders",
    "tests/training",
    "tests/conftest.py",
    "pyproject.toml",
)


def add(folder: Path, block: str, language: str) -> None:
    """Do what a block says: a python block is a new file, of a diff only the lines with + are new."""
    first, text = block.split("\n", 1)
    path = folder / first.removeprefix("# ")
    if language == "python":
        assert not path.exists()
        path.write_text(text, encoding="utf-8")
        return
    lines = text.splitlines()
    before = "\n".join(line[1:] for line in lines if line.startswith(" "))
    content = path.read_text(encoding="utf-8")
    assert content.count(before) == 1, f"the place in {path.name} is not to be found"
    after = "\n".join(line[1:] for line in lines)
    path.write_text(content.replace(before, after), encoding="utf-8")


def ran(folder: Path, *words: str) -> str:
    """Output of `python words` in the folder, which must end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the page's encoder added."""
    folder = tmp_path_factory.mktemp("repository")
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    for language, block in BLOCKS:
        if language:
            add(folder, block, language)
    return folder


def test_the_command_of_the_page_tests_the_new_encoder_and_trains_it(copy: Path) -> None:
    (command,) = (block for language, block in BLOCKS if not language)
    python, *words = shlex.split(command)
    assert python == ".venv/bin/python"
    passed = re.search(r"(\d+) passed", ran(copy, *words, "-q", "-p", "no:cacheprovider"))
    assert passed
    assert int(passed[1]) >= 50


def test_the_new_encoder_is_clean(copy: Path) -> None:
    # What the page says about order: after --fix nothing is left to say.
    ran(copy, "-m", "ruff", "check", "-q", "--fix", "--no-cache", "encoders")
    ran(copy, "-m", "ruff", "format", "-q", "--no-cache", "--check", "encoders/gated_average.py")


def test_the_new_row_can_be_trained_by_its_recipe(copy: Path) -> None:
    script = """
from compress.papers import catalogue
from compress.training import train_config
row, = (row for row in catalogue().of("2") if row.run == "gated-average")
config = train_config(row.encoder, row.dim, row.preset, {**row.options, "epochs": row.epochs})
print(config.encoder, config.epochs, config.batch_size)
"""
    assert ran(copy, "-c", script).split() == ["gated_average", "2", "128"]


@pytest.mark.parametrize(("path", "line"), LINES_OF_THE_LAST)
def test_the_lines_of_the_last_encoder_are_where_the_page_says(path: str, line: str) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert line in [found.strip() for found in lines]


def test_every_file_that_is_named_exists() -> None:
    assert len(LINES_OF_THE_LAST) >= 5
    named = set(re.findall(r"`((?:encoders|compress|tests|docs)/[\w/.-]+\.\w+)`", PAGE))
    assert len(named) >= 5
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_it_was_all_done_in_the_copy() -> None:
    assert not (ROOT / "encoders" / "gated_average.py").exists()
    assert "gated_average" not in list_encoders()

"""The guides to adding something are true: each is followed in a copy of the repository.

A page is read from top to bottom. A `python` block that begins with `# some/file.py` is a new file; a `diff`
block changes the file that its first line names; all other blocks run: python, `compress ...`, and the tests
that the page names. Processes of their own, so nothing is left in this process's registries.
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

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = {
    "encoder": DOCS / "adding-an-encoder.md",
    "codec": DOCS / "guides" / "adding-a-codec.md",
    "metric": DOCS / "guides" / "adding-a-metric.md",
    "format": DOCS / "guides" / "adding-a-format.md",
    "option": DOCS / "guides" / "adding-an-option.md",
}
TESTS_PASSED = {"encoder": 50, "codec": 10, "metric": 4, "format": 1, "option": 10}
"""At the least, so that a page whose -k finds nothing is noticed."""
COPIED = ("encoders", "compress", "cli", "tests", "docs", "pyproject.toml")
PYTEST = ".venv/bin/python -m pytest "
TEXT = {kind: path.read_text(encoding="utf-8") for kind, path in PAGES.items()}
BLOCKS = {kind: re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) for kind, text in TEXT.items()}
LINES_OF_THE_LAST = re.findall(r"^- `([^`]+)`: `([^`]+)`$", TEXT["encoder"], re.M)


def named_file(block: str) -> str:
    """The file that a block is about; "" where it is to be run."""
    found = re.match(r"# ([\w/.-]+\.\w+)\n", block)
    return found[1] if found else ""


def add(folder: Path, language: str, block: str) -> None:
    """Do what a block says to a file: write it, or put the lines of a diff in place."""
    path, text = folder / named_file(block), block.split("\n", 1)[1]
    if language == "python":
        assert not path.exists()
        path.write_text(text, encoding="utf-8")
        return
    lines = text.splitlines()
    before = "\n".join(line[1:] for line in lines if line[:1] in (" ", "-"))
    after = "\n".join(line[1:] for line in lines if line[:1] in (" ", "+"))
    content = path.read_text(encoding="utf-8")
    assert content.count(before) == 1, f"the place in {path.name} is not to be found"
    path.write_text(content.replace(before, after), encoding="utf-8")


def ran(folder: Path, *words: str, cwd: Path | None = None) -> str:
    """Output of `python words` with the copy in `folder`; it must end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd or folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def script_of(kind: str) -> str:
    """The page's python and its `compress` commands, in order, as one program."""
    parts = ["from cli.main import run", "def command(*words):"]
    parts += ["    try: run(list(words))", "    except SystemExit as end: assert not end.code, words"]
    for language, block in BLOCKS[kind]:
        if language == "python" and not named_file(block):
            parts.append(block)
        if not language:
            words = [shlex.split(line)[1:] for line in block.splitlines() if line.startswith("compress ")]
            parts += [f"command(*{line!r})" for line in words]
    return "\n".join(parts)


@pytest.fixture(scope="module", params=PAGES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def copy(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with what the page adds."""
    folder = tmp_path_factory.mktemp("repository")
    leave_out = shutil.ignore_patterns("__pycache__", "results")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=leave_out)
        else:
            shutil.copy(ROOT / name, folder / name)
    for language, block in BLOCKS[kind]:
        if named_file(block):
            add(folder, language, block)
    return folder


def test_what_the_page_shows_runs(kind: str, copy: Path, tmp_path: Path) -> None:
    ran(copy, "-c", script_of(kind), cwd=tmp_path)


def test_the_tests_that_the_page_names_pass(kind: str, copy: Path) -> None:
    lines = [line for language, block in BLOCKS[kind] if not language for line in block.splitlines()]
    (command,) = (line for line in lines if line.startswith(PYTEST))
    words = shlex.split(command)[1:]
    passed = re.search(r"(\d+) passed", ran(copy, *words, "-q", "-p", "no:cacheprovider"))
    assert passed
    assert int(passed[1]) >= TESTS_PASSED[kind]


def test_the_new_code_is_clean(kind: str, copy: Path) -> None:
    files = sorted({named_file(block) for _, block in BLOCKS[kind]} - {""})
    code = [name for name in files if name.endswith(".py")]
    # What the page of encoders says about order: after --fix nothing is left to say.
    ran(copy, "-m", "ruff", "check", "-q", "--fix", "--no-cache", *code)
    ran(copy, "-m", "ruff", "format", "-q", "--no-cache", "--check", *code)


def test_the_files_touched_are_those_of_the_table(kind: str) -> None:
    told = re.findall(r"^\| `([^`]+)` \|", TEXT[kind], re.M)
    assert set(told) == {named_file(block) for _, block in BLOCKS[kind]} - {""}


def test_every_file_that_is_named_exists(kind: str) -> None:
    new = {named_file(block) for language, block in BLOCKS[kind] if language == "python"}
    named = set(re.findall(r"`((?:encoders|compress|cli|tests|docs)/[\w/.-]+\.\w+)`", TEXT[kind]))
    assert len(named) >= 2
    assert [path for path in named - new if not (ROOT / path).exists()] == []


def test_it_was_all_done_in_the_copy(kind: str) -> None:
    new = [named_file(block) for language, block in BLOCKS[kind] if language == "python"]
    assert [path for path in new if path and (ROOT / path).exists()] == []


@pytest.mark.parametrize(("path", "line"), LINES_OF_THE_LAST)
def test_the_lines_of_the_last_encoder_are_where_the_page_says(path: str, line: str) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert line in [found.strip() for found in lines]

"""The pages are true: every command and option that they name exists, and every link leads somewhere.

The commands are not run: README.md is (test_readme.py), docs/python.md (door/test_python_page.py), and the
guides to adding something (test_guides.py).
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.program import compress
from compress.datasets.formats.sidecar import read_sidecar
from compress.description import LabelsOption
from compress.evaluation.verdicts import Verdict
from compress.metrics import METRICS
from compress.reports.models.table import Judgement
from encoders import list_encoders
from tests.parsing import every, parsed

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
PAGES += [*sorted(DOCS.glob("guides/*.md")), DOCS / "results" / "README.md"]
KEPT = sorted(DOCS.glob("results/*/*.md"))
ADDING = [path for path in PAGES if path.name.startswith("adding-")]
"""Name options and files that are not there yet; test_guides.py follows them."""
FILES = ("PATH", "features.npy", "labels.csv", "query.npy")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block."""
    return re.findall(r"^```([\w{}-]*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def prose(page: Path) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def spans(page: Path) -> list[str]:
    """What stands `like this`, also over the end of a line."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))]


def commands(page: Path) -> Iterator[str]:
    """Every `compress ...` of the page; shell variables are numbers, or nothing where they hold options."""
    yield from (span for span in spans(page) if span.startswith("compress ") and span != "compress --help")
    for language, block in blocks(page):
        if language == "python":
            continue
        lines = re.sub(r"\$(plain|taught)", "", block.replace("\\\n", " "))
        for line in re.sub(r"\$\w+", "320", lines).splitlines():
            without_comment = re.sub(r"\s#.*", "", line)
            yield from re.findall(r"(?:^|&& |; |do )\s*(compress [^&;]+)", without_comment)


COMMANDS = sorted({(page.stem, line) for page in PAGES if page not in ADDING for line in commands(page)})


def complete(words: list[str]) -> list[str]:
    """Without "..." at the end, and without a last option whose value the page leaves out."""
    words = words[:-1] if words[-1] == "..." else words
    command, rest = compress, words
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command, rest = command.commands[rest[0]], rest[1:]
    last = next((one for one in command.params if rest and rest[-1] in one.opts), None)
    takes_value = isinstance(last, click.Option) and not last.is_flag and not last.count
    return words[:-1] if takes_value else words


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_is_one_that_the_program_understands(page: str, line: str, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).touch()  # some options want their file to be there
    with contextlib.suppress(click.MissingParameter):  # a page may leave out what a command needs
        parsed(complete(shlex.split(line)[1:]))


@pytest.mark.parametrize("words", [["trian"], ["train", "--dmi", "320"], ["encode", "--codec", "int9"]])
def test_a_wrong_command_would_be_noticed(words: list[str]):
    with pytest.raises(click.UsageError):
        parsed(words)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ADDING], ids=lambda page: page.stem)
def test_every_option_that_is_named_exists(page: Path):
    options = {name for command in every(compress) for option in command.params for name in option.opts}
    options |= {"--help"}
    of_others = ("make ", ".venv/bin/", "pip ", "python ", "mypy ")
    named = {
        word
        for span in spans(page)
        if not span.startswith(of_others)
        for word in re.findall(r"(?<!\S)--[a-z-]+", span)
    }
    assert named <= options


def test_every_encoder_stands_in_the_guide():
    page = (ROOT / "docs/guides/encoders.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(list_encoders())


def test_the_labels_file_of_the_guide_is_one_that_is_read(tmp_path: Path):
    page = (ROOT / "docs/guides/own-vectors.md").read_text(encoding="utf-8")
    header, example = re.search(r"begins with the line\n`(.+?)`.*?: `(.+?)`\.$", page, re.M | re.S).groups()
    (tmp_path / "labels.csv").write_text(f"{header}\n{example}\n")
    found = read_sidecar(LabelsOption(tmp_path / "labels.csv"))
    assert (found.values["id"], [row.tolist() for row in found.values["labels"]]) == (
        [b"my-video"],
        [[3, 17]],
    )


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and the site give the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, *KEPT], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in link]
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or target.suffix != ".md" or anchor in anchors(target), link


def test_every_page_is_in_the_table_of_contents():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {path for pair in re.findall(r"^(?:.+<([\w/-]+)>|([\w/-]+))$", index, re.M) for path in pair}
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in (*PAGES[2:], *KEPT)}
    assert pages - {"index"} <= listed


def test_every_figure_and_verdict_is_explained():
    page = (DOCS / "figures.md").read_text(encoding="utf-8")
    told = {cell.strip() for line in re.findall(r"^\| ([^|]+) \|", page, re.M) for cell in line.split(",")}
    shown = [metric.title for metric in METRICS] + [str(one) for one in (*Verdict, *Judgement)]
    assert [title for title in shown if title not in told] == []

"""What files of others say is shown, and nothing obeys it: terminal, HTML, Markdown, spreadsheets."""

from __future__ import annotations

import ast
import csv
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from cli.errors import failure
from cli.progress import Bars, Lines, _bars
from cli.session import VisibleOut, as_json, say
from cli.text import aligned, printed, table
from compress.datasets.vocabulary import Vocabulary
from compress.errors import DataError
from compress.foreign_text import csv_cell, one_line, visible, visible_in_colour
from compress.jobs.predictions import write_text
from compress.progress import Note, Progress
from compress.reports import print_document, to_html, to_markdown
from compress.reports.document import (
    Bullets,
    Column,
    Command,
    Commands,
    Document,
    Fact,
    Group,
    Part,
    Provenance,
    Section,
    Table,
    Text,
)
from compress.reports.document import Row as Line

ROOT = Path(__file__).parents[2]
# Sets the title, clears the screen (7 and 8 bits), hides text, turns its direction, begins a line of its own.
OSC = "\x1b]0;PWNED\x07"
HOSTILE = f"{OSC}\x1b[2J\x9b2J\x1b[8m\u202emoc.\u2066\x7f\r\nerror: x\u2028"
OBEYED = [c for c in HOSTILE if c != "\n" and not c.isprintable()]


def harmless(text: str, lines: int | None = None) -> None:
    assert not [c for c in text if c != "\n" and not c.isprintable()], text
    assert "PWNED" in text
    assert lines is None or text.count("\n") == lines


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    found = Screen()
    monkeypatch.setattr("sys.stdout", found)
    return found


def test_nothing_that_steers_is_left():
    assert len(OBEYED) == 10
    harmless(visible(HOSTILE), 1)
    harmless(one_line(HOSTILE), 0)
    for code in (*range(32), *range(127, 160), 0x2028, 0x202E, 0x2066):
        assert one_line(chr(code)).isprintable()
        assert json.loads(as_json({"a": chr(code)})) == {"a": chr(code)}
        assert as_json({"a": chr(code)}).replace("\n", "").isprintable()
    assert visible("naïve 猫 📼\n\tx") == "naïve 猫 📼\n\tx"


def test_colours_of_ours_stay_and_nothing_else():
    assert visible_in_colour("\x1b[1mbold\x1b[0m") == "\x1b[1mbold\x1b[0m"
    harmless(visible_in_colour(OSC))


def test_facts_and_tables(screen: Screen):
    harmless(aligned({HOSTILE: HOSTILE, "b": {HOSTILE: [HOSTILE]}}), 1)
    shown = table([HOSTILE, "n"], [[HOSTILE, 1]])
    assert OSC not in shown
    assert "\x1b[8m" not in shown
    say(HOSTILE + table(["a"], [[HOSTILE]]))
    VisibleOut().write(HOSTILE)
    assert OSC not in screen.getvalue()
    assert "\x9b" not in screen.getvalue()


def test_errors_and_their_hints_are_one_line():
    harmless(failure(DataError(HOSTILE, where=HOSTILE, hint=HOSTILE)).line, 0)
    harmless(failure(ValueError(HOSTILE)).line, 0)


def test_progress(capsys: pytest.CaptureFixture[str]):
    shown = Lines()
    shown(Note(HOSTILE))
    shown(Progress(HOSTILE, 1, 2, HOSTILE))
    harmless(capsys.readouterr().err)
    bars, file = _bars(), Screen()
    bars.live.console = Console(file=file, width=300, color_system=None)
    with bars:
        each = Bars(bars)
        each(Note(HOSTILE))
        each(Progress(HOSTILE + "[/bold][red]", 1, 2))
    assert OSC not in file.getvalue()
    assert "[/bold][red]" in file.getvalue(), "no markup either"


def document(text: str) -> Document:
    """A report in which everything is foreign."""
    cells = ((Part(text), Part(text, "name")), (Part(text),))
    columns = (Column(text, left=True), Column(text, under=text))
    commands = Commands((Command(text, text, note=text, missing=True),))
    blocks = (Table(text, columns, (Group(text, (Line(cells),)),)), Text(text), Bullets((text,)), commands)
    return Document(
        kicker=text,
        headline=text,
        measured_on=text,
        provenance=Provenance(text, text, {text: text}),
        data={},
        summary=(Fact(text, text, text),),
        cautions=(text,),
        sections=(Section(text, blocks, terminal=True),),
        foot=text,
    )


def test_reports():
    written = [to_markdown(document(HOSTILE)), to_html(document(HOSTILE + "<script>"))]
    written.append(printed(lambda console: print_document(document(HOSTILE), console)))
    for text in written:
        harmless(text)
        assert "<script>" not in text


@pytest.mark.parametrize("form", ["table", "csv", "jsonl", "kaggle"])
def test_predictions_on_a_terminal(screen: Screen, form: str):
    names = Vocabulary({0: HOSTILE})
    write_text(form, [[(HOSTILE, [(0, 0.5)])]], names, VisibleOut())
    text = screen.getvalue()
    assert not [c for c in text if c != "\n" and not c.isprintable()]


def test_predictions_in_a_file_are_exact():
    out = io.StringIO()
    write_text("jsonl", [[(HOSTILE, [(0, 0.5)])]], Vocabulary({0: HOSTILE}), out)
    found = json.loads(out.getvalue())
    assert (found["video_id"], found["labels"][0]["name"]) == (HOSTILE, HOSTILE)


@pytest.mark.parametrize(
    "text", ["=1+1", "=HYPERLINK(1)", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "=\n1+1"]
)
def test_a_cell_that_a_spreadsheet_would_compute_is_text(text: str):
    shown = f"'{text}".replace("\r", "\\x0d")
    assert csv_cell(text) == shown
    out = io.StringIO()
    write_text("csv", [[(text, [(0, 0.5)])]], Vocabulary({0: text}), out)
    _, row = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert (row[0], row[3]) == (shown, shown)


@pytest.mark.parametrize(
    "text", ["", "abc", "-dQw4w9WgXc", "--_-abc-_-", "=x", "-1.5", "a=1+1", "naïve (live)", "'x"]
)
def test_every_other_cell_is_exact(text: str):
    assert csv_cell(text) == text


PRINTING = ("print", "click.echo", "sys.stdout.write", "sys.stderr.write")


def test_one_place_prints():
    """Everything that is printed goes through `say`, `tell`, `VisibleOut` or the reporters."""
    allowed = {"cli/session.py": 2, "cli/errors.py": 1, "cli/progress.py": 1, "cli/program.py": 1}
    for path in sorted([*(ROOT / "cli").glob("*.py"), *(ROOT / "compress").rglob("*.py")]):
        name, found = path.relative_to(ROOT).as_posix(), 0
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found += ast.unparse(node.func) in (
                    "print",
                    "click.echo",
                    "sys.stdout.write",
                    "sys.stderr.write",
                )
        assert found <= allowed.get(name, 0), f"{name} prints"

"""A report before it is drawn: headline, key facts, tables, figures, commands; every renderer reads this.

`terminal`, `markdown` and `html` each draw any Document; its `data` is the JSON file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from compress.metrics import Interval
from compress.reports.rounding import NONE, bracket, figure, points, points_bracket

Tone = Literal["", "quiet", "paper", "name", "tag", "strong", "holds", "noise", "short"]
"""How a part of a cell looks: an interval, the paper's figure, an identifier, a remark, a verdict."""

Renderer = Literal["terminal", "markdown", "html"]
EVERYWHERE: frozenset[Renderer] = frozenset({"terminal", "markdown", "html"})
FILES: frozenset[Renderer] = frozenset({"markdown", "html"})


@dataclass(frozen=True)
class Part:
    """One piece of a cell; in the terminal and on a page each has its own line."""

    text: str
    tone: Tone = ""


Cell = tuple[Part, ...]


def cell(*parts: str | Part | None) -> Cell:
    """A cell of plain texts and parts; None is left out, and nothing at all becomes a dash."""
    found = tuple(Part(part) if isinstance(part, str) else part for part in parts if part is not None)
    return found or (Part(NONE),)


def estimate(found: Interval | None) -> Cell:
    """A figure and its interval: 0.679 [0.673, 0.685]; no parts where it was not measured."""
    return () if found is None else (Part(figure(found.value)), Part(bracket(found), "quiet"))


def in_paper(value: float | None, tell: Callable[[float], str] = figure) -> Part | None:
    """The paper's figure, below ours; None where it prints none."""
    return None if value is None else Part(f"paper {tell(value)}", "paper")


def named(title: str, name: str | None, *, synthetic_frames: bool) -> Cell:
    """The first cell of a row: its title, its identifier, and a remark on made-up frames."""
    return cell(
        title,
        Part(name, "name") if name else None,
        Part("synthetic frames", "tag") if synthetic_frames else None,
    )


def change(found: Interval | None) -> Cell:
    """A difference in points and its interval: +0.40 [+0.00, +0.80]; no parts where there is none."""
    return () if found is None else (Part(points(found.value)), Part(points_bracket(found), "quiet"))


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: its name; only the terminal keeps its line breaks.
        under: what the further lines of its cells are, for the head of the table in the terminal.
        left: aligned to the left; numbers are to the right.
        shown: the renderers that show it.
        drop: on a narrow terminal the column with the highest number goes first; 0 always stays.
    """

    title: str
    under: str = ""
    left: bool = False
    shown: frozenset[Renderer] = EVERYWHERE
    drop: int = 0


@dataclass(frozen=True)
class Row:
    """One row; `reference` marks the one that the others are compared with."""

    cells: tuple[Cell, ...]
    reference: bool = False


def row(*cells: Cell | Part | str | None, reference: bool = False) -> Row:
    """A row of cells, single parts and plain texts; None becomes a dash."""
    found = tuple(one if isinstance(one, tuple) else cell(one) for one in cells)
    return Row(found, reference)


@dataclass(frozen=True)
class Group:
    """Rows under a heading; an empty title has no heading."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table; its first column names the rows.

    Args:
        caption: what the figures are, below the title of the section.
        columns: one for each cell of a row.
        groups: rows under headings; groups without rows are not drawn.
        folded: the page hides the table behind this text until it is clicked; empty shows it.
        narrow: the page need not give it the whole width.
    """

    caption: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    folded: str = ""
    narrow: bool = False


def plain_table(caption: str, titles: Iterable[str], rows: Iterable[Row]) -> Table:
    """A narrow table without groups, its first column left and the others right."""
    return Table(caption, tuple(map(Column, titles)), (Group("", tuple(rows)),), narrow=True)


@dataclass(frozen=True)
class Text:
    """A paragraph; with `caution`, one to be noticed."""

    text: str
    caution: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list; `names` in its texts are identifiers, which a page keeps in one piece."""

    items: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """One chart, drawn when a page asks for it, as SVG markup that follows the page's colours.

    `description` has its figures in words for those who do not see it.
    """

    title: str
    description: str
    draw_wide: Callable[[], str]
    draw_narrow: Callable[[], str]

    @cached_property
    def wide(self) -> str:
        """For a wide page, about 560 pixels per chart."""
        return self.draw_wide()

    @cached_property
    def narrow(self) -> str:
        """For a phone, about 372 pixels."""
        return self.draw_narrow()


@dataclass(frozen=True)
class Key:
    """An entry of a legend: `mark` is SVG markup, `name` an identifier beside the label."""

    label: str
    mark: str
    name: str = ""


@dataclass(frozen=True)
class Figure:
    """Charts side by side.

    Args:
        charts: one or more.
        caption: what is drawn, in sentences.
        legend: what the marks mean, where the charts do not say it.
        file: of the drawing beside the Markdown file; without one, Markdown leaves the figure out.
    """

    charts: tuple[Chart, ...]
    caption: str
    legend: tuple[Key, ...] = ()
    file: str = ""


@dataclass(frozen=True)
class Command:
    """Steps joined by `&&` and what they make; `missing`: of a row not run, shown in the terminal."""

    title: str
    command: str
    note: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Commands:
    """Commands to copy."""

    commands: tuple[Command, ...]


Block = Table | Text | Bullets | Figure | Commands


@dataclass(frozen=True)
class Section:
    """A titled part; the terminal shows those with `terminal`, without the title."""

    title: str
    blocks: tuple[Block, ...]
    terminal: bool = False


@dataclass(frozen=True)
class Fact:
    """An entry of the summary card: what, its value, and what to compare it with."""

    label: str
    value: str
    detail: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Provenance:
    """Where a report came from; passed in, so that two reports of the same rows differ in nothing else.

    `versions` are by package; `fingerprint` is that of the validation videos, empty where there are none.
    """

    generated: str
    command: str
    versions: Mapping[str, str]
    fingerprint: str = ""

    def as_json(self) -> dict[str, Any]:
        """What the JSON file says of it."""
        return {"generated": self.generated, "command": self.command, "versions": dict(self.versions)}


@dataclass(frozen=True)
class Document:
    """A whole report.

    Args:
        kicker: what kind of report it is, in small above the headline.
        headline: the finding in one sentence.
        measured_on: the data, in a sentence.
        summary: the card of key facts.
        cautions: reasons to read the report with care.
        sections: in reading order.
        foot: how to read the table, for the terminal.
        provenance: when, with what and by which command.
        data: the JSON file: unrounded figures, fractions (not points), sizes in bytes.
    """

    kicker: str
    headline: str
    measured_on: str
    provenance: Provenance
    data: Mapping[str, Any]
    summary: tuple[Fact, ...] = ()
    cautions: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    foot: str = ""

"""A report as Markdown with GitHub tables; all text is escaped: it cannot become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from compress.foreign_text import visible
from compress.reports.document import (
    Block,
    Bullets,
    Cell,
    Commands,
    Document,
    Figure,
    Part,
    Provenance,
    Section,
    Table,
    Text,
    Tone,
)

# How the parts of a cell follow each other on one line.
_JOINED: dict[Tone, str] = {
    **dict.fromkeys(("name", "tag"), " ({})"),
    **dict.fromkeys(("holds", "noise", "short"), ", {}"),
    "paper": "; {}",
}


def to_markdown(document: Document) -> str:
    """The whole report; ends with one newline."""
    parts = [f"# {_escape(document.headline)}", _escape(document.measured_on)]
    parts += [f"> **Note.** {_escape(text)}" for text in document.cautions]
    if document.summary:
        parts.append(
            "\n".join(
                f"- **{_escape(fact.label)}**: {_escape(fact.value)}"
                + (f", {_escape(fact.detail)}" if fact.detail else "")
                for fact in document.summary
            )
        )
    for section in document.sections:
        parts += _section(section)
    return "\n\n".join([*parts, *_provenance(document.provenance)]) + "\n"


def _section(section: Section) -> list[str]:
    parts = [part for block in section.blocks for part in _block(block)]
    return [f"## {_escape(section.title)}", *parts] if parts else []


def _block(block: Block) -> Iterator[str]:
    match block:
        case Text(text, caution):
            yield f"> **Note.** {_escape(text)}" if caution else _escape(text)
        case Bullets(items):
            if items:
                yield "\n".join(f"- {_escape(item)}" for item in items)
        case Table():
            yield from _table(block)
        case Figure(charts=charts, file=file):
            if file:
                yield f"![{_escape('; '.join(chart.title for chart in charts))}]({file})"
        case Commands(commands):
            for one in commands:
                note = f" ({one.note})" if one.note else ""
                yield f"{_escape(one.title + note)}:"
                yield _fenced(one.command)


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield _escape(table.caption)
    shown = [i for i, column in enumerate(table.columns) if "markdown" in column.shown]
    header = [_escape(table.columns[i].title.replace("\n", " ")) for i in shown]
    rule = ["---" if i == 0 or table.columns[i].left else "---:" for i in shown]
    for group in table.groups:
        if group.title and group.rows:
            yield f"### {_escape(group.title)}"
        if group.rows:
            yield "\n".join(
                map(_line, [header, rule, *([_cell(row.cells[i]) for i in shown] for row in group.rows)])
            )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(found: Cell) -> str:
    return _escape("".join(_part(part, first=i == 0) for i, part in enumerate(found)))


def _part(part: Part, *, first: bool) -> str:
    return part.text if first else _JOINED.get(part.tone, " {}").format(part.text)


def _escape(text: str) -> str:
    """Text that Markdown and HTML show unchanged."""
    text = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", text)


def _fenced(command: str) -> str:
    """A code block that its text cannot end."""
    command = visible(command)
    longest = max((len(run) for run in re.findall("`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{command}\n{fence}"


def _provenance(provenance: Provenance) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(provenance.versions.items()))
    return [
        "## Provenance",
        _escape(f"Generated {provenance.generated} with {versions}."),
        _fenced(provenance.command),
    ]

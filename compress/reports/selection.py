"""What `compress select` found: the smallest store that keeps a promise, how it was found, how to make it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from compress.artifacts.atomic import write_bytes, write_json
from compress.evaluation.judges.names import title_of
from compress.evaluation.promises import QUANTITIES, Change, Choice, Promise, Quantity, Tried
from compress.evaluation.row import Row
from compress.reports.document import (
    Bullets,
    Cell,
    Column,
    Command,
    Commands,
    Document,
    Group,
    Part,
    Provenance,
    Section,
    Table,
    Text,
    cell,
    row,
)
from compress.reports.markdown import to_markdown
from compress.reports.rounding import count, listed, points, size
from compress.reports.terminal import print_document
from compress.reports.writing import provenance, refuse_others

TITLES: Mapping[Quantity, str] = {"gap": "GAP", "map": "MAP", "precision": "label precision@10"}
_ENCODE = "compress encode "


@dataclass(frozen=True)
class Selection:
    """A choice with the rows of the stores it was made from; `judges` are those that were named, if any."""

    choice: Choice
    baseline: Row
    rows: Mapping[str, Row]
    left_out: Mapping[str, str]
    judges: tuple[str, ...] = ()

    @property
    def chosen(self) -> Row | None:
        """Row of the store that was chosen, or None."""
        return None if self.choice.chosen is None else self.rows[self.choice.chosen.expected.name]

    @property
    def encode_command(self) -> str | None:
        """What to type to get the store of the chosen row; None without one, or where nobody knows."""
        parts = [] if self.chosen is None else self.chosen.command.split(" && ")
        return next((part for part in parts if part.startswith(_ENCODE)), None)

    @property
    def times_smaller(self) -> float | None:
        """By how much the chosen store is smaller than the baseline."""
        return None if self.chosen is None else self.baseline.bytes_per_video / self.chosen.bytes_per_video


def write_selection(selection: Selection, folder: Path, *, generated: str, command: str) -> tuple[Path, Path]:
    """Write select.md and select.json, each in one step.

    Returns: the paths of the Markdown and the JSON file.

    Raises:
        StorageError: the disk refused; older files stay as they were.
    """
    document = page(selection, provenance(generated, command))
    markdown, plain = folder / "select.md", folder / "select.json"
    refuse_others(markdown, plain)
    write_bytes(markdown, to_markdown(document).encode("utf-8"))
    write_json(plain, dict(document.data))
    return markdown, plain


def print_selection(selection: Selection, console: Console | None = None) -> None:
    """Print what was chosen and what was tried; see `print_document`."""
    print_document(page(selection, Provenance("", "", {})), console)


def page(selection: Selection, made: Provenance) -> Document:
    """The report."""
    choice, chosen, (headline, *further) = selection.choice, selection.chosen, verdict(selection)
    tried = (Text(" ".join(further)),) if further else ()
    return Document(
        kicker="The smallest store that keeps the promise",
        headline=headline,
        measured_on=f"{count(choice.videos['selection'])} validation videos in the selection half, "
        f"{count(choice.videos['confirmation'])} in the confirmation half.",
        provenance=made,
        data=selection_to_json(selection) | {"command": made.command, "generated": made.generated},
        sections=(
            Section("Tried, in this order", (*tried, *_tried_table(selection)), terminal=True),
            Section("Commands", tuple(_commands(selection))),
            Section("How to read this", (Bullets(_reading(choice)),)),
            *([Section(f"Notes on {chosen.row}", (Bullets(chosen.notes),))] if chosen else []),
            Section("Not tried", (Bullets(tuple(_not_tried(selection))),)),
        ),
    )


def verdict(selection: Selection) -> list[str]:
    """Sentences: what was chosen, or that nothing was, and which store was the first to fail."""
    choice, baseline, chosen = selection.choice, selection.baseline, selection.chosen
    if chosen is not None and selection.times_smaller is not None:
        sentences = [
            f"{chosen.row} takes {count(chosen.bytes_per_video)} bytes per video, "
            f"{selection.times_smaller:,.1f} times smaller than {baseline.row} "
            f"({count(baseline.bytes_per_video)}), and keeps the promise: {_promised(selection)}."
        ]
    else:
        sentences = [f"No store was confirmed to keep the promise: {_promised(selection)}."]
    failed = choice.failed
    if failed is not None and failed.changes is not None:
        level = choice.promise.confidence
        misses = [
            f"its {TITLES[quantity]} changes by {points(failed.changes[quantity].value)} points"
            f"{_under(failed.changes[quantity])}, "
            f"{points(failed.changes[quantity].lowest(level))} at the lowest, {100 * short:.2f} lower than "
            "promised"
            for quantity, short in choice.shortfalls(failed.changes).items()
        ]
        which = "The nearest" if chosen is None else "The next"
        sentences.append(
            f"{which}, {failed.expected.name} of {count(failed.expected.bytes_per_video)} bytes, was not "
            f"confirmed: {listed(misses)}."
        )
    return sentences


def selection_to_json(selection: Selection) -> dict[str, Any]:
    """Every figure as a fraction, unrounded; `chosen` is null when no store was confirmed."""
    choice, chosen = selection.choice, selection.chosen
    return {
        "schema_version": 1,
        "promise": {
            "max_drops": dict(choice.promise.max_drops),
            "confidence": choice.promise.confidence,
            "judges": list(selection.judges),
        },
        "baseline": {
            "store": selection.baseline.row,
            "bytes_per_video": selection.baseline.bytes_per_video,
        },
        "videos": dict(choice.videos),
        "verdict": verdict(selection),
        "chosen": None
        if chosen is None
        else {
            "store": chosen.row,
            "bytes_per_video": chosen.bytes_per_video,
            "dim": chosen.dim,
            "codec": chosen.codec,
            "encode": selection.encode_command,
            "made_by": chosen.command,
            "notes": list(chosen.notes),
        },
        "tried": [_tried_json(choice, one) for one in choice.tried],
        "passed_over": list(choice.passed_over),
        "left_out": dict(selection.left_out),
    }


def _tried_json(choice: Choice, tried: Tried) -> dict[str, Any]:
    margin, level = tried.expected.margin, choice.promise.confidence
    return {
        "store": tried.expected.name,
        "bytes_per_video": tried.expected.bytes_per_video,
        # JSON knows no infinity: null where the baseline's own answers came back, or nothing at all does.
        "margin_in_standard_errors": margin if math.isfinite(margin) else None,
        "selection": _changes(tried.expected.changes, level),
        "confirmation": None if tried.changes is None else _changes(tried.changes, level),
        "shortfalls": {} if tried.changes is None else choice.shortfalls(tried.changes),
        "kept": tried.kept,
    }


def _changes(changes: Mapping[Quantity, Change], level: float) -> dict[str, Any]:
    return {
        quantity: {"value": one.value, "standard_error": one.error, "lowest": one.lowest(level)}
        | ({"judge": one.judge} if one.judge else {})
        for quantity, one in changes.items()
    }


def _under(change: Change) -> str:
    """Who says so, where several judges were asked."""
    return f" under {title_of(change.judge)}" if change.judge else ""


def _quantities(promise: Promise) -> list[Quantity]:
    """What is promised, always in the same order."""
    return [quantity for quantity in QUANTITIES if quantity in promise.max_drops]


def _confidence(promise: Promise) -> str:
    """95 %, 99.9 %."""
    return f"{size(round(100 * promise.confidence, 6))} %"


def _promised(selection: Selection) -> str:
    """GAP at most 0.50 points below and MAP at least 1.00 points above the baseline's, at 95 % confidence."""
    promise, parts = selection.choice.promise, []
    for quantity in _quantities(promise):
        drop = promise.max_drops[quantity]
        side = "at most {} points below" if drop >= 0 else "at least {} points above"
        parts.append(f"{TITLES[quantity]} {side.format(f'{100 * abs(drop):.2f}')}")
    judges = [title_of(name) for name in selection.judges]
    under = f", under {'each of ' if judges[1:] else ''}{listed(judges)}" if judges else ""
    return f"{listed(parts)} the baseline's, at {_confidence(promise)} confidence{under}"


def _tried_table(selection: Selection) -> Iterator[Table]:
    """Changes in points on both halves, and how low they may be in truth."""
    promise, chosen = selection.choice.promise, selection.choice.chosen
    if not selection.choice.tried:
        return
    columns = [Column("Store", left=True), Column("Bytes")]
    for quantity in _quantities(promise):
        name = TITLES[quantity][0].upper() + TITLES[quantity][1:]
        columns += [Column(f"{name}: selection", drop=1), Column("confirmation"), Column("lowest")]
    outcomes = {None: "not tested", True: "kept", False: "not confirmed"}
    rows = [
        row(
            one.expected.name,
            count(one.expected.bytes_per_video),
            *(found for quantity in _quantities(promise) for found in _tried_cells(one, quantity, promise)),
            "chosen" if one is chosen else outcomes[one.kept],
        )
        for one in selection.choice.tried
    ]
    caption = (
        "Changes against the baseline in points; lowest is what the change may be at the given "
        "confidence. Of several judges that were named, the one that says the worst is shown."
    )
    yield Table(caption, (*columns, Column("Outcome", left=True)), (Group("", tuple(rows)),))


def _tried_cells(tried: Tried, quantity: Quantity, promise: Promise) -> tuple[Cell, Cell, Cell]:
    selected = cell(points(tried.expected.changes[quantity].value))
    if tried.changes is None:
        return selected, cell(), cell()
    change = tried.changes[quantity]
    judge = Part(title_of(change.judge), "quiet") if change.judge else None
    return selected, cell(points(change.value), judge), cell(points(change.lowest(promise.confidence)))


def _commands(selection: Selection) -> Iterator[Commands]:
    if selection.chosen is not None and selection.encode_command is not None:
        yield Commands(
            (
                Command("Encode this store", selection.encode_command),
                Command("Make it from the shards", selection.chosen.command),
            )
        )


def _reading(choice: Choice) -> tuple[str, ...]:
    videos = choice.videos
    return (
        f"{count(videos['selection'])} validation videos decided the order, from the safest store to smaller "
        f"ones; {count(videos['confirmation'])} others tested each once, up to the first that failed. So "
        "every store that is marked as kept or chosen keeps the promise, all of them together with "
        f"{_confidence(choice.promise)} confidence, however many stores there were to choose from.",
        "Changes are in points (1 point is 0.01) against the baseline, of judges that learned from what "
        "is stored: the best judge of each, or with --heads every judge that was named, each against "
        "itself. The lowest is the one-sided jackknife bound over videos only: it covers other videos of "
        "the same kind, not other training seeds. An encoder whose epoch was chosen on validation videos "
        "(its notes say so) has a small advantage on both halves.",
        "The confidence is for one promise that was fixed before looking at results. Trying several promises "
        "and keeping the one that passes uses the confirmation half to choose, and the confidence is lost.",
    )


def _not_tried(selection: Selection) -> Iterator[str]:
    for name in sorted(selection.choice.passed_over):
        yield f"{name}: takes no fewer bytes than a safer store"
    for name, reason in sorted(selection.left_out.items()):
        yield f"{name}: {reason}"

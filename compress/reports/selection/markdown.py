"""The selection as Markdown."""

from __future__ import annotations

from compress.reports.markdown_blocks import command_block, provenance_blocks
from compress.reports.markdown_table import escape, to_table
from compress.reports.provenance import Provenance
from compress.reports.selection.selection import Selection
from compress.reports.selection.sentences import confidence, tried_cells, tried_header, verdict
from compress.reports.wording import count


def selection_to_markdown(selection: Selection, provenance: Provenance) -> str:
    """The page: the verdict, every store that was tried, what the promise means, what was left out."""
    choice = selection.choice
    blocks = ["# The fewest bytes that keep the promise", escape(" ".join(verdict(selection)))]
    if selection.chosen is not None and selection.encode_command is not None:
        blocks.append(command_block("To store it", selection.encode_command))
        blocks.append(command_block("From the shards on", selection.chosen.command))
    if choice.tried:
        rows = [list(map(escape, tried_cells(selection, one))) for one in choice.tried]
        blocks += ["## What was tried, in this order", to_table(tried_header(choice.promise), rows)]
    blocks += ["## How to read it", *map(escape, _reading(selection))]
    if selection.chosen is not None and selection.chosen.notes:
        blocks += [escape(f"About {selection.chosen.row}: {' '.join(selection.chosen.notes)}")]
    blocks += _others(selection)
    return "\n\n".join([*blocks, *provenance_blocks(provenance)]) + "\n"


def _reading(selection: Selection) -> list[str]:
    videos, promise = selection.choice.videos, selection.choice.promise
    return [
        f"{count(videos['selection'])} validation videos decided the order, from the safest store to fewer "
        f"bytes; {count(videos['confirmation'])} others tested each once, up to the first that failed. So "
        f"everything that is marked as kept or chosen keeps the promise at once, with {confidence(promise)} "
        "confidence, however many stores there were to choose from.",
        "Changes are in points against the baseline, of fresh heads that were trained alike on what is "
        "stored. The lowest is the one-sided bound of the jackknife over videos. It is about other videos of "
        "the same kind, not about other seeds of the trainings; an encoder whose epoch was chosen on "
        "validation videos (its notes say so) had a little help from both halves.",
        "The confidence holds for one promise, made before looking. Who tries several and takes the one that "
        "suits has chosen on the confirmation half.",
    ]


def _others(selection: Selection) -> list[str]:
    lines = [
        f"- {name}: takes no fewer bytes than a safer store" for name in sorted(selection.choice.passed_over)
    ]
    lines += [f"- {name}: {reason}" for name, reason in sorted(selection.left_out.items())]
    return ["## Not tried", "\n".join(map(_item, lines))] if lines else []


def _item(line: str) -> str:
    return "- " + escape(line.removeprefix("- "))

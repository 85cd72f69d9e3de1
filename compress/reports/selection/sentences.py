"""What was promised, what came out, and one line of cells for each store that was tried."""

from __future__ import annotations

from collections.abc import Mapping

from compress.evaluation.promises import QUANTITIES, Change, Promise, Quantity, Tried
from compress.reports.selection.selection import Selection
from compress.reports.wording import NONE, count, listed, points, size

TITLES: Mapping[Quantity, str] = {"gap": "GAP", "map": "MAP", "precision": "label precision@10"}


def promised(promise: Promise) -> str:
    """GAP at most 0.50 points below and MAP at least 1.00 points above the baseline's, at 95 % confidence."""
    parts = [_bound(quantity, promise.max_drops[quantity]) for quantity in quantities(promise)]
    return f"{listed(parts)} the baseline's, at {confidence(promise)} confidence"


def verdict(selection: Selection) -> list[str]:
    """Sentences: what was chosen, or that nothing was, and where the sequence ended."""
    choice, baseline, chosen = selection.choice, selection.baseline, selection.chosen
    sentences = []
    if chosen is not None and selection.times_smaller is not None:
        sentences.append(
            f"{chosen.row} takes {count(chosen.bytes_per_video)} bytes a video, "
            f"{selection.times_smaller:,.1f} times fewer than {baseline.row} "
            f"({count(baseline.bytes_per_video)}), and keeps the promise: {promised(choice.promise)}."
        )
    else:
        sentences.append(f"No store was confirmed to keep the promise: {promised(choice.promise)}.")
    if choice.failed is not None:
        nearest = "The nearest" if chosen is None else "The next"
        sentences.append(f"{nearest}, {_of_size(choice.failed)}, was not confirmed: {_miss(selection)}.")
    return sentences


def tried_header(promise: Promise) -> list[str]:
    """Columns of `tried_cells`."""
    of_quantities = [
        words
        for quantity in quantities(promise)
        for words in (f"{TITLES[quantity]}, selection", "confirmation", "at lowest")
    ]
    return ["store", "bytes", *of_quantities, "outcome"]


def tried_cells(selection: Selection, tried: Tried) -> list[str]:
    """Changes in points on both halves; how low they may be in truth, on the confirmation half."""
    promise, cells = selection.choice.promise, []
    for quantity in quantities(promise):
        confirmed = None if tried.changes is None else tried.changes[quantity]
        cells += [points(tried.expected.changes[quantity].value), *_confirmation(confirmed, promise)]
    chosen = selection.choice.chosen
    outcome = {None: "not tested", True: "kept", False: "not confirmed"}[tried.kept]
    return [
        tried.expected.name,
        count(tried.expected.bytes_per_video),
        *cells,
        "chosen" if tried is chosen else outcome,
    ]


def quantities(promise: Promise) -> list[Quantity]:
    """What is promised, always in the same order."""
    return [quantity for quantity in QUANTITIES if quantity in promise.max_drops]


def confidence(promise: Promise) -> str:
    """95 %, 99.9 %."""
    return f"{size(round(100 * promise.confidence, 6))} %"


def _confirmation(change: Change | None, promise: Promise) -> tuple[str, str]:
    return (
        (NONE, NONE) if change is None else (points(change.value), points(change.lowest(promise.confidence)))
    )


def _bound(quantity: Quantity, drop: float) -> str:
    side = "at most {} points below" if drop >= 0 else "at least {} points above"
    return f"{TITLES[quantity]} {side.format(f'{100 * abs(drop):.2f}')}"


def _of_size(tried: Tried) -> str:
    return f"{tried.expected.name} of {count(tried.expected.bytes_per_video)} bytes"


def _miss(selection: Selection) -> str:
    failed = selection.choice.failed
    assert failed is not None
    assert failed.changes is not None
    level = selection.choice.promise.confidence
    parts = [
        f"its {TITLES[quantity]} is {points(failed.changes[quantity].value)} points and may be "
        f"{points(failed.changes[quantity].lowest(level))}, {100 * short:.2f} lower than promised"
        for quantity, short in selection.choice.shortfalls(failed.changes).items()
    ]
    return listed(parts)

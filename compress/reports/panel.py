"""The panel of judges in the words and columns that Table 4 and the trade-off share."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from compress.evaluation.judges.names import TITLES, title_of
from compress.evaluation.row import Row
from compress.reports.document import Column, Part
from compress.reports.rounding import blended, count, listed, size

BEST_JUDGE = Part("best", "strong")
NOT_CONVERGED = Part("not converged", "short")


def in_order(names: Iterable[str]) -> list[str]:
    """The names of judges in the order of reports, each once."""
    found = set(names)
    return [name for name in TITLES if name in found]


def judge_columns(names: Collection[str]) -> tuple[Column, ...]:
    """A column for each judge."""
    return tuple(Column(title_of(name).capitalize()) for name in names)


def panel_in_words(row: Row) -> str:
    """How a row was judged, in one clause; equal for rows that compare."""
    how, videos = row.head_training, count(row.data.train_videos)
    if not row.judges:
        return (
            f"{row.head}, trained on {videos} videos for a fixed number of epochs, {size(how.epochs)}, "
            f"batch {count(how.batch_size)}{blended(how)}, seed {how.seed}"
        )
    names, heads = [title_of(one.name) for one in row.judges], max(one.seeds for one in row.judges)
    each = f"those with a seed as the mean of {heads} heads, " if heads > 1 else ""
    who = "a fresh head" if len(names) == 1 else f"{len(names)} fresh judges"
    return f"{who} ({listed(names)}), trained until convergence on {videos} videos, {each}seed {how.seed}"

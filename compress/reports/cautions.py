"""Cautions that every table shares: few videos, invented videos, frames that were made up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from compress.reports.rounding import count, listed

ENOUGH_VIDEOS = 2_000
"""Training videos below which a model or a fresh head has too few steps, whatever it reads."""

SAMPLE_NOTE = "Sample data: the videos are invented, so the figures only show that everything works."
"""The note of every row that was measured on invented videos."""


def few_videos(train_videos: Iterable[int], *, heads: bool) -> str:
    """The sentence about the row with the fewest training videos; empty when all have enough.

    Args:
        train_videos: of the measured rows; none is enough.
        heads: whether only heads were trained on these videos, on embeddings that were there; else models.
    """
    videos = min(train_videos, default=ENOUGH_VIDEOS)
    if videos >= ENOUGH_VIDEOS:
        return ""
    what, one, of = ("heads", "fresh head", "embeddings") if heads else ("models", "model", "models")
    return (
        f"Few videos: {what} were trained on {count(videos)}; on fewer than {count(ENOUGH_VIDEOS)} a {one} "
        f"is under-trained, so the figures say little about the {of}."
    )


def synthetic_frames(names: Sequence[str], *, rows: int, shown: str) -> str:
    """The sentence about rows that saw made-up frames; empty without such rows.

    Args:
        names: of these rows.
        rows: how many were measured.
        shown: what their figures show.
    """
    if not names:
        return ""
    which = "all rows" if len(names) == rows > 1 else listed(list(names))
    return f"Synthetic frames: {which} saw frames made up from video-level means, not real ones; {shown}"


def not_alike(groups: Mapping[str, Sequence[str]], what: str) -> str:
    """The sentence about rows that do not compare; empty when there is one group.

    Args:
        groups: the names of the rows, by what sets them apart.
        what: happened to them, e.g. "rows were trained differently".
    """
    if len(groups) < 2:
        return ""
    described = "; ".join(f"{listed(list(names))}: {how}" for how, names in groups.items())
    return f"Rows are not directly comparable: {what} ({described})."

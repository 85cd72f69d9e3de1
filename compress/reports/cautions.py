"""Cautions that every table shares: few videos, invented videos, frames that were made up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from compress.reports.rounding import count, listed

ENOUGH_VIDEOS = 2_000
"""Training videos below which another draw of them changes figures more than their intervals tell."""

SAMPLE_NOTE = "Sample data: the videos are invented, so the figures only show that everything works."
"""The note of every row that was measured on invented videos."""


def few_videos(train_videos: Iterable[int]) -> str:
    """The sentence about the model with the fewest training videos; empty when all have enough."""
    videos = min(train_videos, default=ENOUGH_VIDEOS)
    if videos >= ENOUGH_VIDEOS:
        return ""
    return (
        f"Few videos: models were trained on {count(videos)}; on fewer than {count(ENOUGH_VIDEOS)} a model "
        "learns little, so the figures say little about it."
    )


def few_videos_to_judge_by(train_videos: Iterable[int]) -> str:
    """The same about rows whose judges learned from these videos."""
    videos = min(train_videos, default=ENOUGH_VIDEOS)
    if videos >= ENOUGH_VIDEOS:
        return ""
    return (
        f"Few videos: the judges learned from {count(videos)}. Their training has converged, but they "
        "would find more with more videos, in the baseline too, and no interval covers another draw of "
        "training videos."
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

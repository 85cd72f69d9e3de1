"""The caution that all tables share: what was trained on few videos says little."""

from __future__ import annotations

from collections.abc import Sequence

from compress.evaluation.models.row import ModelRow
from compress.evaluation.row import Row
from compress.reports.wording import count

ENOUGH_VIDEOS = 2_000
"""Training videos below which a model or a fresh head has too few steps, whatever it reads."""


def few_videos(rows: Sequence[Row] | Sequence[ModelRow], heads: bool) -> str:
    """The sentence about the row with the fewest training videos; empty when all have enough.

    Args:
        rows: measured ones; none is enough.
        heads: whether only heads were trained on these videos, on embeddings that were there; else models.
    """
    videos = min((row.data.train_videos for row in rows), default=ENOUGH_VIDEOS)
    if videos >= ENOUGH_VIDEOS:
        return ""
    what, one, of = ("heads", "fresh head", "embeddings") if heads else ("models", "model", "models")
    return (
        f"Few videos: {what} were trained on {count(videos)}; on fewer than {count(ENOUGH_VIDEOS)} a {one} "
        f"is under-trained, so the figures say little about the {of}."
    )

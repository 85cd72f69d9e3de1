"""How unequal the classes are: videos of a class against its rank, and the slope on double logarithmic axes.

Source: Figure 1 of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.errors import DataError
from compress.reports.rounding import count, signed

NAMED_RANKS = (1, 10, 100, 1000)


@dataclass(frozen=True)
class Zipf:
    """Classes by falling number of videos.

    Args:
        counts: videos of the class of rank 1, 2, ...; falling, at least 1.
        without: classes that have no video.
        slope: of log(videos) against log(rank) over all ranks of `counts`, by least squares; 0 for one class.
        intercept: log10 of the videos that this line has at rank 1.
        named: (rank, class number) of a few ranks, for names on the plot.
    """

    counts: tuple[int, ...]
    without: int
    slope: float
    intercept: float
    named: tuple[tuple[int, int], ...]

    @property
    def steps(self) -> list[tuple[int, int]]:
        """(rank, videos) at the first and last rank of each run of equal counts: the whole curve, smaller."""
        last = len(self.counts) - 1
        return [
            (i + 1, videos)
            for i, videos in enumerate(self.counts)
            if i in (0, last) or videos != self.counts[i - 1] or videos != self.counts[i + 1]
        ]


def zipf(videos: np.ndarray) -> Zipf:
    """Rank the classes.

    Raises:
        DataError: no class has a video.
    """
    order = np.argsort(-videos, kind="stable")
    counts = videos[order][: np.count_nonzero(videos)]
    if not len(counts):
        raise DataError("no class has a video, so there is nothing to rank")
    slope, intercept = _line(np.log10(np.arange(1, len(counts) + 1)), np.log10(counts))
    named = tuple((rank, int(order[rank - 1])) for rank in NAMED_RANKS if rank <= len(counts))
    return Zipf(tuple(int(n) for n in counts), len(videos) - len(counts), slope, intercept, named)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the least-squares line."""
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx)) if len(x) > 1 else 0.0
    return slope, float(y.mean() - slope * x.mean())


def zipf_sentence(train: Zipf) -> str:
    """How unequal the classes are."""
    return (
        f"The most frequent class has {count(train.counts[0])} training videos; {count(train.without)} "
        f"classes have none. The slope of log training videos against log rank (the paper's Figure 1) is "
        f"{signed(train.slope)}: least squares over ranks 1 to {count(len(train.counts))}, all classes with "
        "a training video. Most ranks lie in the tail, so the tail decides the slope."
    )


def zipf_caption(train: Zipf, validation: Zipf) -> str:
    """The caption of the Zipf curve."""
    return (
        f"Training videos of the {count(len(train.counts))} classes that have any, the most frequent class "
        f"first. Dashed: the fitted line. Thin: the {count(len(validation.counts))} classes with validation "
        "videos, in an order of their own."
    )

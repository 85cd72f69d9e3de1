"""Hit@1: how often the highest score is right.

Source: google/youtube-8m `eval_util.calculate_hit_at_one`.
"""

from __future__ import annotations

import numpy as np

from compress.metrics.gap import require_videos
from compress.metrics.top_scores import TopScores


def hit_at_one(top: TopScores) -> float:
    """Share of N >= 1 videos whose highest score is one of their labels, in [0, 1].

    A video without labels counts 0. Among equal scores the smaller class is taken. Any range of scores.

    Raises:
        DataError: there are no videos.
    """
    require_videos(top)
    return float(np.count_nonzero(top.hits[:, 0]) / len(top))

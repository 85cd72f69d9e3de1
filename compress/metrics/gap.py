"""GAP@20: one ranking of the top scores of all videos together.

Source: google/youtube-8m `eval_util.calculate_gap` and `average_precision_calculator.py`; Abu-El-Haija et al.
2016 (arXiv:1609.08675). The reference shuffles ties with a fixed seed; ours is the rule of ordering.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compress.errors import DataError
from compress.metrics.exact_sum import exact_sum
from compress.metrics.ordering import BLOCK, sorted_keys
from compress.metrics.top_scores import TopScores


def gap(top: TopScores) -> float:
    """Global average precision: (1 / P) * sum over hits of the precision at their rank.

    P counts every label of every video, also those outside the top 20, so a video with 30 labels that is
    ranked perfectly gives 20 / 30. Among equal scores misses come before hits. Any range of scores.

    Args:
        top: N >= 1 videos.

    Returns:
        A number in [0, 1]; 0 when no video has a label, as in the reference.

    Raises:
        DataError: there are no videos.

    Example:
        >>> from compress.metrics import MetricAccumulator
        >>> perfect = MetricAccumulator(num_classes=40)
        >>> perfect.update(np.linspace(1, 0, 40)[None], np.arange(40)[None] < 30)
        >>> round(gap(perfect.top()), 4)
        0.6667
    """
    require_videos(top)
    positives = len(top.label_classes)
    if positives == 0:
        return 0.0
    return exact_sum(_precision_at_hits(top)) / positives


def _precision_at_hits(top: TopScores) -> Iterator[np.ndarray]:
    above = found = 0
    for keys in sorted_keys(top.scores, top.hits):
        for first in range(0, len(keys), BLOCK):
            block = keys[first : first + BLOCK]
            ranks = np.flatnonzero(block & np.uint32(1)) + (above + 1)
            yield np.arange(found + 1, found + len(ranks) + 1) / ranks
            above, found = above + len(block), found + len(ranks)
        del keys, block  # before the next are made


def require_videos(top: TopScores) -> None:
    """DataError when there are no videos: no metric is defined, and 0 would look like a result."""
    if len(top) == 0:
        raise DataError("no videos to measure", hint="check the split or the pattern of the shards")

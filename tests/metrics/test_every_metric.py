"""What holds for every metric of the table: its range, perfect scores, order, weights, and no videos."""

from __future__ import annotations

import numpy as np
import pytest

from compress.errors import DataError
from compress.metrics import METRICS, Metric, TopScores, top_of_batch
from compress.metrics.weighted_ranking import WeightedVideos

VIDEOS, CLASSES = 60, 30
every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def videos(rows: np.ndarray | None = None, perfect: bool = False) -> TopScores:
    """Some videos with 1 to 4 labels and scores that know a little about them."""
    draws = np.random.default_rng(3)
    labels = np.zeros((VIDEOS, CLASSES), bool)
    for row in labels:
        row[draws.choice(CLASSES, draws.integers(1, 5), replace=False)] = True
    scores = draws.random((VIDEOS, CLASSES)).astype(np.float32) * 0.5 + 0.2 * labels
    if perfect:
        # Every class has a label, and all labels are above all others.
        labels[np.arange(CLASSES), np.arange(CLASSES)] = True
        scores = 0.4 * scores + 0.5 * labels
    taken = np.arange(VIDEOS) if rows is None else rows
    return top_of_batch(scores.astype(np.float32)[taken], labels[taken], 20)


@every_metric
def test_it_is_between_0_and_1(metric: Metric) -> None:
    assert 0 < metric.of(videos()) < 1


@every_metric
def test_perfect_scores_are_1(metric: Metric) -> None:
    assert metric.of(videos(perfect=True)) == pytest.approx(1)


@every_metric
def test_the_order_of_the_videos_does_not_matter(metric: Metric) -> None:
    order = np.random.default_rng(4).permutation(VIDEOS)
    assert metric.of(videos(order)) == pytest.approx(metric.of(videos()), abs=1e-12)


@every_metric
def test_weights_are_videos_written_out(metric: Metric) -> None:
    weights = np.random.default_rng(5).integers(0, 4, VIDEOS).astype(np.int32)
    written_out = videos(np.repeat(np.arange(VIDEOS), weights))
    assert metric.weighted(WeightedVideos(videos()), weights) == pytest.approx(
        metric.of(written_out), abs=1e-12
    )


@every_metric
def test_no_videos_have_no_figure(metric: Metric) -> None:
    with pytest.raises(DataError, match="no videos"):
        metric.of(videos(np.arange(0)))

"""The delete-a-group jackknife: against figures of the videos that are left, and against known errors."""

from __future__ import annotations

import numpy as np
import pytest

from compress.errors import UsageError
from compress.metrics import (
    METRICS,
    MetricAccumulator,
    TopScores,
    figures,
    leave_out_groups,
    standard_error,
    student_quantile,
)
from tests.metrics import reference


def top_of(seed: int, videos: int, classes: int, *, density: float = 0.2) -> TopScores:
    scores, labels = reference.random_batch(seed, videos, classes, ties=True, density=density)
    metrics = MetricAccumulator(classes)
    metrics.update(scores, labels)
    return metrics.top()


@pytest.mark.parametrize("metric", [metric.name for metric in METRICS])
@pytest.mark.parametrize(
    ("videos", "groups", "density"), [(40, 7, 0.2), (12, 50, 0.2), (2, 2, 0.5), (30, 5, 0.01)]
)
def test_figures_without_a_group_are_those_of_the_videos_that_are_left(metric, videos, groups, density):
    top = top_of(videos, videos, 30, density=density)
    found = leave_out_groups(top, metric, groups)
    parts = np.array_split(np.arange(videos), min(groups, videos))
    wanted = [figures(top.take(np.setdiff1d(np.arange(videos), part))) for part in parts]
    assert found.values.tolist() == pytest.approx([one[metric] for one in wanted], abs=1e-12)
    assert found.point == pytest.approx(figures(top)[metric], abs=1e-12)


@pytest.mark.parametrize(("videos", "groups"), [(1, 50), (40, 1)])
def test_one_video_or_one_group_is_refused(videos, groups):
    with pytest.raises(UsageError, match="at least 2"):
        leave_out_groups(top_of(0, videos, 5), "gap", groups)


def test_the_error_of_a_mean_is_the_one_of_the_textbook():
    values = np.random.default_rng(0).normal(size=60)
    left_out = (values.sum() - values) / 59
    assert standard_error(left_out) == pytest.approx(values.std(ddof=1) / np.sqrt(60), rel=1e-12)


def test_no_change_at_all_has_no_error():
    assert standard_error(np.zeros(50)) == 0.0


@pytest.mark.parametrize(
    ("probability", "degrees", "table"),
    [(0.95, 9, 1.8331), (0.95, 49, 1.6766), (0.99, 19, 2.5395), (0.9, 99, 1.2902), (0.5, 9, 0.0)],
)
def test_quantiles_of_student_are_those_of_the_tables(probability, degrees, table):
    assert student_quantile(probability, degrees) == pytest.approx(table, abs=1e-3)


def sampled(draws: np.random.Generator) -> list[TopScores]:
    """A baseline and one a little worse, on 500 videos: half of the classes that are seen have one video."""
    prior = 3 * _zipf(700)
    strength = 2 + 5 * np.random.default_rng(0).random(700)
    labels = draws.random((500, 700)) < prior
    logits = np.log(prior) + strength * labels + 1.2 * draws.normal(size=labels.shape)
    tops = []
    for noise in (0.4, 0.55):
        shown = logits + noise * draws.normal(size=labels.shape)
        metrics = MetricAccumulator(700)
        metrics.update((1 / (1 + np.exp(-shown))).astype(np.float32), labels)
        tops.append(metrics.top())
    return tops


def _zipf(classes: int) -> np.ndarray:
    shares = 1 / (np.arange(classes) + 2.7)
    return shares / shares.sum()


@pytest.mark.slow
def test_a_bound_on_a_change_is_as_careful_as_it_says_also_for_map_of_rare_classes():
    samples, found = 150, {"gap": [], "map": []}
    draws = np.random.default_rng(7)
    for _ in range(samples):
        base, ours = sampled(draws)
        for metric, changes in found.items():
            left, right = leave_out_groups(ours, metric), leave_out_groups(base, metric)
            change = left.point - right.point
            error = standard_error(left.values - right.values)
            changes.append((change, change - student_quantile(0.95, len(left.values) - 1) * error))
    for changes in found.values():
        values, bounds = np.array(changes).T
        # 5 % of the samples, and by chance up to three standard deviations more.
        assert np.count_nonzero(bounds > values.mean()) <= samples * 0.05 + 3 * np.sqrt(samples * 0.05 * 0.95)

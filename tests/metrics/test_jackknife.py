"""The delete-a-group jackknife: against figures of the videos that are left, and against known errors."""

from __future__ import annotations

import numpy as np
import pytest

from compress.errors import UsageError
from compress.metrics import MetricAccumulator, TopScores, figures
from compress.metrics.jackknife import leave_out_groups, standard_error, student_quantile
from tests.metrics import reference


def top_of(seed: int, videos: int, classes: int, *, density: float = 0.2) -> TopScores:
    scores, labels = reference.random_batch(seed, videos, classes, ties=True, density=density)
    metrics = MetricAccumulator(classes)
    metrics.update(scores, labels)
    return metrics.top()


@pytest.mark.parametrize("metric", ["gap", "map"])
@pytest.mark.parametrize(
    ("videos", "groups", "density"), [(40, 7, 0.2), (12, 50, 0.2), (2, 2, 0.5), (30, 5, 0.01)]
)
def test_figures_without_a_group_are_those_of_the_videos_that_are_left(metric, videos, groups, density):
    top = top_of(videos, videos, 30, density=density)
    found = leave_out_groups(top, metric, groups)
    parts = np.array_split(np.arange(videos), min(groups, videos))
    wanted = [figures(top.take(np.setdiff1d(np.arange(videos), part))) for part in parts]
    assert found.values.tolist() == pytest.approx([getattr(one, metric) for one in wanted], abs=1e-12)
    assert found.point == pytest.approx(getattr(figures(top), metric), abs=1e-12)


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

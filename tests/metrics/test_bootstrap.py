import dataclasses
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import DataError, SchemaError, UsageError
from compress.metrics import (
    METRICS,
    Interval,
    MetricAccumulator,
    TopScores,
    difference,
    figures,
    interval,
    replicates,
)
from tests.metrics import reference

NAMES = [metric.name for metric in METRICS]


def top_of(scores, labels, k=20) -> TopScores:
    metrics = MetricAccumulator(scores.shape[1], k)
    metrics.update(scores, labels)
    return metrics.top()


def drawn_rows(num_videos, resamples, seed):
    draws = np.random.default_rng(seed)
    return [draws.integers(0, num_videos, num_videos) for _ in range(resamples)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    videos=st.integers(1, 12),
    classes=st.integers(1, 30),
    ties=st.booleans(),
    density=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
)
def test_replicates_equal_the_figures_of_the_videos_written_out(seed, videos, classes, ties, density):
    scores, labels = reference.random_batch(seed, videos, classes, ties=ties, density=density)
    found = replicates(top_of(scores, labels), resamples=4, seed=seed)
    for index, rows in enumerate(drawn_rows(videos, 4, seed)):
        for name, wanted in reference.all_figures(scores[rows], labels[rows]).items():
            assert found.values[name][index] == pytest.approx(wanted, abs=1e-9), name


@pytest.mark.parametrize("sign", [1, -1])
def test_replicates_equal_recomputing_at_a_larger_size(sign):
    scores, labels = reference.random_batch(8, 700, 60, ties=True, density=0.05)
    top = top_of(sign * scores, labels)
    found = replicates(top, resamples=5, seed=3)
    for index, rows in enumerate(drawn_rows(700, 5, 3)):
        wanted = figures(top.take(rows))
        for name in NAMES:
            assert found.values[name][index] == pytest.approx(wanted[name], abs=1e-9), name


def test_fewer_resamples_are_the_first_of_more_and_the_seed_decides():
    top = top_of(*reference.random_batch(8, 50, 30, ties=False))
    few, many, other = replicates(top, 5, 1), replicates(top, 9, 1), replicates(top, 5, 2)
    np.testing.assert_array_equal(few.values.gap, many.values.gap[:5])
    assert not np.array_equal(few.values.gap, other.values.gap)


def test_two_models_see_the_same_resamples():
    scores, labels = reference.random_batch(8, 60, 30, ties=False)
    a, b = replicates(top_of(scores, labels), 50), replicates(top_of(scores**2, labels), 50)
    for name in NAMES:
        assert difference(a, b, name) == Interval(0.0, 0.0, 0.0)


def test_difference_is_paired_and_signed():
    scores, labels = reference.random_batch(8, 200, 30, ties=False)
    better, worse = top_of(scores + labels * 0.5, labels), top_of(scores, labels)
    a, b = replicates(better, 200), replicates(worse, 200)
    found = difference(a, b, "gap")
    assert found.value == figures(better).gap - figures(worse).gap
    assert 0 < found.low < found.value < found.high
    assert difference(b, a, "gap").high == pytest.approx(-found.low, abs=1e-12)
    wide = a.interval("gap").high - a.interval("gap").low + b.interval("gap").high - b.interval("gap").low
    assert found.high - found.low < wide


def test_interval_is_around_the_figure_also_for_a_map_of_rare_classes():
    scores, labels = reference.random_batch(8, 200, 400, ties=False, density=0.005)
    found = replicates(top_of(scores + labels * 0.3, labels), 100)
    for name in NAMES:
        around = found.interval(name)
        assert around.low <= around.value <= around.high
        assert around.value == found.point[name]


@pytest.mark.parametrize("right", [True, False])
def test_an_interval_stays_where_a_figure_can_be(right):
    draws, videos = np.random.default_rng(3), np.arange(60)
    scores = (draws.random((60, 30)) * 0.5).astype(np.float32)
    classes = draws.integers(0, 30, 60)
    labels = np.arange(30) == classes[:, None]
    scores[videos, classes] = 0.9 if right else 0.0
    scores[0, classes[0]] = 0.0 if right else 0.9  # all videos but one are right, or wrong
    found = replicates(top_of(scores, labels), resamples=300)
    plain = [interval(found.values[name], found.point[name]) for name in NAMES]
    assert any(each.low < 0 or each.high > 1 for each in plain), "nothing to cut: the test shows nothing"
    for name in NAMES:
        each = found.interval(name)
        assert 0 <= each.low <= each.value <= each.high <= 1, name


def test_interval_is_json_and_narrows_with_less_confidence():
    values = np.random.default_rng(0).normal(size=1000)
    wide, narrow = interval(values, 0.5, 0.99), interval(values, 0.5, 0.5)
    assert wide.low < narrow.low < 0.5 < narrow.high < wide.high
    assert Interval(**json.loads(json.dumps(dataclasses.asdict(wide)))) == wide


@pytest.mark.parametrize(
    ("values", "confidence"), [(np.zeros(0), 0.9), (np.zeros(3), 0.0), (np.zeros(3), 1.0)]
)
def test_interval_refuses(values, confidence):
    with pytest.raises(UsageError, match="no interval"):
        interval(values, 0.0, confidence)


def test_what_is_not_paired_is_refused():
    scores, labels = reference.random_batch(8, 30, 30, ties=False)
    top = top_of(scores, labels)
    a = replicates(top, 5, 1)
    for other in (replicates(top, 6, 1), replicates(top, 5, 2), replicates(top_of(scores, ~labels), 5, 1)):
        with pytest.raises(SchemaError, match="not paired"):
            difference(a, other, "gap")
    with pytest.raises(UsageError, match="no metric 'seed'"):
        difference(a, a, "seed")
    with pytest.raises(UsageError, match="no metric 'point'"):
        a.interval("point")


@pytest.mark.parametrize(("resamples", "seed"), [(0, 0), (10, -1)])
def test_replicates_refuse(resamples, seed):
    with pytest.raises(UsageError, match="resamples with seed"):
        replicates(top_of(*reference.random_batch(8, 3, 3, ties=False)), resamples, seed)


def test_no_videos_at_all_is_an_error():
    with pytest.raises(DataError, match="no videos"):
        replicates(TopScores.empty(10))


def test_memory_does_not_grow_with_the_resamples():
    top = top_of(*reference.random_batch(8, 5800, 25, ties=False, density=0.1))
    peaks = []
    for resamples in (2, 40):
        tracemalloc.start()
        replicates(top, resamples)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0] < 30e6


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """300 videos, 200 classes, most of them rare. MAP covers less than it says, as interval() states."""
    draws, videos = np.random.default_rng(0), 300
    frequency = np.minimum(0.3, 0.6 / np.arange(1, 201))

    def sample():
        labels = draws.random((videos, 200)) < frequency
        logits = np.log(frequency) + 2 * labels + draws.normal(size=labels.shape)
        noisy = logits + 0.7 * draws.normal(size=labels.shape)
        return tuple(top_of(1 / (1 + np.exp(-z)), labels) for z in (logits, noisy))

    population = [tuple(map(figures, sample())) for _ in range(800)]
    covered = dict.fromkeys(NAMES, 0)
    covered_difference = dict.fromkeys(NAMES, 0)
    for _ in range(200):
        a, b = (replicates(top, 200) for top in sample())
        for name in NAMES:
            truth = np.mean([[f[name] for f in pair] for pair in population], axis=0)
            one, two = a.interval(name), difference(a, b, name)
            covered[name] += one.low <= truth[0] <= one.high
            covered_difference[name] += two.low <= truth[0] - truth[1] <= two.high
    for name in ("gap", "perr", "hit_at_one"):
        assert 0.89 <= covered[name] / 200 <= 0.99
        assert 0.89 <= covered_difference[name] / 200 <= 0.99
    for name in ("map", "map_with_empty_as_zero"):
        assert covered[name] / 200 >= 0.75
        assert covered_difference[name] / 200 >= 0.75

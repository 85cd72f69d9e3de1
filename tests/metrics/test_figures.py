"""GAP, MAP, PERR and Hit@1 against golden values, against loops and against a port of the reference."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import DataError, RecordError, SchemaError, UsageError
from compress.metrics import (
    METRICS,
    MetricAccumulator,
    TopScores,
    figures,
    gap,
    mean_average_precision,
    perr,
    precision_at_equal_recall,
)
from compress.metrics.ranking import class_precision, pooled_precision
from tests.metrics import reference


def top_of(scores, labels, k=20) -> TopScores:
    metrics = MetricAccumulator(scores.shape[1], k)
    metrics.update(scores, labels)
    return metrics.top()


@pytest.fixture
def golden():
    """The batch for which the functions of google/youtube-8m gave the golden values."""
    scores = np.random.RandomState(0).rand(50, 30)
    labels = np.random.RandomState(1).rand(50, 30) < 0.1
    labels[3, :], labels[5, :25], labels[:, 7] = False, True, False
    return scores, labels


def test_golden_values_of_the_reference(golden):
    scores, labels = golden
    metrics = MetricAccumulator(30)
    for start in range(0, 50, 20):
        metrics.update(scores[start : start + 20], labels[start : start + 20])
    found = metrics.figures()
    assert found.hit_at_one == pytest.approx(0.12, abs=1e-12)
    assert found.perr == pytest.approx(0.13732380952380951, abs=1e-12)
    assert found.gap == pytest.approx(0.08100437492249751, abs=1e-12)
    assert found.map == pytest.approx(0.14370460980921695, abs=1e-12)
    assert found.map_with_empty_as_zero == pytest.approx(0.1389144561489097, abs=1e-12)
    assert (found.num_videos, found.num_classes_with_labels) == (50, 29)
    top = metrics.top()
    assert top.class_positives.sum() == top.num_labels.sum() == 162
    assert np.flatnonzero(top.num_labels == 0).tolist() == [3, 10, 26, 43, 49]


def test_golden_values_without_truncation(golden):
    scores, labels = golden
    assert gap(scores, labels, k=30) == pytest.approx(0.12015, abs=5e-6)
    assert mean_average_precision(scores, labels, k=30) == pytest.approx(0.18571, abs=5e-6)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    videos=st.integers(1, 12),
    classes=st.integers(1, 40),
    k=st.integers(1, 25),
    ties=st.booleans(),
    density=st.sampled_from([0.0, 0.05, 0.3, 0.9, 1.0]),
)
def test_figures_equal_loops_from_the_definitions(seed, videos, classes, k, ties, density):
    scores, labels = reference.random_batch(seed, videos, classes, ties=ties, density=density)
    found = figures(top_of(scores, labels, k))
    for name, wanted in reference.all_figures(scores, labels, k).items():
        assert found[name] == pytest.approx(wanted, abs=1e-12), name
    for empty in ("skip", "zero"):
        wanted = reference.mean_average_precision(scores, labels, empty, classes)
        assert mean_average_precision(scores, labels, classes, empty) == pytest.approx(wanted, abs=1e-12)


def youtube8m_average_precision(pairs, positives):
    """`AveragePrecisionCalculator` of google/youtube-8m without its shuffle: a heap, then one pass."""
    heap: list[tuple[float, bool]] = []
    for pair in pairs:
        heapq.heappush(heap, pair)
    ranked = heapq.nlargest(len(heap), heap)
    found, total = 0.0, 0.0
    for index, (_, hit) in enumerate(ranked):
        if hit:
            found += 1
            total += found / (index + 1) * (1.0 / positives)
    return total


@settings(max_examples=500, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), videos=st.integers(1, 10), classes=st.integers(2, 40))
def test_gap_equals_youtube8m_calculator_when_no_ties(seed, videos, classes):
    scores, labels = reference.random_batch(seed, videos, classes, ties=False)
    pairs = []
    for s, y in zip(scores, labels, strict=True):
        kept = np.argpartition(s, -min(20, classes))[-min(20, classes) :]
        pairs += [(float(s[c]), bool(y[c])) for c in kept]
    wanted = youtube8m_average_precision(pairs, labels.sum()) if labels.any() else 0.0
    assert gap(scores, labels) == pytest.approx(wanted, abs=1e-9)


def test_thirty_labels_ranked_perfectly_give_two_thirds():
    scores, labels = np.linspace(1, 0, 40)[None], np.arange(40)[None] < 30
    assert gap(scores, labels) == pytest.approx(20 / 30, abs=1e-12)


def test_perr_looks_past_the_top_twenty():
    scores, labels = np.linspace(1, 0.1, 100)[None], np.arange(100)[None] < 50
    labels[0, 3], labels[0, 60] = False, True
    assert perr(scores, labels) == pytest.approx(49 / 50, abs=1e-12)
    assert precision_at_equal_recall(scores, labels).tolist() == [49 / 50]


def test_perr_never_counts_a_score_of_zero():
    labels = np.array([[True, True, False]])
    assert precision_at_equal_recall(np.array([[0.5, 0.0, 0.0]]), labels).tolist() == [0.5]
    assert precision_at_equal_recall(np.array([[-0.1, -0.2, -9.0]]), labels).tolist() == [0.0]


@pytest.mark.parametrize("transform", [lambda s: np.log(s / (1 - s)), lambda s: s**3, lambda s: 5 * s - 2])
def test_a_monotone_transform_leaves_every_ranking_metric_to_the_bit(transform):
    draws = np.random.default_rng(5)
    scores = (1 + draws.permutation(50 * 40).reshape(50, 40)) / 2002
    labels = draws.random((50, 40)) < 0.1
    before, after = figures(top_of(scores, labels)), figures(top_of(transform(scores), labels))
    for name in ("gap", "map", "map_with_empty_as_zero", "hit_at_one"):
        assert before[name] == after[name]


def test_misses_come_before_hits_among_equal_scores():
    scores, labels = np.full((4, 1), 0.5), np.array([[True], [False], [False], [False]])
    assert gap(scores, labels) == 1 / 4
    assert mean_average_precision(scores, labels) == 1 / 4


def test_a_class_that_never_reaches_a_top_counts_zero():
    scores = np.tile(np.linspace(1, 0, 30), (3, 1))
    labels = np.zeros((3, 30), dtype=bool)
    labels[:, 29] = labels[:, 0] = True
    assert top_of(scores, labels).class_average_precision[[0, 29]].tolist() == [1.0, 0.0]
    assert mean_average_precision(scores, labels) == 0.5


def test_videos_without_any_label_give_zeros():
    found = figures(top_of(np.random.default_rng(0).random((5, 30)), np.zeros((5, 30), dtype=bool)))
    assert list(found.to_json().values()) == [*(0.0 for _ in METRICS), 5, 0]


def test_many_pairs_are_ranked_class_range_by_class_range():
    top = top_of(*reference.random_batch(11, 80, 50, ties=True))
    arrays = top.classes, top.scores, top.hits
    np.testing.assert_array_equal(class_precision(*arrays, 50, pairs=100), class_precision(*arrays, 50))


@pytest.mark.parametrize("metric", [*(metric.of for metric in METRICS), figures])
def test_no_videos_at_all_is_an_error(metric):
    with pytest.raises(DataError, match="no videos"):
        metric(TopScores.empty(10))


@pytest.mark.parametrize(
    ("scores", "labels", "empty", "error", "message"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3), bool), "skip", DataError, "no videos"),
        (np.zeros((2, 3)), np.zeros((2, 4), bool), "skip", SchemaError, "4 columns, and there are 3 classes"),
        (np.full((2, 3), np.nan), np.zeros((2, 3), bool), "skip", RecordError, "NaN"),
        (np.zeros((2, 3)), np.zeros((2, 3), bool), "none", UsageError, "empty is 'none'"),
    ],
)
def test_mean_average_precision_refuses(scores, labels, empty, error, message):
    with pytest.raises(error, match=message):
        mean_average_precision(scores, labels, 3, empty)


@pytest.mark.parametrize("transform", [lambda s: s, lambda s: s - 0.5, lambda s: -s, lambda s: 0 * s])
def test_gap_of_many_pairs_is_ranked_range_by_range_to_the_same_bit(transform, monkeypatch):
    scores, labels = reference.random_batch(11, 80, 50, ties=True)
    assert gap(transform(scores), labels) == pytest.approx(
        reference.gap(transform(scores), labels), abs=1e-12
    )
    top = top_of(transform(scores), labels)
    wanted = pooled_precision(top.scores, top.hits)
    monkeypatch.setattr("compress.metrics.ranking.BLOCK", 64)
    assert pooled_precision(top.scores, top.hits, pairs=100) == wanted

"""Exact MAP in two passes against the whole matrix, scikit-learn and loops."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from compress import native
from compress.errors import DataError, RecordError, SchemaError, UsageError
from compress.metrics import FullMAP, compiled, mean_average_precision
from tests.metrics import reference
from tests.metrics.batches import hard_scores

SWITCHES = pytest.mark.parametrize("switch", ["on", "off"])


def measured(scores, labels, cuts=(), again=None) -> FullMAP:
    full = FullMAP(scores.shape[1])
    for part in np.split(np.arange(len(scores)), sorted(cuts)):
        full.collect(scores[part], labels[part])
    for row in np.array_split(np.arange(len(scores))[::-1], 3):
        full.count((scores if again is None else again)[row])
    return full


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    videos=st.integers(1, 40),
    classes=st.integers(1, 40),
    cuts=st.lists(st.integers(0, 30), max_size=4),
    density=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    switch=st.sampled_from(["on", "off"]),
)
def test_two_passes_give_the_bits_of_the_whole_matrix_ties_and_infinities_too(
    seed, videos, classes, cuts, density, switch
):
    scores = hard_scores(seed, videos, classes)
    labels = np.random.default_rng(seed).random(scores.shape) < density
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(native.SWITCH, switch)
        full = measured(scores, labels, cuts)
    for empty in ("skip", "zero"):
        assert full.mean(empty) == mean_average_precision(scores, labels, scores.shape[1], empty)


@SWITCHES
@pytest.mark.parametrize("ties", [False, True])
def test_it_is_what_the_definition_says(ties, switch, monkeypatch):
    monkeypatch.setenv(native.SWITCH, switch)
    scores, labels = reference.random_batch(3, 60, 20, ties=ties)
    wanted = reference.mean_average_precision(scores, labels, "skip", 20)
    assert measured(scores, labels).mean() == pytest.approx(wanted, abs=1e-12)


@SWITCHES
def test_each_class_is_what_scikit_learn_says_when_no_scores_are_equal(switch, monkeypatch):
    monkeypatch.setenv(native.SWITCH, switch)
    scores, labels = reference.random_batch(4, 700, 70, ties=False, density=0.02)
    labels[:, :2], labels[3, 1] = False, True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class without positives
        wanted = [average_precision_score(labels[:, c], scores[:, c]) for c in range(70)]
    np.testing.assert_allclose(measured(scores, labels, [100]).average_precision(), wanted, atol=1e-9)


@pytest.mark.skipif(compiled.library() is None, reason="the C code is not compiled here")
@pytest.mark.parametrize("shape", [(1, 1), (255, 15), (256, 16), (257, 17), (700, 100)])
def test_the_c_code_counts_what_numpy_counts(shape, monkeypatch):
    draws = np.random.default_rng(5)
    scores = draws.random(shape, dtype=np.float32).round(2)
    labels = draws.random(shape) < draws.random(shape[1])  # classes with few positives, and with many
    found = []
    for switch in ("on", "off"):
        monkeypatch.setenv(native.SWITCH, switch)
        found.append(measured(scores, labels).average_precision())
    np.testing.assert_array_equal(*found)


def test_positives_are_summed_class_range_by_class_range(monkeypatch):
    scores, labels = reference.random_batch(11, 80, 50, ties=True)
    wanted = measured(scores, labels).average_precision()
    monkeypatch.setattr("compress.metrics.full_map._TOGETHER", 10)
    np.testing.assert_array_equal(measured(scores, labels).average_precision(), wanted)


def moved(scores):
    return np.nextafter(scores, np.float32(2))


@SWITCHES
@pytest.mark.parametrize(
    "again",
    [
        lambda s: s[:-1],
        lambda s: s[np.r_[0, : len(s) - 1]],
        lambda s: s[:, ::-1],
        lambda s: np.where(np.arange(s.size).reshape(s.shape) == 7, moved(s), s),
    ],
    ids=["a video less", "one video twice", "classes exchanged", "one score moved by one bit"],
)
def test_other_scores_in_the_second_pass_are_an_error_not_a_number(again, switch, monkeypatch):
    monkeypatch.setenv(native.SWITCH, switch)
    scores, labels = reference.random_batch(3, 60, 20, ties=False)
    full = FullMAP(20)
    full.collect(scores, labels)
    full.count(again(scores))
    for figure in (full.average_precision, full.mean):
        with pytest.raises(DataError, match="of the second pass do not have the scores"):
            figure()


def test_a_second_pass_that_never_came_is_an_error():
    full = FullMAP(20)
    with pytest.raises(DataError, match="no videos"):
        full.mean()
    full.collect(*reference.random_batch(3, 6, 20, ties=False))
    with pytest.raises(DataError, match="the 0 videos of the second pass"):
        full.mean()


def test_zeros_of_both_signs_are_one_score():
    labels = np.array([[True], [False]])
    zeros = np.array([[0.0], [-0.0]])
    assert measured(zeros, labels).mean() == measured(zeros, labels, again=-zeros).mean() == 0.5


def test_the_first_pass_ends_where_the_second_begins():
    scores, labels = reference.random_batch(3, 6, 20, ties=False)
    with pytest.raises(UsageError, match="second pass has begun"):
        measured(scores, labels).collect(scores, labels)


@SWITCHES
def test_a_refused_batch_leaves_nothing_behind(switch, monkeypatch):
    monkeypatch.setenv(native.SWITCH, switch)
    scores, labels = reference.random_batch(3, 30, 20, ties=False)
    broken = np.where(np.eye(30, 20, dtype=bool), np.nan, scores)
    full = FullMAP(20)
    with pytest.raises(RecordError, match="video 0 of the batch, class 0: score is NaN"):
        full.collect(broken, labels)
    full.collect(scores, labels)
    with pytest.raises(RecordError, match="score is NaN"):
        full.count(broken)
    full.count(scores)
    assert full.mean() == mean_average_precision(scores, labels)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.zeros((2, 5)), np.zeros((2, 5), bool), "scores have 5 classes, not 4"),
        (np.zeros((2, 4)), np.zeros((3, 4), bool), r"labels are bool \(3, 4\)"),
        (np.zeros((2, 4)), np.zeros((2, 4)), "labels are float64"),
        (np.zeros(4), np.zeros(4, bool), "scores have shape"),
    ],
)
def test_it_refuses(scores, labels, message):
    with pytest.raises(SchemaError, match=message):
        FullMAP(4).collect(scores, labels)


def test_no_classes_are_refused():
    with pytest.raises(UsageError, match="0 classes"):
        FullMAP(0)

import dataclasses
import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import DataError, RecordError, SchemaError, UsageError
from compress.growing_array import GrowingArray
from compress.metrics import MetricAccumulator, TopScores, figures, top_of_batch
from tests.metrics import reference


def gathered(scores, labels, cuts=(), k=20) -> MetricAccumulator:
    metrics = MetricAccumulator(scores.shape[1], k)
    for start, stop in itertools.pairwise([0, *sorted(cuts), len(scores)]):
        metrics.update(scores[start:stop], labels[start:stop])
    return metrics


def same_bits(a: TopScores, b: TopScores) -> bool:
    return all(
        x.dtype == y.dtype and np.array_equal(x, y)
        for x, y in zip(a.to_arrays().values(), b.to_arrays().values(), strict=True)
    )


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.integers(1, 40),
    cuts=st.lists(st.integers(0, 30), max_size=5),
    ties=st.booleans(),
)
def test_streaming_equals_one_shot_to_the_bit(seed, classes, cuts, ties):
    scores, labels = reference.random_batch(seed, 30, classes, ties=ties)
    once, streamed = gathered(scores, labels), gathered(scores, labels, cuts)
    assert same_bits(once.top(), streamed.top())
    assert once.figures() == streamed.figures()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), order=st.permutations(range(4)), ties=st.booleans())
def test_the_order_of_batches_does_not_change_a_bit_of_the_figures(seed, order, ties):
    scores, labels = reference.random_batch(seed, 40, 25, ties=ties)
    parts = [gathered(scores[i : i + 10], labels[i : i + 10]) for i in range(0, 40, 10)]
    merged = MetricAccumulator(25)
    for index in order:
        merged.append(parts[index].top())
    assert merged.figures() == gathered(scores, labels).figures()
    assert len(merged) == 40


def test_top_keeps_the_labels_outside_the_top():
    scores, labels = reference.random_batch(2, 20, 50, ties=False, density=0.4)
    top = gathered(scores, labels, cuts=[7]).top()
    np.testing.assert_array_equal(top.num_labels, labels.sum(axis=1))
    np.testing.assert_array_equal(top.class_positives, labels.sum(axis=0))
    np.testing.assert_array_equal(top.label_classes, np.nonzero(labels)[1])
    assert top.scores.shape == (20, 20)


def test_fewer_classes_than_twenty_are_all_kept():
    scores, labels = reference.random_batch(2, 5, 3, ties=False)
    assert gathered(scores, labels).top().classes.shape == (5, 3)


def test_what_top_gave_does_not_change_with_later_batches():
    scores, labels = reference.random_batch(4, 20, 30, ties=False)
    metrics = gathered(scores[:10], labels[:10])
    before = metrics.top()
    metrics.update(scores[10:], labels[10:])
    assert same_bits(before, gathered(scores[:10], labels[:10]).top())
    assert len(metrics.top()) == 20


def test_an_empty_batch_changes_nothing():
    scores, labels = reference.random_batch(4, 20, 30, ties=False)
    assert gathered(scores, labels, cuts=[5, 5]).figures() == gathered(scores, labels).figures()


def test_no_videos_at_all_is_an_error():
    with pytest.raises(DataError, match="no videos to measure"):
        MetricAccumulator(10).figures()


def test_a_refused_batch_leaves_nothing_behind():
    scores, labels = reference.random_batch(4, 20, 30, ties=False)
    metrics = gathered(scores, labels)
    before = metrics.figures()
    with pytest.raises(RecordError):
        metrics.update(np.where(np.eye(20, 30, dtype=bool), np.nan, scores), labels)
    assert metrics.figures() == before


@pytest.mark.parametrize(
    ("scores", "labels", "error", "message"),
    [
        (np.zeros((2, 5)), np.zeros((2, 5), bool), SchemaError, r"not bool \(2, 4\)"),
        (np.zeros((2, 5)), np.zeros((2, 4), bool), SchemaError, "scores have 5 classes, not 4"),
        (np.zeros((2, 4)), np.zeros((3, 4), bool), SchemaError, r"labels are bool \(3, 4\)"),
        (np.zeros((2, 4)), np.zeros((2, 4), np.uint8), SchemaError, "labels are uint8"),
        (np.zeros(4), np.zeros(4, bool), SchemaError, "scores have shape"),
        (np.array([[0, 0, 0, np.nan]]), np.zeros((1, 4), bool), RecordError, "class 3: score is NaN"),
    ],
)
def test_update_refuses(scores, labels, error, message):
    with pytest.raises(error, match=message):
        MetricAccumulator(4).update(scores, labels)


@pytest.mark.parametrize(("classes", "k"), [(0, 20), (10, 0)])
def test_an_accumulator_of_nothing_is_refused(classes, k):
    with pytest.raises(UsageError, match="cannot keep"):
        MetricAccumulator(classes, k)


def test_arrays_round_trip_and_take():
    scores, labels = reference.random_batch(4, 20, 30, ties=True)
    top = gathered(scores, labels).top()
    assert same_bits(TopScores.from_arrays(top.to_arrays()), top)
    rows = np.array([3, 3, 19, 0])
    assert same_bits(top.take(rows), gathered(scores[rows], labels[rows]).top())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.zeros((20, 20))}, "scores is float64"),
        ({"hits": np.zeros((20, 19), bool)}, "hits is bool"),
        ({"label_indptr": np.zeros(3, np.int64)}, "label_indptr is int64"),
        ({"classes": np.full((20, 20), 30, np.int32)}, "classes leave the range of 30"),
        ({"label_classes": np.full(9, -1, np.int32)}, "label_classes leave the range"),
        ({"label_indptr": np.array([5, 0], np.int64)}, "label_indptr descends"),
    ],
)
def test_from_arrays_refuses(change, message):
    top = gathered(*reference.random_batch(4, 20, 30, ties=True)).top()
    with pytest.raises(SchemaError, match=message):
        TopScores.from_arrays(top.to_arrays() | change)


def test_from_arrays_names_what_is_missing():
    with pytest.raises(SchemaError, match="arrays lack scores, classes"):
        TopScores.from_arrays({})


def test_memory_follows_the_videos_not_the_classes():
    draws = np.random.default_rng(0)
    batch, classes = draws.random((512, 2000), dtype=np.float32), 2000
    labels = draws.random(batch.shape) < 0.002
    metrics = MetricAccumulator(classes)
    tracemalloc.start()
    for _ in range(40):
        metrics.update(batch, labels)
    metrics.figures()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 40 x 512 videos: a matrix of scores would be 164 MB, labels 41 MB; the top is 4 MB, a batch 5 MB.
    assert peak < 30e6


@pytest.mark.parametrize(("classes", "dtype"), [(30, np.uint16), (65_536, np.uint16), (65_537, np.int32)])
def test_classes_are_kept_in_two_bytes_where_they_fit(classes, dtype):
    scores, labels = np.zeros((2, classes), np.float32), np.zeros((2, classes), bool)
    scores[0, -1] = labels[0, -1] = True
    top = gathered(scores, labels, k=2).top()
    assert (top.classes.dtype, top.label_classes.dtype) == (dtype, dtype)
    assert top.classes.tolist() == [[classes - 1, 0], [0, 1]]
    assert top.label_classes.tolist() == [classes - 1]


def test_top_scores_with_classes_in_four_bytes_as_they_were_once_stored_give_the_same_figures():
    top = gathered(*reference.random_batch(4, 20, 30, ties=True)).top()
    arrays = top.to_arrays()
    wide = {name: arrays[name].astype(np.int32) for name in ("classes", "label_classes")}
    old = TopScores.from_arrays(arrays | wide)
    assert old.classes.dtype == np.int32
    assert figures(old) == figures(top)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_top_scores_from_elsewhere_are_appended_like_a_batch(dtype):
    scores, labels = reference.random_batch(4, 20, 30, ties=True)
    part = top_of_batch(scores[10:], labels[10:])
    wide = {name: getattr(part, name).astype(dtype) for name in ("classes", "label_classes")}
    metrics = gathered(scores[:10], labels[:10])
    metrics.append(dataclasses.replace(part, **wide))
    assert same_bits(metrics.top(), gathered(scores, labels).top())


@pytest.mark.parametrize(
    ("classes", "k", "change", "message"),
    [
        (30, 19, {}, "the top 19 of 30 classes as the top 20 of 30"),
        (31, 20, {}, "the top 20 of 31 classes"),
        (30, 20, {"classes": np.full((20, 20), 70_000, np.int32)}, "classes leave the range of 30"),
        (30, 20, {"classes": np.full((20, 20), -1, np.int32)}, "classes leave the range of 30"),
    ],
)
def test_top_scores_that_do_not_fit_are_not_appended(classes, k, change, message):
    top = gathered(*reference.random_batch(4, 20, classes, ties=True), k=k).top()
    metrics = MetricAccumulator(30)
    with pytest.raises(SchemaError, match=message):
        metrics.append(dataclasses.replace(top, **change))
    assert len(metrics) == 0


@pytest.mark.parametrize("look", [False, True], ids=["unseen", "seen between"])
def test_a_growing_array_keeps_what_was_appended_and_what_was_seen(look):
    rows = np.arange(3000).reshape(1000, 3)
    array, views = GrowingArray(rows[:0]), []
    for first in range(0, 1000, 7):
        array.append(rows[first : first + 7])
        if look:
            views.append(array.view())
    np.testing.assert_array_equal(array.view(), rows)
    assert all(np.array_equal(view, rows[: len(view)]) for view in views)

"""Packed labels equal lists of classes."""

from __future__ import annotations

import numpy as np
import pytest

from compress.errors import OutOfRangeError, UsageError
from compress.labels import Labels

LISTS = [[1, 4], [], [0], [], [2, 3, 4], [4]]


@pytest.fixture
def labels() -> Labels:
    return Labels.from_lists(LISTS, 5)


@pytest.mark.parametrize(
    "rows", [[0], [1], [], [5, 0, 0, 3, 4], [1, 3], None, slice(1, 5), slice(None, None, 2)]
)
def test_multi_hot_has_a_one_for_each_class_of_each_row(labels: Labels, rows) -> None:
    numbers = list(range(6))[rows or slice(None)] if rows is None or isinstance(rows, slice) else rows
    wanted = [[label in LISTS[row] for label in range(5)] for row in numbers]
    chosen = rows if rows is None or isinstance(rows, slice) else np.array(rows, dtype=np.int64)
    found = labels.multi_hot(chosen)
    assert (found.dtype, found.shape) == (bool, (len(numbers), 5))
    assert found.tolist() == wanted


@pytest.mark.parametrize("rows", [[0], [1], [], [5, 0, 0, 3, 4], [1, 3]])
def test_taken_rows_are_the_lists_in_the_order_asked(labels: Labels, rows: list[int]) -> None:
    taken = labels.take(np.array(rows, dtype=np.int64))
    assert [taken[place].tolist() for place in range(len(taken))] == [LISTS[row] for row in rows]
    assert taken.counts().tolist() == [len(LISTS[row]) for row in rows]


def test_a_class_beyond_the_last_is_an_error_and_never_another_videos_label() -> None:
    labels = Labels(np.array([0, 1, 2]), np.array([3, 0], dtype=np.int32), 3)
    with pytest.raises(IndexError):
        labels.multi_hot()


def test_a_row_counts_from_either_end(labels: Labels) -> None:
    assert [labels[row - 6].tolist() for row in range(6)] == LISTS
    assert [row.tolist() for row in labels] == LISTS
    assert [row.tolist() for row in labels[1:-1:2]] == LISTS[1:-1:2]
    assert [row.tolist() for row in labels[-2:]] == LISTS[-2:]


@pytest.mark.parametrize("row", [6, -7, 10**20])
def test_a_row_that_does_not_exist_is_told(labels: Labels, row: int) -> None:
    with pytest.raises(UsageError, match="these are the labels of 6"):
        labels[row]
    with pytest.raises(IndexError):
        labels[row]


def test_a_mask_selects_rows_and_one_of_another_length_is_refused(labels: Labels) -> None:
    mask = np.array([True, False, False, False, True, False])
    assert [row.tolist() for row in labels.take(mask)] == [LISTS[0], LISTS[4]]
    assert np.array_equal(labels.multi_hot(mask), labels.multi_hot([0, 4]))
    with pytest.raises(UsageError, match="a mask of shape"):
        labels.take(mask[:5])


@pytest.mark.parametrize("kind", [bool, np.int64, np.float32])
def test_multi_hot_matrices_are_packed(labels: Labels, kind: type) -> None:
    packed = Labels.from_multi_hot(labels.multi_hot().astype(kind))
    assert [row.tolist() for row in packed] == LISTS
    assert (packed.num_classes, packed.indices.dtype, packed.indptr.dtype) == (5, np.int32, np.int64)


def test_labels_of_several_sources_are_joined(labels: Labels) -> None:
    joined = Labels.concatenate([labels, Labels.empty(2, 5), labels])
    assert [row.tolist() for row in joined] == [*LISTS, [], [], *LISTS]


def test_a_mask_or_a_list_takes_videos_and_nonsense_is_refused_in_one_sentence():
    labels = Labels.from_lists([[0], [1, 2], []], num_classes=3)
    assert labels[np.array([True, False, True])].multi_hot().astype(int).tolist() == [[1, 0, 0], [0, 0, 0]]
    assert labels[[1]].indices.tolist() == [1, 2]
    assert labels[np.int64(-2)].tolist() == [1, 2]
    for wrong in ("a", 1.5, None, [0.5], np.array([True])):
        with pytest.raises(UsageError):
            labels[wrong]
    with pytest.raises(OutOfRangeError):
        labels[3]

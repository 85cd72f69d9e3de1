"""Packed labels equal lists of classes."""

from __future__ import annotations

import numpy as np
import pytest

from compress.datasets import Labels

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

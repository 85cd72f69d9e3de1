"""An array that grows holds what was appended, in the type of its widest item, in little more memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from compress.growing_array import GrowingArray


@pytest.mark.parametrize("sizes", [[], [0], [5], [1] * 50, [3000, 3000, 9, 40_000]])
def test_it_equals_joining_the_pieces(sizes: list[int]) -> None:
    random = np.random.default_rng(0)
    pieces = [random.integers(0, 100, size=size) for size in sizes]
    array = GrowingArray(np.empty(0, "i8"))
    for piece in pieces:
        array.append(piece)
    np.testing.assert_array_equal(array.finish(), np.concatenate([np.zeros(0, dtype=np.int64), *pieces]))


def test_bytes_become_as_wide_as_the_widest_and_nothing_is_cut() -> None:
    pieces = [np.array([b"a", b"bc"]), np.array([b"d"]), np.array([b"efghi"] * 5000), np.array([b"jk"])]
    array = GrowingArray(np.empty(0, "S1"))
    for piece in pieces:
        array.append(piece)
    found, wanted = array.finish(), np.concatenate(pieces)
    assert found.dtype == wanted.dtype
    assert found.tolist() == wanted.tolist()


def test_what_was_appended_may_change_afterwards() -> None:
    array, piece = GrowingArray(np.empty(0, "i4")), np.arange(3, dtype=np.int32)
    array.append(piece)
    piece[:] = 0
    assert array.finish().tolist() == [0, 1, 2]


def test_memory_beyond_the_content_stays_below_an_eighth() -> None:
    piece = np.arange(1000)
    tracemalloc.start()
    array = GrowingArray(np.empty(0, "i8"))
    for _ in range(1000):
        array.append(piece)
    array.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.13 * 1000 * piece.nbytes

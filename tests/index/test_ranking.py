"""The best of scores that come in pieces, against one full sort."""

from __future__ import annotations

import numpy as np
import pytest

from compress.index.codes import Ranking


def sorted_rows(scores: np.ndarray, k: int) -> np.ndarray:
    return np.stack([np.lexsort((np.arange(len(row)), -row))[:k] for row in scores])


@pytest.mark.parametrize("k", [1, 2, 10, 99, 100])
@pytest.mark.parametrize("values", [2, 7, 10_000])
def test_the_order_of_the_blocks_does_not_matter_and_ties_go_to_the_first_rows(k, values):
    rng = np.random.default_rng(k)
    scores = rng.integers(0, values, (3, 100)).astype(np.float32)
    for blocks in (range(0, 100, 100), range(0, 100, 7), [*range(0, 100, 9)][::-1]):
        step, ranking = len(range(100)) if len(blocks) == 1 else abs(blocks[1] - blocks[0]), Ranking(3, k)
        for first in blocks:
            ranking.add(np.arange(100)[first : first + step], scores[:, first : first + step])
        found_scores, rows = ranking.result()
        assert np.array_equal(rows, sorted_rows(scores, k))
        assert np.array_equal(found_scores, np.take_along_axis(scores, rows, axis=1))


def test_rankings_of_parts_make_the_ranking_of_all():
    scores = np.random.default_rng(0).integers(0, 5, (4, 60)).astype(np.float32)
    whole = Ranking(4, 8)
    for first in (40, 0, 20):
        part = Ranking(4, 8)
        part.add(np.arange(first, first + 20), scores[:, first : first + 20])
        whole.add_ranking(part)
    assert np.array_equal(whole.result()[1], sorted_rows(scores, 8))

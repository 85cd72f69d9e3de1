"""Leaving out, least scores, diversity, pages and re-ranking, beside a slow and obvious reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import RecordError
from compress.index import Index
from compress.index.choosing import Choice, choose
from compress.index.diversity import mean_query, mmr
from compress.index.rows import ArrayStore, Selection

N, DIM = 60, 6
ROWS = np.random.default_rng(5).standard_normal((N, DIM)).astype(np.float32)
UNIT = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
INDEX = Index.build(ROWS, recall_queries=5)
STORED = Selection(ArrayStore(ROWS), range(N), "cosine")
LARGER_ROWS = UNIT + 0.2 * np.random.default_rng(6).standard_normal((N, DIM)).astype(np.float32)
LARGER = Selection(ArrayStore(LARGER_ROWS), range(N), "cosine")


def slow_mmr(relevance, vectors, k, balance):
    """As the paper writes it."""
    chosen, left = [], list(range(len(relevance)))
    while left and len(chosen) < k:

        def value(place):
            similar = max((float(vectors[place] @ vectors[other]) for other in chosen), default=0.0)
            return balance * float(relevance[place]) - (1 - balance) * similar

        best = max(left, key=lambda place: (value(place), -place))
        chosen.append(best)
        left.remove(best)
    return chosen


def slow_choice(query, own, left_out, choice):
    """Everything compared with everything, step by step."""
    query = query / np.linalg.norm(query)
    rows = [row for row in range(N) if row != own and not left_out[row]]
    score = {row: float(UNIT[row] @ query) for row in rows}
    rows.sort(key=lambda row: (-score[row], row))
    vectors = UNIT
    if choice.larger is not None or choice.balance is not None:
        rows = rows[: max(choice.depth, choice.offset + choice.k)]
    if choice.larger is not None:
        vectors = LARGER_ROWS / np.linalg.norm(LARGER_ROWS, axis=1, keepdims=True)
        score = {row: float(vectors[row] @ query) for row in rows}
        rows.sort(key=lambda row: (-score[row], row))
    if choice.min_score is not None:
        rows = [row for row in rows if score[row] >= choice.min_score]
    if choice.balance is not None:
        order = slow_mmr(
            [score[row] for row in rows], vectors[rows], choice.offset + choice.k, choice.balance
        )
        rows = [rows[place] for place in order]
    rows = rows[choice.offset : choice.offset + choice.k]
    return rows, [score[row] for row in rows]


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    k=st.integers(1, 30),
    offset=st.sampled_from([0, 0, 1, 7, 50, 59, 500]),
    min_score=st.sampled_from([None, None, -1.0, 0.2, 0.7, 1.1]),
    balance=st.sampled_from([None, None, 0.0, 0.3, 0.9, 1.0]),
    depth=st.sampled_from([1, 5, 20, 100]),
    share=st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0]),
    larger=st.booleans(),
)
def test_what_is_chosen_is_what_the_reference_chooses(
    seed, k, offset, min_score, balance, depth, share, larger
):
    rng = np.random.default_rng(seed)
    queries = rng.standard_normal((3, DIM)).astype(np.float32)
    own = rng.integers(-1, N, 3)
    left_out = rng.random(N) < share
    choice = Choice(k, offset, min_score, balance, depth, LARGER if larger else None)
    for query, row, found in zip(
        queries, own, choose(INDEX, STORED, queries, own, left_out, choice), strict=True
    ):
        rows, scores = slow_choice(query, row, left_out, choice)
        assert found.rows.tolist() == rows
        assert found.scores == pytest.approx(np.array(scores), abs=1e-5)


@pytest.mark.parametrize("balance", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_mmr_is_that_of_the_paper(balance):
    relevance = UNIT @ np.linspace(-1, 1, DIM, dtype=np.float32)
    assert mmr(relevance, UNIT, 25, balance).tolist() == slow_mmr(relevance, UNIT, 25, balance)
    assert sorted(mmr(relevance, UNIT, 999, balance).tolist()) == list(range(N))


def test_of_twins_only_one_is_near_the_top_and_without_diversity_both():
    vectors = np.array([[1, 0], [1, 0], [0.9, 0.44], [0, 1]], np.float32)
    relevance = np.array([0.95, 0.95, 0.9, 0.1])
    assert mmr(relevance, vectors, 2, 1.0).tolist() == [0, 1]
    assert mmr(relevance, vectors, 2, 0.6).tolist() == [0, 2]
    assert mmr(relevance[:0], vectors[:0], 2, 0.7).tolist() == []


def test_several_videos_ask_together_by_the_mean_of_their_directions():
    assert np.allclose(mean_query(ROWS[:4], "cosine"), UNIT[:4].mean(axis=0), atol=1e-6)
    assert np.allclose(mean_query(ROWS[:4], "ip"), ROWS[:4].mean(axis=0), atol=1e-6)
    assert np.array_equal(mean_query(ROWS[:1], "cosine"), ROWS[0])
    with pytest.raises(RecordError, match="cancel each other out"):
        mean_query(np.stack([ROWS[0], -ROWS[0]]), "cosine")

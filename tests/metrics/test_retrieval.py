import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import SchemaError
from compress.metrics import (
    label_precision_at_k,
    mean_average_precision_at_k,
    ndcg_jaccard_at_k,
    neighbour_recall,
)
from tests.metrics import reference


def packed(sets):
    rows = [sorted(labels) for labels in sets]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return indptr, np.array([label for row in rows for label in row], dtype=np.int32)


label_sets = st.frozensets(st.integers(0, 6), max_size=4)


@st.composite
def searches(draw):
    """Queries, a base, and k different neighbours a query, padded."""
    base = [set(labels) for labels in draw(st.lists(label_sets, min_size=1, max_size=8))]
    k = draw(st.integers(1, 5))
    queries = [set(labels) for labels in draw(st.lists(label_sets, max_size=5))]
    neighbours = []
    for _ in queries:
        chosen = draw(st.permutations(range(len(base))))[:k]
        neighbours.append(chosen + [-1] * (k - len(chosen)))
    return queries, base, neighbours, k


@settings(max_examples=200, deadline=None)
@given(searches())
def test_label_metrics_equal_loops_from_the_definitions(search):
    queries, base, neighbours, k = search
    rows = np.array(neighbours, dtype=np.int64).reshape(len(queries), k)
    each = list(zip(neighbours, queries, strict=True))
    wanted = {
        label_precision_at_k: [reference.label_precision(n, q, base) for n, q in each],
        mean_average_precision_at_k: [reference.retrieval_average_precision(n, q, base) for n, q in each],
        ndcg_jaccard_at_k: [reference.ndcg(n, q, base) for n, q in each],
    }
    for metric, values in wanted.items():
        found = metric(rows, packed(queries), packed(base))
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, values, atol=1e-12, rtol=0)
        assert np.all((found >= 0) & (found <= 1 + 1e-12))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_neighbour_recall_equals_sets(seed, k, wanted_k):
    draws = np.random.default_rng(seed)
    found, wanted = draws.integers(-1, 9, (7, k)), draws.integers(-1, 9, (7, wanted_k))
    wanted[:, 0] = draws.integers(0, 9, 7)
    expected = [
        len((set(a) & set(b)) - {-1}) / len(set(b) - {-1})
        for a, b in zip(found.tolist(), wanted.tolist(), strict=True)
    ]
    assert neighbour_recall(found, wanted).tolist() == expected


def test_padding_is_never_found():
    assert neighbour_recall(np.array([[-1, -1]]), np.array([[3, -1]])).tolist() == [0.0]


def test_perfect_neighbours_score_one():
    base = packed([{1, 2}, {1}, {3}, {2}])
    query = packed([{1, 2}])
    rows = np.array([[0, 1, 3]])
    assert label_precision_at_k(rows, query, base).tolist() == [1.0]
    assert mean_average_precision_at_k(rows, query, base).tolist() == [1.0]
    assert ndcg_jaccard_at_k(rows, query, base).tolist() == pytest.approx([1.0])


def test_one_hit_of_many_is_not_called_perfect():
    base, query = packed([{1}] * 10 + [{2}] * 10), packed([{1}])
    rows = np.array([[0, 10, 11, 12, 13, 14, 15, 16, 17, 18]])
    assert mean_average_precision_at_k(rows, query, base).tolist() == pytest.approx([0.1])


LABELS = packed([{1}, {2}])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.array([[0, 2], [0, 1]]), "leave the 2 rows"),
        (np.array([[0, -2], [0, 1]]), "leave the 2 rows"),
        (np.array([[0, 1]]), r"not integers \(2, k\)"),
        (np.array([[0.0], [1.0]]), "float64"),
        (np.zeros((2, 0), int), r"\(2, 0\)"),
        (np.array([0, 1]), r"\(2,\)"),
    ],
)
@pytest.mark.parametrize("metric", [label_precision_at_k, mean_average_precision_at_k, ndcg_jaccard_at_k])
def test_label_metrics_refuse(metric, rows, message):
    with pytest.raises(SchemaError, match=message):
        metric(rows, LABELS, LABELS)


@pytest.mark.parametrize("classes", [[2, 1], [1, 1], [-1, 2]])
@pytest.mark.parametrize("metric", [label_precision_at_k, mean_average_precision_at_k, ndcg_jaccard_at_k])
def test_labels_that_do_not_ascend_are_refused(metric, classes):
    wrong = np.array([0, 2]), np.array(classes)
    with pytest.raises(SchemaError, match="query labels are not ascending"):
        metric(np.array([[0]]), wrong, LABELS)


@pytest.mark.parametrize(
    ("found", "wanted", "message"),
    [
        (np.array([[1], [2]]), np.array([[1], [-1]]), "query 1: no neighbour is wanted"),
        (np.array([[1]]), np.array([[1], [2]]), "neighbours are"),
        (np.array([1]), np.array([[1]]), "neighbours are"),
        (np.array([[1.0]]), np.array([[1]]), "float64"),
    ],
)
def test_neighbour_recall_refuses(found, wanted, message):
    with pytest.raises(SchemaError, match=message):
        neighbour_recall(found, wanted)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import CompressError, RecordError, SchemaError, UsageError
from compress.metrics import top_k
from tests.metrics import reference


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    videos=st.integers(0, 8),
    classes=st.integers(1, 60),
    k=st.integers(1, 25),
    ties=st.booleans(),
)
def test_top_k_equals_a_full_sort_with_the_smaller_class_first_among_equals(seed, videos, classes, k, ties):
    scores, _ = reference.random_batch(seed, videos, classes, ties=ties)
    values, found = top_k(scores, k)
    wanted = [reference.top_classes(row, k) for row in scores]
    assert found.tolist() == wanted
    assert values.tolist() == [[row[c] for c in cs] for row, cs in zip(scores, wanted, strict=True)]


@pytest.mark.parametrize("kind", ["tie-free", "rounded", "mostly zero", "all equal", "log-odds", "infinite"])
@pytest.mark.parametrize("classes", [3862, 527, 161, 160, 159])
def test_top_k_is_exact_at_real_sizes(kind, classes):
    draws = np.random.default_rng(7)
    scores = draws.random((300, classes), dtype=np.float32)
    scores = {
        "tie-free": scores,
        "rounded": scores.round(2),
        "mostly zero": np.where(draws.random(scores.shape) < 0.002, scores, np.float32(0)),
        "all equal": np.full_like(scores, 0.5),
        "log-odds": np.log(scores + np.float32(1e-9)),
        "infinite": np.where(draws.random(scores.shape) < 0.01, np.float32(np.inf), -scores),
    }[kind]
    values, found = top_k(scores)
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :20]
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(values, np.take_along_axis(scores, wanted, axis=1))
    assert (values.dtype, found.dtype) == (np.float32, np.int32)


def test_minus_zero_ties_with_zero():
    assert top_k(np.array([[-0.0, 0.0, -0.0, -1.0]]), k=3)[1].tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_memory_order_of_the_scores_does_not_matter(order):
    scores, _ = reference.random_batch(3, 200, 400, ties=True)
    wanted = top_k(scores)[1]
    view = np.repeat(scores, 2, axis=1)[:, ::2] if order == "strided" else np.asarray(scores, order=order)
    np.testing.assert_array_equal(top_k(view)[1], wanted)


@pytest.mark.parametrize(
    ("scores", "k", "error", "message"),
    [
        (np.full((2, 3), np.nan), 2, RecordError, "video 0 of the batch, class 0"),
        (np.zeros(3), 2, SchemaError, r"shape \(3,\)"),
        (np.zeros((3, 0)), 2, SchemaError, r"shape \(3, 0\)"),
        (np.zeros((2, 3), dtype=np.int64), 2, SchemaError, "int64"),
        (np.zeros((2, 3)), 0, UsageError, "k is 0"),
    ],
)
def test_top_k_refuses(scores, k, error: type[CompressError], message):
    with pytest.raises(error, match=message):
        top_k(scores, k)


@pytest.mark.parametrize(("row", "column"), [(0, 3861), (299, 0), (130, 1931)])
def test_a_single_nan_is_found_and_named(row, column):
    scores = np.random.default_rng(0).random((300, 3862), dtype=np.float32)
    scores[row, column] = np.nan
    with pytest.raises(RecordError, match=f"video {row} of the batch, class {column}: score is NaN"):
        top_k(scores)

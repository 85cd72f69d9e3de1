"""The C code of the metrics gives what NumPy gives, to the bit."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress import native
from compress.errors import RecordError, SchemaError
from compress.metrics import compiled, top_k, top_of_batch
from compress.metrics.ranking import class_precision
from tests.metrics import reference
from tests.metrics.batches import SPECIAL, differences, hard_scores

pytestmark = pytest.mark.skipif(compiled.library() is None, reason="the C code is not compiled here")


def in_numpy(function, *args):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(native.SWITCH, "off")
        assert compiled.library() is None
        return function(*args)


def same_as_numpy(scores, labels, k):
    return differences(top_of_batch(scores, labels, k), in_numpy(top_of_batch, scores, labels, k)) == []


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    videos=st.integers(0, 6),
    classes=st.one_of(st.integers(1, 40), st.integers(100, 400)),
    k=st.integers(1, 70),
    density=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
)
def test_the_top_of_a_batch_is_that_of_numpy(seed, videos, classes, k, density):
    labels = np.random.default_rng(seed).random((videos, classes)) < density
    assert same_as_numpy(hard_scores(seed, videos, classes), labels, k)


@settings(max_examples=100, deadline=None)
@given(value=st.sampled_from(SPECIAL.tolist()), classes=st.integers(1, 300), k=st.integers(1, 64))
def test_equal_scores_are_taken_in_the_order_of_their_classes(value, classes, k):
    values, found = top_k(np.full((2, classes), value, dtype=np.float32), k)
    assert found.tolist() == [list(range(min(k, classes)))] * 2
    assert np.all(values == value)


@pytest.mark.parametrize("k", [1, 20, 64, 65, 500])
def test_it_is_that_of_numpy_at_a_real_size(k):
    draws = np.random.default_rng(0)
    scores = draws.random((150, 3862), dtype=np.float32) ** 4
    scores[50:100] = scores[50:100].round(2)
    labels = draws.random(scores.shape) < 0.001
    labels[7, :30] = labels[8, :90] = labels[9] = True
    labels[10] = False
    assert same_as_numpy(scores, labels, k)


@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_memory_order_does_not_matter(order):
    scores, labels = reference.random_batch(3, 50, 200, ties=True)
    wanted = top_of_batch(scores, labels)
    if order == "strided":
        scores, labels = (np.repeat(array, 2, axis=1)[:, ::2] for array in (scores, labels))
    else:
        scores, labels = (np.asarray(array, order=order) for array in (scores, labels))
    assert differences(top_of_batch(scores, labels), wanted) == []


@pytest.mark.parametrize("classes", [1, 31, 32, 127, 128, 129, 300])
def test_a_nan_anywhere_is_found(classes):
    for row, column in ((0, 0), (4, classes - 1), (2, classes // 2)):
        scores = hard_scores(1, 5, classes)
        scores[row, column] = np.nan
        for function in (top_k, lambda s: top_of_batch(s, np.zeros(s.shape, bool))):
            with pytest.raises(RecordError, match=f"video {row} of the batch, class {column}: score is NaN"):
                function(scores)


@pytest.mark.parametrize("pairs", [1 << 22, 500])
def test_average_precision_is_that_of_numpy_to_the_bit(pairs):
    top = top_of_batch(*reference.random_batch(11, 300, 50, ties=True))
    arguments = top.classes, top.scores, top.hits, 50, pairs
    np.testing.assert_array_equal(class_precision(*arguments), in_numpy(class_precision, *arguments))


def test_keys_of_another_class_are_refused():
    with pytest.raises(SchemaError, match="classes 3 to 5"):
        compiled.precision_sums(compiled.library(), np.array([5 << 33], dtype=np.uint64), 3, 5)


def test_several_threads_may_use_it_at_once():
    scores, labels = reference.random_batch(5, 400, 300, ties=True)
    wanted, found = top_of_batch(scores, labels), {}

    def work(index):
        found[index] = [differences(top_of_batch(scores, labels), wanted) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {index: [[]] * 10 for index in range(4)}

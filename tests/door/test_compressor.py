"""The scikit-learn estimator: scikit-learn's own checks, pipelines, and what it says about bad input."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from compress import Compressor
from compress.errors import CompressError
from compress.labels import Labels
from tests.door.videos import make_videos

pytestmark = pytest.mark.filterwarnings("ignore:no labels. PCA")


@parametrize_with_checks(
    [Compressor(dim=2, epochs=1), Compressor(dim=3, codec="float16", encoder="pca", output="embedding")]
)
def test_scikit_learn_finds_nothing_to_say(estimator: Any, check: Any) -> None:
    check(estimator)


def test_labels_make_the_linear_bottleneck_and_no_labels_make_pca_which_is_said():
    X, Y = make_videos()
    assert Compressor(dim=8, epochs=1).fit(X, Y).encoder_.name == "linear-8"
    with pytest.warns(UserWarning, match="no labels: PCA takes the place"):
        assert Compressor(dim=8).fit(X).encoder_.name == "pca-8"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Compressor(dim=8, encoder="pca").fit(X)


def test_codes_have_the_bytes_that_were_asked_for_and_go_back_to_embeddings():
    X, Y = make_videos(600)
    for codec, width in (("opq8", 8), ("int8", 16), ("binary", 2), ("float16", 16)):
        small = Compressor(dim=16, codec=codec, epochs=1).fit(X, Y)
        codes = small.transform(X)
        assert codes.shape == (600, width)
        assert codes.nbytes == 600 * small.bytes_per_row_
        back = small.inverse_transform(codes)
        np.testing.assert_array_equal(back, small.codec_.decode(codes))
        embedding = Compressor(dim=16, codec=codec, epochs=1, output="embedding").fit_transform(X, Y)
        np.testing.assert_array_equal(embedding, back)


def test_a_trained_embedding_of_few_dimensions_keeps_what_tells_classes_apart():
    X, Y = make_videos(500)
    X_test, Y_test = make_videos(300, seed=1)
    X, X_test = (
        np.hstack([one, 3 * np.random.default_rng(3).normal(size=(len(one), 200))]) for one in (X, X_test)
    )
    labels, wanted = Y.argmax(1), Y_test.argmax(1)

    def accuracy(**settings: Any) -> float:
        small = Compressor(dim=8, codec="int8", output="embedding", **settings)
        return make_pipeline(small, LogisticRegression(max_iter=1000)).fit(X, labels).score(X_test, wanted)

    assert accuracy() > accuracy(encoder="pca") + 0.2


def test_it_is_tuned_cloned_and_pickled_like_any_estimator():
    X, Y = make_videos(240)
    labels = Y.argmax(1)
    pipeline = make_pipeline(Compressor(encoder="pca", output="embedding"), LogisticRegression(max_iter=500))
    grid = GridSearchCV(pipeline, {"compressor__dim": [1, 8], "compressor__codec": ["int8", "binary"]}, cv=2)
    grid.fit(X, labels)
    assert grid.best_params_["compressor__dim"] == 8
    small = Compressor(dim=8, encoder="pca").fit(X)
    assert clone(small).get_params() == small.get_params()
    again = pickle.loads(pickle.dumps(small))
    np.testing.assert_array_equal(again.transform(X), small.transform(X))


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(lambda Y: Y.astype(int), id="multi-hot of int"),
        pytest.param(lambda Y: [np.flatnonzero(row).tolist() for row in Y], id="lists of numbers"),
        pytest.param(
            lambda Y: [[f"class {n}" for n in np.flatnonzero(row)] for row in Y], id="lists of names"
        ),
        pytest.param(Labels.from_multi_hot, id="the labels of a store"),
        pytest.param(lambda Y: np.where(Y[:, 0], -1, 1), id="-1 and 1"),
        pytest.param(lambda Y: np.where(Y[:, 0], "yes", "no").tolist(), id="one word per row"),
    ],
)
def test_labels_come_in_as_people_hold_them(labels: Any):
    X, Y = make_videos(120)
    small = Compressor(dim=4, epochs=1).fit(X, labels(Y))
    assert small.transform(X).shape == (120, 4)
    assert len(small.classes_) == small.encoder_.num_classes


def test_bad_settings_are_one_sentence():
    X, Y = make_videos(120)
    for settings, message in (
        ({"output": "bytes"}, "output must be one of codes, embedding"),
        ({"codec": "int9"}, "int9"),
        ({"encoder": "nonesuch"}, "no encoder 'nonesuch'"),
        ({"codec": "opq8", "dim": 8}, "256"),
        ({"dim": 0}, "dim"),
    ):
        with pytest.raises((CompressError, ValueError), match=message) as caught:
            Compressor(**{"epochs": 1, **settings}).fit(X, Y)
        assert "\n" not in str(caught.value)
    with pytest.raises(CompressError, match="learns from labels, and there are none"):
        Compressor(encoder="linear").fit(X)
    with pytest.raises(CompressError, match="60 rows of labels for 120 videos"):
        Compressor(epochs=1).fit(X, Y[:60])

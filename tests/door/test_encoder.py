"""`compress.load` and `Encoder`: arrays in, the numbers of the store out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

import compress
from compress import Encoder
from compress.errors import CompressError
from tests.door.videos import make_videos

X, Y = make_videos()


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was trained for 4, 8 and 16 dimensions."""
    folder = tmp_path_factory.mktemp("runs") / "linear-16"
    Encoder.fit("linear", X, Y, dim=16, epochs=1, settings={"nested_dims": [4, 8]}, folder=folder)
    return folder


def test_a_run_is_loaded_by_str_or_path_and_says_what_it_is(nested: Path):
    encoder = compress.load(str(nested))
    assert (encoder.dim, encoder.dims, encoder.input_dim, encoder.level) == (16, (4, 8, 16), 24, "video")
    assert repr(encoder) == "Encoder('linear-16', dim=16, nested=[4, 8], reads features (n, 24))"
    np.testing.assert_array_equal(encoder.encode(X), compress.load(nested).encode(X))


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda X: X.tolist(), id="list"),
        pytest.param(lambda X: X.astype(">f8"), id="big-endian float64"),
        pytest.param(np.asfortranarray, id="Fortran order"),
        pytest.param(lambda X: torch.from_numpy(X).requires_grad_(), id="tensor with gradient"),
    ],
)
def test_any_array_gives_the_same_embeddings(nested: Path, form: Callable[[np.ndarray], Any]):
    encoder = compress.load(nested)
    embedding = encoder.encode(X[:50])
    assert embedding.dtype == np.float32
    assert embedding.shape == (50, 16)
    np.testing.assert_array_equal(encoder.encode(form(X[:50])), embedding)


def test_a_nested_size_is_the_renormalised_beginning(nested: Path):
    encoder = compress.load(nested)
    whole, part = encoder.encode(X), encoder.encode(X, dim=8)
    cut = whole[:, :8] * np.sqrt(8) / np.linalg.norm(whole[:, :8], axis=1, keepdims=True)
    np.testing.assert_allclose(part, cut, atol=1e-5)
    with pytest.raises(CompressError, match="5"):
        encoder.encode(X, dim=5)


def test_labels_of_names_and_a_validation_set_of_ones_own():
    names = [[f"class {number}" for number in np.flatnonzero(row)] for row in Y]
    encoder = Encoder.fit("linear", X[:300], names[:300], dim=4, epochs=2, validation=(X[300:], names[300:]))
    assert encoder.num_classes == 6
    unknown = [["a class that no training video has"]] * 100
    with pytest.raises(CompressError, match="a class that no training video has"):
        Encoder.fit("linear", X[:300], names[:300], dim=4, validation=(X[300:], unknown))


def test_frames_are_lists_of_arrays_of_any_length():
    random = np.random.default_rng(0)
    clips = [random.integers(256, size=(random.integers(1, 9), 12)).astype(np.uint8) for _ in range(60)]
    encoder = Encoder.fit("lstm", clips, Y[:60], dim=5, epochs=1, settings={"sizes": [6, 5]})
    assert repr(encoder).endswith("reads frames (t, 12))")
    together = encoder.encode(clips)
    alone = np.concatenate([encoder.encode([clip]) for clip in clips])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert encoder.encode(np.stack([clips[0]] * 3).astype(np.float64)).shape == (3, 5)
    with pytest.raises(CompressError, match="frame"):
        encoder.encode(X)
    numbers = [clip * (4 / 255) + 4 / 512 - 2 for clip in clips]  # what the codes stand for
    of_numbers = Encoder.fit("lstm", numbers, Y[:60], dim=5, epochs=1, settings={"sizes": [6, 5]})
    np.testing.assert_allclose(of_numbers.encode(numbers), together, atol=1e-3)
    with pytest.raises(CompressError, match="some frames are uint8 codes and some are floating point"):
        Encoder.fit("lstm", [*numbers[:30], *clips[30:]], Y[:60], dim=5, epochs=1)


def test_few_videos_are_visited_often_enough_to_learn():
    few, labels = make_videos(60)
    test, truth = make_videos(200, seed=1)
    encoder = Encoder.fit("linear", few, labels, dim=8, settings={"batch_size": 32})
    head = OneVsRestClassifier(LogisticRegression()).fit(encoder.encode(few), labels)
    assert compress.gap(head.predict_proba(encoder.encode(test)), truth) > 0.8


def test_what_is_wrong_is_one_sentence(nested: Path, tmp_path: Path):
    encoder = compress.load(nested)
    (tmp_path / "store.h5").touch()
    cases: list[tuple[Callable[[], Any], str]] = [
        (lambda: compress.load(tmp_path / "nothing"), "no trained encoder"),
        (lambda: compress.load(tmp_path / "store.h5"), "open_store"),
        (lambda: encoder.encode(X[:, :9]), "9"),
        (lambda: encoder.encode([X, X]), "frames"),
        (lambda: encoder.encode(X[0]), r"X\[None\]"),
        (lambda: encoder.encode(X * np.nan), "row 0 holds nan"),
        (lambda: Encoder.fit("linear", X, dim=4), "learns from labels"),
        (lambda: Encoder.fit("linear", X, Y[:7], dim=4), "7 rows of labels for 400 videos"),
        (lambda: Encoder.fit("pca", X, dim=99), "between 1 and 24"),
        (lambda: Encoder.fit("nonesuch", X, Y), "no encoder 'nonesuch'"),
        (lambda: Encoder.fit("linear", X, Y, settings={"nonesuch": 1}), "no setting 'nonesuch'"),
        (
            lambda: Encoder.fit("linear", X, Y, settings={"dim": 8}),
            "'dim' is an argument of its own; pass dim=8",
        ),
        (lambda: Encoder.fit("pca", X, dim=4).predict_proba(X), "fitted without a head"),
        (lambda: Encoder.fit("lstm", X, Y, dim=4), "frame-level"),
    ]
    for call, message in cases:
        with pytest.raises(CompressError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)

"""What goes in through the door, in every form that people hold, and what is refused in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from compress.arrays import as_features, as_frames, as_ids, as_labels, is_frames
from compress.errors import CompressError

X = np.arange(12, dtype=np.float32).reshape(4, 3)
SAME: dict[str, Any] = {
    "list": X.tolist(),
    "tuple of rows": tuple(X),
    "float64": X.astype(np.float64),
    "float16": X.astype(np.float16),
    "int8": X.astype(np.int8),
    "uint64": X.astype(np.uint64),
    "big-endian": X.astype(">f4"),
    "big-endian int": X.astype(">i8"),
    "Fortran order": np.asfortranarray(X),
    "every second row": np.repeat(X, 2, axis=0)[::2],
    "read-only": np.frombuffer(X.tobytes(), np.float32).reshape(4, 3),
    "tensor": torch.from_numpy(X.copy()),
    "tensor with gradient": torch.from_numpy(X.copy()).requires_grad_(),
    "bfloat16 tensor": torch.from_numpy(X.copy()).bfloat16(),
    "transposed tensor": torch.from_numpy(X.T.copy()).T,
    "pandas frame": pd.DataFrame(X, columns=["a", "b", "c"]),
    "list of tensors": list(torch.from_numpy(X.copy())),
}


@pytest.mark.parametrize("kind", SAME)
def test_every_sensible_array_is_the_same_features(kind: str) -> None:
    found = as_features(SAME[kind])
    assert found.dtype == np.dtype("<f4")
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, X)


REFUSED: dict[str, tuple[Any, str]] = {
    "one dimension": (X[0], r"one dimension.*X\[None\]"),
    "three dimensions": (X[None], r"shape \(1, 4, 3\).*list of \(t, D\)"),
    "no rows": (X[:0], "empty"),
    "text": ([["a", "b"]], "not numbers"),
    "complex": (X.astype(complex), "complex128, not numbers"),
    "ragged": ([[1, 2], [3]], "same length"),
    "objects": (np.array([[None, 1]], dtype=object), "not numbers"),
    "NaN": (np.where(X == 7, np.nan, X), "row 2 holds nan"),
    "infinity": (np.where(X == 7, np.inf, X), "row 2 holds inf"),
    "too large": (np.where(X == 7, 1e300, X.astype(float)), r"row 2 holds 1e\+300"),
    "sparse": (sparse.csr_matrix(X), "toarray"),
    "nothing": (None, "not numbers"),
    "a word": ("abc", "not numbers"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_feature_array_is_refused_in_one_sentence(kind: str) -> None:
    values, message = REFUSED[kind]
    with pytest.raises(CompressError, match=message) as caught:
        as_features(values)
    assert "\n" not in str(caught.value)


def test_another_width_is_refused() -> None:
    with pytest.raises(CompressError, match="3 dimensions, 5 are needed"):
        as_features(X, dim=5)


Y = np.array([[0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]])
LISTS = [[1, 2], [0], [], [2, 3]]
NAMES = ("ant", "bee", "cow", "dog")
LABELS: dict[str, Any] = {
    "bool": Y.astype(bool),
    "int": Y,
    "float": Y.astype(float),
    "uint8 big": Y.astype(">u2"),
    "lists of 0 and 1": Y.tolist(),
    "lists of bool": Y.astype(bool).tolist(),
    "tensor": torch.from_numpy(Y),
    "bool tensor": torch.from_numpy(Y).bool(),
    "csr": sparse.csr_matrix(Y),
    "coo": sparse.coo_matrix(Y),
    "sparse bool array": sparse.csr_array(Y.astype(bool)),
    "class numbers": LISTS,
    "class numbers twice": [[2, 1, 2], [0], [], [3, 2]],
    "arrays of class numbers": [np.array(row, dtype=np.int64) for row in LISTS],
    "tensors of class numbers": [torch.tensor(row, dtype=torch.int64) for row in LISTS],
    "sets": [set(row) for row in LISTS],
    "names": [[NAMES[label] for label in row] for row in LISTS],
}


@pytest.mark.parametrize("kind", LABELS)
def test_every_sensible_form_is_the_same_labels(kind: str) -> None:
    found = as_labels(LABELS[kind], 4)
    np.testing.assert_array_equal(found.multi_hot(), Y.astype(bool))
    assert found.num_classes == 4
    assert found.names == (NAMES if kind == "names" else ())


def test_one_class_for_each_video() -> None:
    assert as_labels([2, 0, 1]).multi_hot().astype(int).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert as_labels(np.array([2.0, 0.0])).indices.tolist() == [2, 0]
    assert as_labels(["b", "a"]).names == ("a", "b")
    assert as_labels(np.array(["b", "a"])).indices.tolist() == [1, 0]
    assert as_labels([[0], [1]]).num_classes == 2


WRONG_LABELS: dict[str, tuple[Any, str]] = {
    "other numbers in an array": (np.array([[0, 7], [1, 0]]), "7 in row 0.*list for each video"),
    "0 and 1 that could be class numbers": ([[0, 1], [1, 0]], r"could be.*numpy\.array"),
    "a negative class": ([[0], [-1]], "class -1 of video 1"),
    "half a class": ([[0.5], [1]], "0.5 is no class number"),
    "numbers and names": ([["a"], [1]], "mix"),
    "three dimensions": (np.zeros((2, 2, 2)), "shape"),
    "None": ([None, [1]], "None is no class"),
    "weights": (sparse.csr_matrix(Y * 3), "holds 3"),
    "no class": ([[], []], "no class at all"),
}


@pytest.mark.parametrize("kind", WRONG_LABELS)
def test_labels_that_are_none_are_refused_in_one_sentence(kind: str) -> None:
    values, message = WRONG_LABELS[kind]
    with pytest.raises(CompressError, match=message):
        as_labels(values)


def test_labels_of_other_videos_or_classes_are_refused() -> None:
    with pytest.raises(CompressError, match="4 rows of labels for 3 videos"):
        as_labels(Y, 3)
    with pytest.raises(CompressError, match="4 columns, and there are 5 classes"):
        as_labels(Y, num_classes=5)
    with pytest.raises(CompressError, match=r"class 3 of video 3 is outside \[0, 3\)"):
        as_labels(LISTS, num_classes=3)
    with pytest.raises(CompressError, match="class 'bee' of video 0 is not among the 1 known"):
        as_labels([["bee"]], names=["ant"])


def test_ids_come_out_as_text() -> None:
    assert as_ids(None, 2) == ["0", "1"]
    assert as_ids(np.array([b"a", b"b"]), 2) == as_ids(["a", "b"], 2) == ["a", "b"]
    assert as_ids(np.array([7, 8]), 2) == ["7", "8"]
    for wrong, message in (
        (["a"], "1 ids for 2"),
        (["a", "a"], "'a' is there twice"),
        ([1.5, 2.5], "no text"),
    ):
        with pytest.raises(CompressError, match=message):
            as_ids(wrong, 2)
    for wrong in ([""], ["a\0"], ["x" * 1025], [b"\xff"]):
        with pytest.raises(CompressError):
            as_ids(wrong, 1)


def test_frames_are_lists_of_arrays_or_one_array() -> None:
    assert [frames.shape for frames in as_frames([X, X[:1]])] == [(4, 3), (1, 3)]
    assert as_frames(np.stack([X, X]))[1].dtype == np.float32
    assert as_frames([X.astype(np.uint8)])[0].dtype == np.uint8
    assert [is_frames(one) for one in ([X, X], torch.zeros(2, 3, 4), X, X.tolist())] == [
        True,
        True,
        False,
        False,
    ]
    for wrong, message in (
        ([], "no videos"),
        ([X, X[:, :2]], "video 1"),
        ([X[:0]], "empty"),
        ([X[0]], "shape"),
    ):
        with pytest.raises(CompressError, match=message):
            as_frames(wrong)

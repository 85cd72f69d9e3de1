"""The metrics on arrays as people hold them: the same figure whatever the form, or one sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

import compress
from compress.errors import CompressError, DataError, SchemaError
from compress.metrics import MetricAccumulator
from tests.metrics import reference

NAMES = {"gap": "gap", "mean_average_precision": "map", "hit_at_one": "hit_at_one", "perr": "perr"}
SCORES, LABELS = reference.random_batch(4, 30, 25, ties=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        LABELS.astype(int),
        LABELS.astype(float),
        torch.from_numpy(LABELS),
        sparse.csr_array(LABELS.astype(int)),
        [np.flatnonzero(row).tolist() for row in LABELS],
    ],
    ids=["bool", "int", "float", "torch", "sparse", "lists"],
)
def test_labels_come_in_any_form(name, labels):
    metrics = MetricAccumulator(25)
    metrics.update(SCORES, LABELS)
    assert getattr(compress, name)(SCORES, labels) == metrics.figures()[NAMES[name]]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "scores",
    [SCORES.tolist(), torch.from_numpy(SCORES), SCORES.astype(">f8"), np.asfortranarray(SCORES)],
    ids=["list", "torch", "big-endian", "Fortran"],
)
def test_scores_come_in_any_form(name, scores):
    assert getattr(compress, name)(scores, LABELS) == getattr(compress, name)(SCORES, LABELS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("scores", "labels", "error", "message"),
    [
        (SCORES, LABELS[:-1], SchemaError, "labels of 29 videos and scores of 30"),
        (SCORES, LABELS[:, :-1], SchemaError, "24 columns, and there are 25 classes"),
        (SCORES, [[25]] * 30, DataError, r"class 25 of video 0 is outside \[0, 25\)"),
        (SCORES[0], LABELS, SchemaError, "scores have shape"),
        ("text", LABELS, SchemaError, "one str, not numbers"),
        ([[0.1, 0.2], [0.3]], LABELS, SchemaError, "no array of numbers"),
        (SCORES[:0], LABELS[:0], DataError, "no videos"),
        (SCORES, None, CompressError, "labels"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(name, scores, labels, error, message):
    with pytest.raises(error, match=message):
        getattr(compress, name)(scores, labels)

"""What rows are called, which line of Table 4 they answer, and the part they play."""

from __future__ import annotations

from typing import Any

import pytest

from compress.evaluation.titles import role, table4_row, title
from compress.reports import published

CNN_320, LSTM = "ResidualCNN-320, Max Pooling", "LSTM 2 layer, (1280,640)"
MAX, LAST = {"pooling": "max"}, {"sizes": [1280, 640], "pooling": "last"}

ROWS = [
    ("identity", {}, 1152, "float32", "Original features", None),
    ("identity", {}, 1152, "int8", "Original features, int8", None),
    ("pca", {}, 320, "float32", "PCA to 320", None),
    ("random_projection", {}, 320, "float32", "Random projection to 320", None),
    ("linear", {}, 320, "float32", "Linear bottleneck 320, trained with its head", None),
    ("mlp", {}, 320, "float16", "MLP bottleneck 320, float16", None),
    ("residual_cnn", MAX, 320, "float32", "ResidualCNN-320, max pooling", CNN_320),
    ("residual_cnn", MAX, 512, "float32", "ResidualCNN-512, max pooling", "ResidualCNN-512, Max Pooling"),
    ("residual_cnn", MAX, 320, "int8", "ResidualCNN-320, max pooling, int8", None),
    ("residual_cnn", {"pooling": "mean"}, 320, "float32", "ResidualCNN-320, mean pooling", None),
    ("residual_cnn", MAX, 128, "float32", "ResidualCNN-128, max pooling", None),
    (
        "residual_cnn",
        {**MAX, "width": 0.0625},
        320,
        "float32",
        "ResidualCNN-320, max pooling, width x0.0625",
        CNN_320,
    ),
    ("residual_cnn_fc", {}, 320, "float32", "ResidualCNN-FC-320", None),
    ("lstm", LAST, 640, "float32", "LSTM 1280, 640, last state", LSTM),
    ("lstm", {**LAST, "sizes": [256, 640]}, 640, "float32", "LSTM 256, 640, last state", LSTM),
    ("lstm", {**LAST, "pooling": "mean"}, 640, "float32", "LSTM 1280, 640, mean pooling", None),
    ("lstm", {**LAST, "sizes": [640]}, 640, "float32", "LSTM 640, last state", None),
    ("something", {}, 7, "float32", "something 7", None),
]


@pytest.mark.parametrize(("encoder", "options", "dim", "codec", "called", "answers"), ROWS)
def test_a_row_is_called_and_answers(encoder: str, options: dict[str, Any], dim, codec, called, answers):
    facts = {"encoder": encoder, "encoder_options": options}
    assert title(facts, dim, codec) == called
    assert table4_row(facts, dim, codec) == answers


def test_every_line_of_table_4_can_be_answered():
    assert {answers for *_, answers in ROWS if answers} == {row.name for row in published().rows}


@pytest.mark.parametrize(
    ("name", "encoder", "part"),
    [
        ("original", "identity", "baseline"),
        ("original-int8", "identity", "control"),
        ("pca-320", "pca", "control"),
        ("random-320", "random_projection", "control"),
        ("linear-320", "linear", "encoder"),
        ("residual_cnn-320", "residual_cnn", "encoder"),
    ],
)
def test_a_row_plays_its_part(name: str, encoder: str, part: str):
    assert role(name, "original", {"encoder": encoder}) == part

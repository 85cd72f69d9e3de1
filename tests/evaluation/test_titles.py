"""What rows are called, which line of Table 4 they answer, and the part they play."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import pytest

from compress.evaluation.description import (
    _IN_TITLE,
    _PUBLISHED,
    encoder_title,
    model_title,
    role,
    table4_row,
    title,
)
from compress.papers import published
from encoders import config_class, list_encoders
from tests.encoders.examples import small_encoder

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


TWO_LSTMS = {"encoders": ["lstm"] * 2, "encoder_options": [{"sizes": [1024, 1024], "dim": 1024}] * 2}
MIXED = {"encoders": ["dbof", "lstm"]}
MODELS = [
    ("lstm", {"sizes": [1024]}, 1024, "LSTM 1024"),
    ("lstm", {"sizes": [1024, 1024], "pooling": "attention"}, 1024, "LSTM 2 x 1024, attention pooling"),
    ("lstm", LAST, 320, "LSTM 1280, 640, last state, to 320"),
    ("residual_lstm", {"sizes": [1024] * 3, "pooling": "last"}, 1024, "Residual LSTM 3 x 1024, last state"),
    ("bilstm", {"sizes": [1024], "pooling": "last"}, 2048, "BiLSTM 2048, last state"),
    ("bilstm", {"sizes": [1024, 1024], "pooling": "last"}, 2048, "BiLSTM 2 x 2048, last state"),
    ("stacked_bilstm", {"sizes": [1024, 1024], "between": "sum"}, 2048, "Stacked BiLSTM 2 x 2048"),
    (
        "stacked_bilstm",
        {"sizes": [512] * 3, "between": "concatenate", "residual": True, "pooling": "max"},
        1024,
        "Stacked BiLSTM 3 x 1024, concatenated, residual, max pooling",
    ),
    (
        "qrnn",
        {"sizes": [1024, 1024], "gates": "fo", "dense": True, "pooling": "last"},
        1024,
        "QRNN 2 x 1024, fo-pooling, dense, last state",
    ),
    (
        "qrnn",
        {"sizes": [512, 512], "bidirectional": True, "pooling": "last"},
        1024,
        "QRNN 2 x 1024, bidirectional, last state",
    ),
    (
        "dbof",
        {"cluster_size": 8192, "hidden_size": 1024, "pooling": "max"},
        1024,
        "DBoF 8192, 1024, max pooling",
    ),
    ("nextvlad", {"clusters": 128}, 2048, "NeXtVLAD 2048, 128 clusters"),
    ("transformer", {"layers": 2, "width": 512, "pooling": "mean"}, 512, "Transformer 2 x 512, mean pooling"),
    ("frame_statistics", {"statistics": ["mean"], "encoder": "identity"}, 1152, "Frame statistics (mean)"),
    (
        "frame_statistics",
        {"statistics": ["mean", "std"], "encoder": "mlp"},
        320,
        "Frame statistics (mean and std), MLP bottleneck 320",
    ),
    ("multi_modal", TWO_LSTMS, 1024, "Multi-modal: LSTM 2 x 1024, 2 times"),
    ("multi_modal", TWO_LSTMS, 320, "Multi-modal: LSTM 2 x 1024, 2 times, to 320"),
    (
        "multi_modal",
        {**TWO_LSTMS, "fusion": "concatenate"},
        2048,
        "Multi-modal: LSTM 2 x 1024, 2 times, concatenated",
    ),
    ("multi_modal", MIXED, 1024, "Multi-modal: DBoF and LSTM"),
    ("autoencoder", {}, 320, "Autoencoder 320"),
    ("linear", {}, 320, "Linear bottleneck 320"),
    ("identity", {}, 1152, "Original features, MoE"),
    ("something", {}, 7, "something 7"),
]


@pytest.mark.parametrize(("encoder", "options", "dim", "called"), MODELS)
def test_a_model_is_called(encoder: str, options: dict[str, Any], dim: int, called: str):
    assert model_title(encoder, options, dim, "moe") == called


def test_another_head_than_the_papers_is_told():
    assert model_title("mlp", {}, 320, "logistic") == "MLP bottleneck 320, logistic regression"
    assert model_title("identity", {}, 1152, "logistic") == "Original features, logistic regression"
    assert model_title("mlp", {}, 320, "own") == "MLP bottleneck 320, own"
    assert model_title("mlp", {}, 320, "moe", 2) == "MLP bottleneck 320"
    assert model_title("mlp", {}, 320, "moe", 4) == "MLP bottleneck 320, MoE of 4 mixtures"
    assert model_title("identity", {}, 1152, "moe", 1) == "Original features, MoE of 1 mixture"


@pytest.mark.parametrize("name", [name for name in list_encoders() if name != "identity"])
def test_every_title_tells_another_dim(name: str):
    encoders = [small_encoder(name, dim=dim) for dim in (10, 11)]
    assert len({encoder_title(name, asdict(one.config), one.dim) for one in encoders}) == 2


OTHER_VALUES: dict[str, tuple[Any, Any]] = {
    "dim": (10, 11),
    "sizes": ([9, 9, 9], [9, 9, 8]),
    "pooling": ("mean", "max"),
    "between": ("sum", "concatenate"),
    "residual": (False, True),
    "cluster_size": (8, 9),
    "hidden_size": (8, 9),
}


@pytest.mark.parametrize("name", _PUBLISHED)
def test_titles_tell_every_option_that_no_note_tells(name: str):
    told = {field.name for field in fields(config_class(name))} & set(_IN_TITLE) - {"input_dim"}
    for option in told:
        titles = {
            encoder_title(name, asdict(encoder.config), encoder.dim)
            for value in OTHER_VALUES[option]
            for encoder in [small_encoder(name, **{**_LAYERS.get(name, {}), option: value})]
        }
        assert len(titles) == 2, option


_LAYERS = {name: {"sizes": [9, 9, 9]} for name in ("lstm", "residual_lstm", "bilstm", "stacked_bilstm")}


@pytest.mark.parametrize("name", list_encoders())
def test_every_encoder_has_a_title_with_all_its_options_and_with_none(name: str):
    encoder = small_encoder(name)
    for options in (asdict(encoder.config), {}):
        words = model_title(name, options, encoder.dim, "moe")
        assert words
        assert words == words.strip()


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

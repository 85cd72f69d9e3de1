"""Sizes of the recurrent encoders: those of Table 2, those that are refused, and those of older models."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from encoders import build_encoder, count_parameters
from tests.encoders.examples import small_encoder

RES3 = {"sizes": (512, 512, 512), "between": "concatenate", "residual": True}
# An LSTM layer I -> H has 4 H (I + H + 1) numbers: 8,916,992 for 1152 -> 1024, 8,392,704 for 1024 -> 1024.
TABLE_2: dict[str, tuple[str, dict[str, Any], int, int]] = {
    "lstm-1x1024": ("lstm", {"sizes": (1024,)}, 1024, 8_916_992),
    "lstm-2x1024": ("lstm", {"sizes": (1024, 1024)}, 1024, 17_309_696),
    "lstm-1280-640": ("lstm", {}, 640, 17_374_720),
    "lstm-3x1024": ("lstm", {"sizes": (1024, 1024, 1024)}, 1024, 25_702_400),
    "lstm-res3-1024": ("residual_lstm", {}, 1024, 25_702_400),
    "lstm-1x1024-max": ("lstm", {"sizes": (1024,), "pooling": "max"}, 1024, 8_916_992),
    "lstm-1x1024-attention": ("lstm", {"sizes": (1024,), "pooling": "attention"}, 1024, 8_918_016),
    "bilstm-1x2048": ("bilstm", {}, 2048, 17_833_984),
    "bilstm-2x2048": ("bilstm", {"sizes": (1024, 1024)}, 2048, 34_619_392),
    "stacked-bilstm-2x2048": ("stacked_bilstm", {}, 2048, 34_619_392),
    "bilstm-3x1024": ("bilstm", {"sizes": (512, 512, 512)}, 1024, 15_216_640),
    "stacked-bilstm-res3-1024": ("stacked_bilstm", RES3, 1024, 19_410_944),
}
RECURRENT = ["lstm", "residual_lstm", "bilstm", "stacked_bilstm"]


@pytest.mark.parametrize("row", TABLE_2)
def test_the_rows_of_table_2_have_the_papers_sizes(row: str) -> None:
    name, options, dim, parameters = TABLE_2[row]
    with torch.device("meta"):
        encoder = build_encoder(name, options)
    assert encoder.dim == dim
    assert count_parameters(encoder) == parameters


@pytest.mark.parametrize(
    ("name", "options", "width"),
    [
        ("lstm", {"sizes": (8, 24)}, 24),
        ("residual_lstm", {"sizes": (8, 8, 8)}, 8),
        ("bilstm", {"sizes": (8, 10)}, 20),
        ("stacked_bilstm", {"sizes": (8, 10)}, 20),
    ],
)
@pytest.mark.parametrize("pooling", ["last", "attention"])
def test_an_embedding_is_as_wide_as_a_state_or_projected(
    name: str, options: dict[str, Any], width: int, pooling: str
) -> None:
    options = {"input_dim": 4, "pooling": pooling, **options}
    natural = build_encoder(name, options)
    same, other = (build_encoder(name, {**options, "dim": dim}) for dim in (width, 7))
    assert natural.config == same.config
    assert (natural.dim, other.dim) == (width, 7)
    assert count_parameters(other) == count_parameters(natural) + 7 * (width + 1)
    assert not other.state_dict()["project.bias"].any()
    frames, num_frames = torch.randn(2, 5, 4), torch.tensor([5, 2])
    assert natural(frames, num_frames).shape == (2, width)
    assert other(frames, num_frames).shape == (2, 7)


@pytest.mark.parametrize(
    ("options", "sizes", "dim"),
    [
        ({}, (1280, 640), 640),
        ({"dim": 320}, (640, 320), 320),
        ({"sizes": (6, 5)}, (6, 5), 5),
        ({"sizes": (6, 5), "dim": 4}, (6, 5), 4),
    ],
)
def test_an_lstm_has_the_papers_sizes_unless_told(
    options: dict[str, Any], sizes: tuple[int, ...], dim: int
) -> None:
    with torch.device("meta"):
        config = build_encoder("lstm", options).config
    assert (config.sizes, config.dim) == (sizes, dim)


def test_an_lstm_saved_before_there_were_projection_and_dropout_loads() -> None:
    options = {"input_dim": 16, "dim": 8, "sizes": [12, 8], "pooling": "attention", "forget_bias": 1.0}
    shapes = {
        "layers.0.weight_input": (48, 16),
        "layers.0.weight_state": (48, 12),
        "layers.0.bias": (48,),
        "layers.1.weight_input": (32, 12),
        "layers.1.weight_state": (32, 8),
        "layers.1.bias": (32,),
        "pool.weight": (1, 8),
    }
    encoder = build_encoder("lstm", options)
    encoder.load_state_dict({name: torch.randn(shape) for name, shape in shapes.items()})


@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": (0, 16)}, r"sizes\[0\] must be positive"),
        ({"sizes": (16, -1, 16)}, r"sizes\[1\] must be positive"),
        ({"dim": -1}, "dim must be positive, not -1"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), not 1.0"),
        ({"embedding_dropout": -0.1}, r"embedding_dropout must be in \[0, 1\), not -0.1"),
        ({"pooling": "median"}, "pooling must be one of 'last', 'mean', 'max', 'attention'"),
    ],
)
def test_values_out_of_range_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_encoder(name, **options)


@pytest.mark.parametrize("name", ["residual_lstm", "bilstm", "stacked_bilstm"])
def test_an_encoder_without_layers_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="sizes must name at least one layer"):
        small_encoder(name, sizes=())


@pytest.mark.parametrize(("name", "options"), [("residual_lstm", {}), ("stacked_bilstm", {"residual": True})])
def test_a_residual_needs_three_layers_and_equal_widths(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"start at layer 3, so they need 3 sizes or more, not \(8, 8\)"):
        small_encoder(name, sizes=(8, 8), **options)
    with pytest.raises(ValueError, match=r"need equal sizes below the last layer, not \(8, 9, 8\)"):
        small_encoder(name, sizes=(8, 9, 8), **options)
    assert small_encoder(name, sizes=(8, 8, 9), **options).config.sizes == (8, 8, 9)


@pytest.mark.parametrize("pooling", ["attention", "raw_attention"])
def test_the_penalty_on_the_attention_is_half_its_square(pooling: str) -> None:
    encoder = small_encoder("lstm", pooling=pooling, attention_penalty=0.5)  # the papers' code
    weight = encoder.state_dict()["pool.weight"]
    assert encoder.penalty().item() == pytest.approx(0.25 * weight.square().sum().item())
    assert small_encoder("lstm", pooling=pooling).penalty().item() == 0
    assert small_encoder("lstm", attention_penalty=0.5).penalty().item() == 0

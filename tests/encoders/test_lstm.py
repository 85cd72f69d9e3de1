"""The LSTM encoder against the cell written out, and its masked pooling against plain loops."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from encoders import build_encoder, count_parameters
from encoders.layers import pooling
from encoders.layers.lstm_layer import LSTMLayer
from tests.encoders.examples import small_encoder


def cell_by_cell(layer: LSTMLayer, x: Tensor) -> Tensor:
    """Eq. 1-6 of the paper (without the misprinted sigmoid of Eq. 5), one step at a time."""
    h = c = torch.zeros(len(x), layer.size, dtype=x.dtype)
    states = []
    for step in x.unbind(1):
        gates = step @ layer.weight_input.t() + h @ layer.weight_state.t() + layer.bias
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append(h)
    return torch.stack(states, dim=1)


def attention(states: Tensor, weight: Tensor) -> Tensor:
    """Eq. 8-10 for one video (T, H)."""
    shares = torch.softmax(torch.tanh(states) @ weight[0], dim=0)
    return torch.tanh((shares[:, None] * states).sum(0))


def test_a_layer_equals_the_cell_written_out() -> None:
    layer = LSTMLayer(5, 3).double()
    x = torch.randn(4, 9, 5, dtype=torch.float64)
    torch.testing.assert_close(layer(x), cell_by_cell(layer, x))


@pytest.mark.parametrize(("inputs", "millions"), [(1152, 8.917), (1024, 8.393)])
def test_a_layer_has_one_bias_vector(inputs: int, millions: float) -> None:
    with torch.device("meta"):
        assert round(count_parameters(LSTMLayer(inputs, 1024)) / 1e6, 3) == millions


def test_the_forget_gate_starts_open() -> None:
    bias = LSTMLayer(5, 3, forget_bias=1.0).bias
    assert bias.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_weights_start_xavier_uniform_over_the_joint_kernel() -> None:
    layer = LSTMLayer(60, 40)
    bound = (6 / (60 + 40 + 160)) ** 0.5
    for weight in (layer.weight_input, layer.weight_state):
        assert 0.98 * bound < weight.abs().max() <= bound


def test_layers_have_any_width_and_the_default_is_the_papers() -> None:
    with torch.device("meta"):
        assert build_encoder("lstm", {}).config.sizes == (1280, 640)
    encoder = small_encoder("lstm", sizes=[8, 24, 16])
    assert [layer.size for layer in encoder.layers] == [8, 24, 16]


@pytest.mark.parametrize("name", ["last", "mean", "max", "attention"])
def test_pooling_equals_a_loop_over_the_valid_frames(name: str) -> None:
    encoder = small_encoder("lstm", sizes=(16,), pooling=name).double()
    frames, num_frames = torch.randn(5, 8, 16, dtype=torch.float64), torch.tensor([8, 1, 3, 7, 2])
    embedding = encoder(frames, num_frames)
    for row, length in enumerate(num_frames.tolist()):
        states = cell_by_cell(encoder.layers[0], frames[row : row + 1, :length])[0]
        expected = {
            "last": lambda s: s[-1],
            "mean": lambda s: s.mean(0),
            "max": lambda s: s.max(0).values,
            "attention": lambda s: attention(s, encoder.pool.weight),
        }[name](states)
        torch.testing.assert_close(embedding[row], expected)


@pytest.mark.parametrize("name", ["last", "mean", "max", "attention"])
def test_padding_changes_neither_embedding_nor_gradient(name: str) -> None:
    encoder = small_encoder("lstm", pooling=name).double()
    frames, num_frames = torch.randn(3, 6, 16, dtype=torch.float64), torch.tensor([6, 1, 4])
    padded = torch.cat([frames, torch.full((3, 5, 16), 50.0, dtype=torch.float64)], dim=1)
    gradients = []
    for x in (frames, padded):
        embedding = encoder(x, num_frames)
        gradients.append(
            (embedding, *torch.autograd.grad(embedding.square().sum(), list(encoder.parameters())))
        )
    for short, long in zip(*gradients, strict=True):
        torch.testing.assert_close(long, short, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.uint8])
def test_num_frames_of_any_integer_type(dtype: torch.dtype) -> None:
    encoder = small_encoder("lstm")
    frames = torch.randn(2, 6, 16)
    expected = encoder(frames, torch.tensor([6, 2]))
    torch.testing.assert_close(encoder(frames, torch.tensor([6, 2], dtype=dtype)), expected)


@pytest.mark.parametrize("pool", [pooling.last, pooling.mean, pooling.maximum, pooling.AttentionPooling(4)])
def test_a_video_without_frames_gives_zeros(pool: object) -> None:
    states = torch.randn(2, 3, 4)
    pooled = pool(states, torch.tensor([0, 3]))  # type: ignore[operator]
    assert not pooled[0].any()
    assert pooled[1].any()

"""The QRNN encoder against the equations one number at a time, in streams, and its options."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from encoders import QRNNConfig, QRNNEncoder, build_encoder, count_parameters
from encoders.layers.qrnn.layer import QRNNLayer
from encoders.layers.qrnn.pooling import Gates
from tests.encoders.examples import small_encoder
from tests.encoders.slow_qrnn import Rows, slow_frame_pooling, slow_layer

every_kind = pytest.mark.parametrize("kind", get_args(Gates))
every_window = pytest.mark.parametrize("window", [1, 2, 3, 5])
every_pooling = pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention", "raw_attention"])


def a_qrnn(**options: Any) -> QRNNEncoder:
    torch.manual_seed(4)
    encoder = build_encoder("qrnn", {"input_dim": 3, "sizes": (2, 4), **options}).double().eval()
    assert isinstance(encoder, QRNNEncoder)
    return encoder


def videos(batch: int = 3, frames: int = 7) -> Tensor:
    return torch.randn(batch, frames, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(5))


def slow_direction(layer: QRNNLayer, x: Rows) -> Rows:
    step = -1 if layer.reverse else 1
    weights = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    return slow_layer(x[::step], *weights, layer.window, layer.gates)[0][::step]


def slow_qrnn(encoder: QRNNEncoder, x: Rows) -> list[float]:
    """The embedding of one video without padding."""
    both, network_input = encoder.config.bidirectional, x
    for layer in encoder.layers:
        ahead = slow_direction(layer.ahead if both else layer, network_input)
        back = slow_direction(layer.back, network_input) if both else None
        output = [a + b for a, b in zip(ahead, back, strict=True)] if back else ahead
        below = [old + new for old, new in zip(network_input, output, strict=True)]
        network_input = below if encoder.config.dense else output
    weight = getattr(encoder.pool, "weight", None)
    numbers: np.ndarray | None = None if weight is None else weight.detach().numpy()
    return slow_frame_pooling(encoder.config.pooling, ahead, back, numbers)


def assert_equals_slow(encoder: QRNNEncoder, tolerance: float = 1e-10) -> None:
    frames, num_frames = videos(), torch.tensor([7, 1, 4])
    embedding = encoder(frames, num_frames)
    for row, length in enumerate(num_frames.tolist()):
        wanted = torch.tensor(slow_qrnn(encoder, frames[row, :length].tolist()), dtype=torch.float64)
        torch.testing.assert_close(embedding[row], wanted, rtol=0, atol=tolerance)


@every_kind
@every_window
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("dense", [False, True])
def test_an_encoder_equals_the_equations_one_number_at_a_time(
    kind: str, window: int, bidirectional: bool, dense: bool
) -> None:
    assert_equals_slow(a_qrnn(gates=kind, window=window, bidirectional=bidirectional, dense=dense))


@every_pooling
@pytest.mark.parametrize("bidirectional", [False, True])
def test_every_frame_pooling_equals_its_definition(pooling: str, bidirectional: bool) -> None:
    encoder = a_qrnn(pooling=pooling, bidirectional=bidirectional)
    assert_equals_slow(encoder)


def test_three_layers_each_with_a_window_of_its_own_equal_the_equations() -> None:
    encoder = a_qrnn(sizes=(2, 3, 2), window=(5, 1, 2), dense=True, bidirectional=True)
    assert_equals_slow(encoder)


@every_kind
@every_window
@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 7])
def test_a_stream_in_chunks_equals_the_whole(kind: str, window: int, chunk: int) -> None:
    encoder, frames = a_qrnn(gates=kind, window=window, dense=True), videos()
    state, seen = None, 0
    for piece in frames.split(chunk, dim=1):
        so_far, state = encoder.stream(piece, state)
        seen += piece.shape[1]
        wanted = encoder(frames[:, :seen], torch.full((3,), seen))
        torch.testing.assert_close(so_far, wanted, rtol=0, atol=1e-12)


@every_pooling
def test_a_stream_pools_videos_that_come_in_at_different_rates(pooling: str) -> None:
    encoder, frames = a_qrnn(pooling=pooling, window=3, dim=5), videos(4)
    rates = torch.tensor([[3, 0, 1, 3], [1, 1, 1, 0], [0, 2, 0, 2], [0, 0, 0, 0]])
    past, state = torch.zeros(4, dtype=torch.long), None
    for valid in rates.t():
        piece = torch.full((4, 3, 3), torch.nan, dtype=torch.float64)
        for row, number in enumerate(valid.tolist()):
            piece[row, :number] = frames[row, past[row] : past[row] + number]
        so_far, state = encoder.stream(piece, state, valid)
        past += valid
        torch.testing.assert_close(so_far, encoder(frames, past), rtol=0, atol=1e-6)


@every_pooling
def test_no_frames_leave_a_stream_as_it_was(pooling: str) -> None:
    encoder, frames = a_qrnn(pooling=pooling), videos()
    before, state = encoder.stream(frames)
    after, _ = encoder.stream(frames[:, :0], state)
    assert torch.equal(after, before)


def test_a_stream_without_end_keeps_a_state_of_one_size_in_bfloat16_too() -> None:
    encoder = a_qrnn(pooling="mean", window=2).bfloat16()
    frames, state = torch.randn(2, 40, 3).bfloat16(), None
    with torch.inference_mode():
        for piece in frames.unbind(1):
            so_far, state = encoder.stream(piece[:, None], state)
        whole = encoder(frames, torch.tensor([40, 40]))
    assert so_far.dtype == torch.bfloat16
    assert state.pooled.value.dtype == torch.float32
    assert [tuple(t.shape) for layer in state.layers for t in layer] == [(2, 2), (2, 1, 3), (2, 4), (2, 1, 2)]
    torch.testing.assert_close(so_far, whole, rtol=0.02, atol=0.02)


def test_a_bidirectional_net_cannot_stream() -> None:
    with pytest.raises(ValueError, match="also reads from the end, so it cannot stream"):
        a_qrnn(bidirectional=True).stream(videos())


def test_gradients_equal_finite_differences_through_the_whole_encoder() -> None:
    encoder = a_qrnn(gates="ifo", window=2, dense=True, bidirectional=True, pooling="mean")
    num_frames = torch.tensor([3, 2])

    def embedding(frames: Tensor, *values: Tensor) -> Tensor:
        named = dict(zip(dict(encoder.named_parameters()), values, strict=True))
        return torch.func.functional_call(encoder, named, (frames, num_frames))

    values = [videos(2, 3), *encoder.parameters()]
    assert torch.autograd.gradcheck(embedding, tuple(v.detach().requires_grad_() for v in values))


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"dense": True, "window": 5}])
def test_frames_after_the_last_valid_one_change_nothing(options: dict[str, Any]) -> None:
    encoder, num_frames = a_qrnn(**options), torch.tensor([7, 1, 4])
    padding = torch.arange(7) >= num_frames[:, None]
    garbage = videos().masked_fill(padding[:, :, None], torch.nan)
    longer = torch.cat([garbage, torch.full((3, 4, 3), torch.inf, dtype=torch.float64)], dim=1)
    expected = encoder(videos(), num_frames)
    for padded in (garbage, longer):
        torch.testing.assert_close(encoder(padded, num_frames), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("option", ["zoneout", "dropout", "embedding_dropout"])
def test_what_is_random_is_so_in_training_only(option: str) -> None:
    encoder, plain = a_qrnn(**{option: 0.5}), a_qrnn()
    inputs = videos(), torch.tensor([7, 1, 4])
    assert torch.equal(encoder(*inputs), plain(*inputs))
    encoder.train()
    assert not torch.equal(encoder(*inputs), encoder(*inputs))


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 3 * 512 * (2 * 1152 + 1) + 3 * 512 * (2 * 512 + 1)),
        ({"sizes": (640,)}, 3 * 640 * (2 * 1152 + 1)),
        ({"sizes": (640,), "gates": "f", "window": 1}, 2 * 640 * 1153),
        ({"sizes": (640,), "gates": "ifo", "dim": 320}, 4 * 640 * 2305 + 641 * 320),
        ({"bidirectional": True}, 2 * (3 * 512 * 2305 + 3 * 512 * (2 * 1024 + 1))),
        ({"dense": True, "window": (2, 3)}, 3 * 512 * 2305 + 3 * 512 * (3 * (1152 + 512) + 1)),
        ({"pooling": "attention"}, 3 * 512 * 2305 + 3 * 512 * 1025 + 512),
    ],
)
def test_parameter_counts(options: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(build_encoder("qrnn", options)) == parameters


def test_the_natural_dim_is_the_last_layers_in_all_its_directions() -> None:
    assert QRNNConfig().dim == 512
    assert QRNNConfig(sizes=(8, 6), bidirectional=True).dim == 12
    assert QRNNConfig(sizes=(8, 6), dim=5).dim == 5
    assert QRNNConfig(sizes=(8, 6), window=3).window == (3, 3)
    assert small_encoder("qrnn", sizes=(8, 6), dim=5)(torch.randn(2, 3, 16), torch.tensor([3, 0])).shape == (
        2,
        5,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": ()}, "sizes must name at least one layer"),
        ({"sizes": (4, 0)}, r"sizes\[1\] must be positive"),
        ({"window": 0}, r"window\[0\] must be positive"),
        (
            {"window": (2, 2, 2)},
            r"window \(2, 2, 2\) must be one number, or one for each of sizes \(512, 512\)",
        ),
        ({"zoneout": 1.0}, "zoneout must be in"),
        ({"gates": "of"}, "gates must be one of 'f', 'fo', 'ifo'"),
        ({"dim": -1}, "dim must be positive"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_encoder("qrnn", options)

"""One QRNN layer: against the equations one number at a time, in chunks, with masks, zoneout and bfloat16."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from encoders import count_parameters, native
from encoders.layers.qrnn.layer import QRNNLayer, QRNNState
from encoders.layers.qrnn.pooling import Gates
from tests.encoders.slow_qrnn import slow_layer

needs_c_code = pytest.mark.skipif(native.load() is None, reason="no C code here")
every_kind = pytest.mark.parametrize("kind", get_args(Gates))
every_window = pytest.mark.parametrize("window", [1, 2, 3, 5])
LENGTHS = torch.tensor([7, 1, 4, 0])


def a_layer(kind: Any, window: int, inputs: int = 3, size: int = 2, **options: Any) -> QRNNLayer:
    torch.manual_seed(window)
    layer = QRNNLayer(inputs, size, window, kind, **options).double().eval()
    with torch.no_grad():
        layer.bias.uniform_(-1, 1)
    return layer


def videos(batch: int = 4, frames: int = 7, inputs: int = 3) -> Tensor:
    return torch.randn(batch, frames, inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(5))


def mask_of(lengths: Tensor, frames: int = 7) -> Tensor:
    return torch.arange(frames) < lengths[:, None]


@every_kind
@every_window
@pytest.mark.parametrize("method", ["reference", "fused"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_layer_equals_the_equations_one_number_at_a_time(
    kind: Any, window: int, method: Any, reverse: bool
) -> None:
    layer, x = a_layer(kind, window, reverse=reverse), videos()
    layer.method = method
    h, state = layer(x, mask_of(LENGTHS))
    for row, length in enumerate(LENGTHS.tolist()):
        step = -1 if reverse else 1
        valid = x[row, :length].tolist()[::step]
        weights = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        wanted, last = slow_layer(valid, *weights, window, kind)
        wanted_h = torch.tensor(wanted[::step], dtype=torch.float64).view(length, 2)
        torch.testing.assert_close(h[row, :length], wanted_h, rtol=0, atol=1e-10)
        wanted_c = torch.tensor(last, dtype=torch.float64)
        torch.testing.assert_close(state.c[row], wanted_c, rtol=0, atol=1e-10)


@every_kind
@every_window
@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_equal_finite_differences(kind: Any, window: int, reverse: bool) -> None:
    layer, mask = a_layer(kind, window, reverse=reverse), mask_of(torch.tensor([3, 1]), 3)
    state = None if reverse else QRNNState(videos(2, 1, 2)[:, 0], videos(2, window - 1))
    values = [videos(2, 3), *layer.parameters(), *(state or ())]

    def layer_of(x: Tensor, weight: Tensor, bias: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        arguments = (x, mask, QRNNState(*past) if past else None)
        named = {"weight": weight, "bias": bias}
        h, after = torch.func.functional_call(layer, named, arguments)
        return torch.where(mask[:, :, None], h, 0), after.c, after.inputs

    leaves = tuple(value.detach().requires_grad_() for value in values)
    assert torch.autograd.gradcheck(layer_of, leaves)


@every_kind
@every_window
@pytest.mark.parametrize("chunk", [1, 2, 3, 6, 7])
def test_chunks_with_their_state_equal_the_whole(kind: Any, window: int, chunk: int) -> None:
    layer, x = a_layer(kind, window), videos()
    whole, end = layer(x)
    parts, state = [], None
    for piece in x.split(chunk, dim=1):
        h, state = layer(piece, None, state)
        parts.append(h)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=1e-13)
    for found, wanted in zip(state, end, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-13)


@every_kind
@every_window
def test_padding_between_chunks_is_no_time_at_all(kind: Any, window: int) -> None:
    """Videos that come in at different rates: the chunks of each hold what it has, then padding."""
    layer, x = a_layer(kind, window), videos()
    rates = torch.tensor([[3, 0, 1, 3], [1, 1, 1, 0], [0, 2, 0, 2], [2, 2, 3, 0]])
    past, state = torch.zeros(4, dtype=torch.long), None
    for valid in rates.t():
        piece = torch.full((4, 3, 3), torch.nan, dtype=torch.float64)
        for row, number in enumerate(valid.tolist()):
            piece[row, :number] = x[row, past[row] : past[row] + number]
        _, state = layer(piece, mask_of(valid, 3), state)
        past += valid
    _, whole = layer(x, mask_of(past))
    for found, wanted in zip(state, whole, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-13)


@every_kind
@every_window
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("value", [1e30, torch.inf, torch.nan])
def test_what_padding_holds_reaches_neither_states_nor_gradients(
    kind: Any, window: int, reverse: bool, value: float
) -> None:
    layer, mask = a_layer(kind, window, reverse=reverse), mask_of(LENGTHS)
    results = []
    for x in (videos(), videos().masked_fill(~mask[:, :, None], value)):
        x.requires_grad_()
        h, state = layer(x, mask)
        assert torch.isfinite(h).all()
        loss = h[mask].square().sum() + state.c.square().sum()
        results.append((h[mask], *state, *torch.autograd.grad(loss, [x, *layer.parameters()])))
    for found, wanted in zip(*results, strict=True):
        assert torch.equal(found, wanted)


@every_kind
@every_window
@pytest.mark.parametrize("reverse", [False, True])
@needs_c_code
def test_the_c_code_in_float32_equals_the_reference_in_float64(kind: Any, window: int, reverse: bool) -> None:
    layer, x, mask = a_layer(kind, window, reverse=reverse, zoneout=0.4), videos(), mask_of(LENGTHS)
    results = []
    for chosen, dtype in (("native", torch.float32), ("reference", torch.float64)):
        layer, layer.method = layer.to(dtype).train(), chosen
        torch.manual_seed(0)
        frames = x.to(dtype).requires_grad_()
        h, state = layer(frames, mask)
        loss = h[mask].square().sum() + state.c.square().sum()
        gradients = torch.autograd.grad(loss, [frames, *layer.parameters()])
        results.append([h[mask], *state, *gradients])
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-5)


@needs_c_code
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_chunks_equal_the_whole_and_padding_is_not_read_by_the_c_code_either(dtype: torch.dtype) -> None:
    layer, x = a_layer("fo", 3).to(dtype), videos().to(dtype)
    layer.method = "native"
    whole, end = layer(x)
    parts, state = [], None
    for piece in x.split(2, dim=1):
        padded = torch.cat([piece, torch.full_like(piece, torch.nan)], dim=1)
        mask = mask_of(torch.full((4,), piece.shape[1]), padded.shape[1])
        h, state = layer(padded, mask, state)
        assert not h[:, piece.shape[1] :].any()
        parts.append(h[:, : piece.shape[1]])
    tolerance = 1e-6 if dtype == torch.float32 else 1e-2
    for found, wanted in zip((torch.cat(parts, dim=1), *state), (whole, *end), strict=True):
        torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance)


@every_kind
def test_zoneout_keeps_states_in_training_only_and_rescales_nothing(kind: Any) -> None:
    layer, x = a_layer(kind, 2, size=40, zoneout=0.3), videos(20, 30)
    without = a_layer(kind, 2, size=40)
    assert torch.equal(layer(x)[0], without(x)[0])
    assert torch.equal(without.train()(x)[0], without.eval()(x)[0])
    layer.train()
    for part in layer.bias.chunk(1 + len(kind))[2:3]:
        part.data.fill_(1e3)  # an output gate of 1: h is c
    h, _ = layer(x)
    kept = h[:, 1:] == h[:, :-1]
    assert abs(kept.double().mean().item() - 0.3) < 0.01
    moved = ~kept
    layer.eval()
    start = QRNNState(h[:, :-1].reshape(-1, 40), x[:, :-1].reshape(-1, 1, 3))
    undropped, _ = layer(x[:, 1:].reshape(-1, 1, 3), None, start)  # a step from each state, gates as they are
    torch.testing.assert_close(h[:, 1:][moved], undropped.view(20, 29, 40)[moved])


def test_a_forget_bias_is_the_forget_gates_alone_and_weights_start_as_a_convolutions() -> None:
    layer = QRNNLayer(60, 40, window=3, forget_bias=1.0)
    assert layer.bias.view(3, 40).sum(1).tolist() == [0, 40, 0]
    convolution = torch.nn.Conv1d(60, 40, 3).weight
    torch.nn.init.xavier_uniform_(convolution)
    torch.testing.assert_close(layer.weight.abs().max(), convolution.abs().max(), rtol=0.01, atol=0)


@pytest.mark.parametrize(("kind", "gates"), [("f", 2), ("fo", 3), ("ifo", 4)])
@every_window
def test_a_layer_has_a_weight_for_each_gate_frame_and_input(kind: Any, gates: int, window: int) -> None:
    assert count_parameters(QRNNLayer(11, 7, window, kind)) == gates * 7 * (window * 11 + 1)


@every_kind
def test_bfloat16_autocast_stays_close_over_360_frames(kind: Any) -> None:
    layer, x = a_layer(kind, 2, inputs=32, size=16, forget_bias=3.0).float(), videos(3, 360, 32).float()
    exact, end = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough, state = layer(x)
    assert (rough.dtype, state.c.dtype) == (torch.bfloat16, torch.float32)
    assert (rough.float() - exact).norm() < 0.01 * exact.norm()
    assert (state.c - end.c).norm() < 0.01 * end.c.norm()
    rough.float().square().sum().backward()
    assert torch.isfinite(layer.weight.grad).all()


@every_window
def test_no_frames_at_all_leave_the_state_as_it_was(window: int) -> None:
    layer = a_layer("fo", window)
    _, state = layer(videos())
    h, after = layer(videos()[:, :0], None, state)
    assert h.shape == (4, 0, 2)
    assert all(torch.equal(a, b) for a, b in zip(after, state, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(2, 5, 4),), r"takes \(B, T, 3\), not \(2, 5, 4\)"),
        ((torch.zeros(2, 5, 3), torch.ones(2, 4, dtype=torch.bool)), r"mask must be \(2, 5\) bool"),
        ((torch.zeros(2, 5, 3), torch.ones(2, 5)), r"mask must be \(2, 5\) bool, not .* torch.float32"),
        ((torch.zeros(1, 2, 3), torch.tensor([[False, True]])), "mask must have the valid frames first"),
        (
            (torch.zeros(2, 5, 3), None, QRNNState(torch.zeros(2, 2), torch.zeros(2, 2, 3))),
            r"must have c \(2, 2\) and inputs \(2, 1, 3\), not c \(2, 2\) and inputs \(2, 2, 3\)",
        ),
    ],
)
def test_wrong_inputs_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QRNNLayer(3, 2)(*arguments)


def test_a_layer_in_reverse_takes_no_state() -> None:
    layer = QRNNLayer(3, 2, reverse=True)
    _, state = layer(torch.zeros(2, 5, 3))
    with pytest.raises(ValueError, match="starts at the last frame, so it takes no state"):
        layer(torch.zeros(2, 5, 3), None, state)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "window must be positive"),
        ({"zoneout": 1.0}, "zoneout must be in"),
        ({"gates": "io"}, "gates must be one of f, fo, ifo, not 'io'"),
    ],
)
def test_impossible_layers_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QRNNLayer(3, 2, **options)

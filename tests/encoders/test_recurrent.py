"""The recurrent encoders against the cell written out, on videos of different lengths."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from encoders import Encoder, build_encoder
from encoders.layers.lstm_layer import LSTMLayer
from tests.encoders import recurrent_reference as reference

INPUTS = 3
LENGTHS = [6, 1, 4, 0, 2]
POOLINGS = ["last", "mean", "max", "attention", "raw_attention"]
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "lstm": ("lstm", {"sizes": (4, 5, 3)}),
    "lstm, one layer": ("lstm", {"sizes": (4,)}),
    "lstm, another dim": ("lstm", {"sizes": (4, 5), "dim": 2}),
    "residual lstm": ("residual_lstm", {"sizes": (4, 4, 4)}),
    "residual lstm, five layers": ("residual_lstm", {"sizes": (4, 4, 4, 4, 2)}),
    "bilstm": ("bilstm", {"sizes": (4, 5, 3)}),
    "bilstm, one layer": ("bilstm", {"sizes": (4,)}),
    "bilstm, another dim": ("bilstm", {"sizes": (4, 5), "dim": 2}),
    "stacked bilstm": ("stacked_bilstm", {"sizes": (4, 5, 3)}),
    "stacked bilstm, one layer": ("stacked_bilstm", {"sizes": (4,)}),
    "stacked bilstm, concatenated": ("stacked_bilstm", {"sizes": (4, 5, 3), "between": "concatenate"}),
    "stacked bilstm, residual": (
        "stacked_bilstm",
        {"sizes": (4, 4, 4), "between": "concatenate", "residual": True},
    ),
    "stacked bilstm, residual sums": ("stacked_bilstm", {"sizes": (4, 4, 4, 2), "residual": True}),
}
every_case = pytest.mark.parametrize("case", CASES)
every_pooling = pytest.mark.parametrize("pooling", POOLINGS)


def encoder_of(case: str, **options: Any) -> Encoder:
    torch.manual_seed(0)
    name, own = CASES[case]
    encoder = build_encoder(name, {"input_dim": INPUTS, **own, **options}).double().eval()
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, std=0.7)  # no bias at zero, where a forgotten one would not be seen
    return encoder


def videos(padding: float = 1e4, longer: int = 2) -> tuple[Tensor, Tensor]:
    frames = torch.full((len(LENGTHS), max(LENGTHS) + longer, INPUTS), padding, dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    for video, length in zip(frames, LENGTHS, strict=True):
        video[:length] = torch.randn(length, INPUTS, generator=generator, dtype=torch.float64)
    return frames, torch.tensor(LENGTHS)


def expected(case: str, encoder: Encoder, frames: Tensor, between: reference.Between = lambda x: x) -> Tensor:
    """Embeddings of the reference, video by video; gradients flow to the encoder's parameters."""
    config, weights, name = encoder.config, dict(encoder.named_parameters()), CASES[case][0]
    states_of = getattr(reference, name)
    if name == "stacked_bilstm":
        states_of = partial(states_of, join=config.between, residual=config.residual)
    directions = 2 if "bilstm" in name else 1
    pooled = [
        reference.pooled(
            states_of(weights, config.sizes, video[:length], between), config.pooling, weights, directions
        )
        if length
        else torch.zeros(directions * config.sizes[-1], dtype=torch.float64)
        for video, length in zip(frames, LENGTHS, strict=True)
    ]
    if "project.weight" not in weights:
        return torch.stack(pooled)
    return torch.stack([weights["project.weight"] @ state + weights["project.bias"] for state in pooled])


@every_case
@every_pooling
def test_embeddings_and_gradients_are_those_of_the_cells_written_out(case: str, pooling: str) -> None:
    encoder = encoder_of(case, pooling=pooling)
    frames, num_frames = videos()
    frames.requires_grad_()
    wanted = [*encoder.parameters(), frames]
    found, right = encoder(frames, num_frames), expected(case, encoder, frames)
    torch.testing.assert_close(found, right, atol=1e-12, rtol=0)
    direction = torch.randn(right.shape, dtype=torch.float64)
    gradients = (torch.autograd.grad((y * direction).sum(), wanted) for y in (found, right))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


@every_case
@every_pooling
def test_neither_padding_nor_batch_mates_change_a_video(case: str, pooling: str) -> None:
    encoder = encoder_of(case, pooling=pooling)
    frames, num_frames = videos()
    together = encoder(frames, num_frames)
    torch.testing.assert_close(encoder(*videos(padding=-50.0, longer=0)), together, atol=1e-12, rtol=0)
    torch.testing.assert_close(encoder(frames.flip(0), num_frames.flip(0)).flip(0), together)
    for row, length in enumerate(LENGTHS):
        alone = encoder(frames[row : row + 1, : max(length, 1)], num_frames[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], atol=1e-12, rtol=0)


@every_case
def test_a_layer_reads_what_was_done_between_but_the_first_and_the_end_do_not(case: str) -> None:
    class Doubled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * x

    encoder = encoder_of(case, dropout=0.5)
    assert isinstance(encoder.between, nn.Dropout)
    assert encoder.between.p == 0.5
    encoder.between = Doubled()
    frames, num_frames = videos()
    right = expected(case, encoder, frames, lambda x: 2 * x)
    torch.testing.assert_close(encoder(frames, num_frames), right, atol=1e-12, rtol=0)


@every_case
def test_dropout_is_for_training_alone(case: str) -> None:
    plain, dropping = encoder_of(case), encoder_of(case, dropout=0.5, embedding_dropout=0.5)
    inputs = videos()
    assert torch.equal(plain(*inputs), dropping(*inputs))
    assert torch.equal(plain.train()(*inputs), plain.eval()(*inputs))
    assert not torch.equal(dropping.train()(*inputs), plain(*inputs))


@every_case
def test_dropout_of_the_embedding_drops_that_share_and_scales_the_rest(case: str) -> None:
    encoder = encoder_of(case, embedding_dropout=0.25, pooling="mean")
    frames, num_frames = videos()
    whole = encoder(frames[:1], num_frames[:1]).expand(2000, -1)
    found = encoder.train()(frames[:1].expand(2000, -1, -1), num_frames[:1].expand(2000))
    dropped = found == 0
    assert abs(dropped.double().mean() - 0.25) < 0.05
    torch.testing.assert_close(found[~dropped], whole[~dropped] / 0.75)


def types_seen(encoder: Encoder) -> list[torch.dtype]:
    """What the LSTM layers read and gave under autocast, one after the other."""
    seen: list[torch.dtype] = []
    for layer in encoder.modules():
        if isinstance(layer, LSTMLayer):
            layer.register_forward_hook(lambda _, read, output: seen.extend([read[0].dtype, output.dtype]))
    frames, num_frames = videos(padding=0.0)
    with torch.autocast("cpu", torch.bfloat16):
        embedding = encoder(frames.float(), num_frames)
    assert torch.isfinite(embedding).all()
    return seen


@every_case
def test_under_autocast_layers_hand_on_bfloat16(case: str) -> None:
    with torch.no_grad():
        seen = types_seen(encoder_of(case).float())
    assert seen.count(torch.float32) == (2 if "bilstm" in case else 1)
    assert set(seen[1::2]) == {torch.bfloat16}


@every_case
def test_where_a_gradient_is_wanted_on_the_cpu_layers_stay_in_float32(case: str) -> None:
    assert set(types_seen(encoder_of(case).float())) == {torch.float32}


@every_case
def test_padding_that_all_videos_share_is_not_computed(case: str) -> None:
    encoder = encoder_of(case)
    lengths: list[int] = []
    for layer in encoder.modules():
        if isinstance(layer, LSTMLayer):
            layer.register_forward_hook(lambda _, read, output: lengths.append(read[0].shape[1]))
    frames, num_frames = videos()
    short = num_frames.clamp(max=2)
    padded = encoder(frames, short)
    assert set(lengths) == {2}
    assert torch.equal(padded, encoder(frames[:, :2], short))
    encoder(frames, torch.zeros_like(num_frames))
    assert lengths[-1] == 1

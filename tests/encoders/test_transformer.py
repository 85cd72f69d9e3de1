"""The Transformer encoder against itself written out for one video, head and frame at a time, in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from encoders import build_encoder, count_parameters
from encoders.layers.transformer_block import SelfAttention, TransformerBlock, sinusoids
from tests.encoders.examples import inputs_for, small_encoder

LENGTHS = torch.tensor([8, 1, 3, 7, 2])


@torch.no_grad()
def by_head(attention: SelfAttention, x: Tensor) -> Tensor:
    """Attention over all frames of one video (T, width)."""
    frames, width = x.shape
    size = width // attention.heads
    query, key, value = (x @ attention.to_heads.weight.t()).split(width, dim=1)
    found = torch.zeros(frames, width, dtype=x.dtype)
    for head in range(attention.heads):
        part = slice(head * size, (head + 1) * size)
        for t in range(frames):
            scores = [float(query[t, part] @ key[s, part]) / math.sqrt(size) for s in range(frames)]
            highest = max(scores)
            shares = [math.exp(score - highest) for score in scores]
            for s in range(frames):
                found[t, part] += shares[s] / sum(shares) * value[s, part]
    return found @ attention.from_heads.weight.t() + attention.from_heads.bias


def normed(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    centred = x - x.mean(1, keepdim=True)
    deviation = (centred.square().mean(1, keepdim=True) + norm.eps).sqrt()
    return centred / deviation * norm.weight + norm.bias


def written_out(block: TransformerBlock, x: Tensor) -> Tensor:
    """A block for one video (T, width)."""
    x = x + by_head(block.attention, normed(block.attention_norm, x))
    up, _, down = block.feed_forward
    inner = normed(block.feed_forward_norm, x) @ up.weight.t() + up.bias
    inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
    return x + inner @ down.weight.t() + down.bias


def position(t: int, width: int) -> list[float]:
    frequencies = [10_000 ** (-i / (width // 2)) for i in range(width // 2)]
    return [math.sin(t * f) for f in frequencies] + [math.cos(t * f) for f in frequencies]


@pytest.mark.parametrize("positions", ["sinusoidal", "none"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_the_encoder_equals_itself_written_out(pooling: str, positions: str) -> None:
    encoder = small_encoder("transformer", pooling=pooling, positions=positions, feed_forward=2).double()
    with torch.no_grad():
        for parameter in encoder.parameters():  # also the biases and norms, which start at 0 and 1
            parameter.add_(0.1 * torch.randn_like(parameter))
    frames = torch.randn(5, 8, 16, dtype=torch.float64)
    embedding = encoder(frames, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        linear, norm = encoder.start
        x = normed(norm, frames[row, :length] @ linear.weight.t() + linear.bias)
        if positions == "sinusoidal":
            # Positions are float32 in a float64 model too.
            x = x + torch.tensor([position(t, 24) for t in range(length)], dtype=torch.float64)
        for block in encoder.blocks:
            x = written_out(block, x)
        x = normed(encoder.norm, x)
        pooled = {
            "last": lambda s: s[-1],
            "mean": lambda s: s.mean(0),
            "max": lambda s: s.max(0).values,
            "attention": lambda s: attention_pooled(s, encoder.attention.weight[0]),
        }[pooling](x)
        expected = pooled @ encoder.projection.weight.t() + encoder.projection.bias
        exact = positions == "none"
        torch.testing.assert_close(
            embedding[row], expected, rtol=1e-10 if exact else 1e-6, atol=1e-10 if exact else 1e-6
        )


def attention_pooled(states: Tensor, weight: Tensor) -> Tensor:
    shares = torch.softmax(torch.tanh(states) @ weight, dim=0)
    return torch.tanh(shares @ states)


@pytest.mark.parametrize("width", [2, 24, 512])
def test_positions_are_sines_and_cosines_for_any_number_of_frames(width: int) -> None:
    rows = sinusoids(400, width, torch.device("cpu"))
    assert rows.dtype == torch.float32
    for t in (0, 1, 7, 359, 399):
        torch.testing.assert_close(rows[t], torch.tensor(position(t, width)), rtol=0, atol=1e-4)
    assert torch.equal(sinusoids(9, width, torch.device("cpu")), rows[:9])
    assert sinusoids(0, width, torch.device("cpu")).shape == (0, width)
    assert torch.cdist(rows, rows).fill_diagonal_(1).min() > 1e-4, "no two positions are the same"


def test_only_positions_tell_one_order_of_the_frames_from_another() -> None:
    frames, num_frames = torch.randn(2, 6, 16), torch.tensor([6, 6])
    turned = frames.flip(1)
    without = small_encoder("transformer", positions="none")
    torch.testing.assert_close(without(turned, num_frames), without(frames, num_frames), atol=1e-5, rtol=1e-5)
    placed = small_encoder("transformer")
    assert (placed(turned, num_frames) - placed(frames, num_frames)).abs().max() > 0.01


def test_what_is_in_the_padding_never_gets_into_a_gradient() -> None:
    encoder = small_encoder("transformer").train()
    frames, num_frames = torch.randn(3, 5, 16), torch.tensor([5, 0, 2])
    frames[1], frames[2, 2:] = math.nan, math.inf
    frames.requires_grad_()
    encoder(frames, num_frames).square().sum().backward()
    assert not frames.grad[1].any()
    assert not frames.grad[2, 2:].any()
    assert frames.grad[0].abs().sum(1).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in encoder.parameters())


def test_dropout_is_for_training_alone() -> None:
    encoder = small_encoder("transformer", dropout=0.5)
    inputs = inputs_for(encoder, 4)
    expected = encoder(*inputs)
    assert torch.equal(encoder(*inputs), expected)
    encoder.train()
    assert not torch.equal(encoder(*inputs), encoder(*inputs))
    dropped = small_encoder("transformer", embedding_dropout=0.5).train()(*inputs)
    assert 0.2 < (dropped == 0).float().mean() < 0.8


def test_the_natural_size_is_the_width_and_needs_no_projection() -> None:
    encoder = build_encoder("transformer", {"input_dim": 16, "width": 24, "heads": 3})
    assert encoder.dim == encoder.config.dim == 24
    assert count_parameters(encoder.projection) == 0
    with torch.device("meta"):
        default = build_encoder("transformer", {})
    attention, feed_forward = 4 * 512**2 + 512, 2 * 4 * 512**2 + 5 * 512
    start, norms = 1152 * 512 + 3 * 512, (2 * 2 + 1) * 2 * 512
    assert count_parameters(default) == start + 2 * (attention + feed_forward) + norms


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 30, "heads": 8}, "width must be even and a multiple of heads = 8, not 30"),
        ({"width": 27, "heads": 3}, "width must be even"),
        ({"layers": 0}, "layers must be positive"),
        ({"heads": 0}, "heads must be positive"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\)"),
        ({"pooling": "median"}, "pooling must be one of 'last', 'mean', 'max', 'attention'"),
        ({"positions": "learned"}, "positions must be one of 'sinusoidal', 'none'"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_encoder("transformer", options)

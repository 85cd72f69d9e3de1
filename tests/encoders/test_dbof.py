"""DBoF against a loop over videos and frames, and the sampling of frames."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from encoders import build_encoder, count_parameters, dbof
from encoders.dbof import DBoFEncoder
from encoders.layers import pooling
from encoders.layers.norm import BatchNorm
from encoders.layers.pooling import self_weighted_mean
from tests.encoders.examples import inputs_for, small_encoder

LENGTHS = torch.tensor([8, 1, 3, 7, 2])


def frames_like(lengths: Tensor, longest: int = 8, width: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(len(lengths), longest, width, dtype=torch.float64, generator=generator)


def shaken(encoder: DBoFEncoder) -> DBoFEncoder:
    """In double precision, with norms that have seen something and learned something."""
    encoder = encoder.double()
    for module in encoder.modules():
        if isinstance(module, BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            for parameter in module.parameters():
                torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return encoder


def normed(norm: BatchNorm, x: Tensor) -> Tensor:
    x = (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight
    return x if norm.bias is None else x + norm.bias


def one_video(encoder: DBoFEncoder, frames: Tensor, pool: str) -> Tensor:
    """models.md section 5, frame by frame: (T, input_dim) without padding -> (hidden_size,)."""
    rows = []
    for frame in frames:
        clusters = encoder.clusters.weight @ normed(encoder.input_norm.norm, frame)
        rows.append(normed(encoder.cluster_norm.norm, clusters).clamp(0, 6))
    states = torch.stack(rows)
    if pool == "attention":
        shares = torch.softmax(torch.tanh(states) @ encoder.pool.weight[0], dim=0)
        pooled = torch.tanh((shares[:, None] * states).sum(0))
    elif pool == "swap":
        pooled = states.square().sum(0) / states.sum(0).clamp_min(1e-300)
    else:
        pooled = states.amax(0) if pool == "max" else states.mean(0)
    return normed(encoder.hidden_norm, encoder.hidden.weight @ pooled).clamp(0, 6)


@pytest.mark.parametrize("pool", ["max", "mean", "swap", "attention"])
def test_evaluation_equals_a_loop_over_the_valid_frames(pool: str) -> None:
    encoder = shaken(small_encoder("dbof", dim=0, pooling=pool))
    frames = frames_like(LENGTHS)
    embedding = encoder(frames, LENGTHS)
    assert embedding.shape == (5, 24)
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(embedding[row], one_video(encoder, frames[row, :length], pool))


@pytest.mark.parametrize("pool", ["max", "mean", "swap", "attention"])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_padding_changes_neither_training_nor_its_gradients(pool: str, batch_norm: bool) -> None:
    frames, results = frames_like(LENGTHS), []
    frames[torch.arange(8) >= LENGTHS[:, None]] = 0
    longer = torch.cat([frames, torch.full((5, 4, 16), 50.0, dtype=torch.float64)], dim=1)
    for x in (frames, longer):
        encoder = small_encoder("dbof", sample_frames=0, pooling=pool, batch_norm=batch_norm).double()
        embedding = encoder.train()(x, LENGTHS)
        gradients = torch.autograd.grad(embedding.square().sum(), list(encoder.parameters()))
        results.append((embedding, *gradients, *encoder.buffers()))
    for short, long in zip(*results, strict=True):
        torch.testing.assert_close(long, short, rtol=1e-9, atol=1e-12)


def test_training_norms_by_the_batch_and_pools_the_drawn_frames() -> None:
    encoder = small_encoder("dbof", dim=0, sample_frames=3).double().train()
    frames = frames_like(LENGTHS)
    torch.manual_seed(7)
    embedding = encoder(frames, LENGTHS)
    torch.manual_seed(7)
    drawn, _ = dbof.random_frames(frames, LENGTHS, 3)
    rows = drawn.flatten(0, 1)

    def batch_normed(x: Tensor) -> Tensor:  # gamma 1, beta 0 at the start
        return (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-3).sqrt()

    clusters = batch_normed(batch_normed(rows) @ encoder.clusters.weight.T).clamp(0, 6)
    pooled = clusters.view(5, 3, -1).amax(1)
    torch.testing.assert_close(embedding, batch_normed(pooled @ encoder.hidden.weight.T).clamp(0, 6))


def test_training_draws_by_the_global_generator_alone() -> None:
    encoder = small_encoder("dbof", sample_frames=3).train()
    inputs = inputs_for(encoder, 6)
    state = torch.get_rng_state()
    first, other = encoder(*inputs), encoder(*inputs)
    torch.set_rng_state(state)
    assert torch.equal(encoder(*inputs), first)
    assert not torch.equal(other, first)


def test_evaluation_draws_nothing_and_moves_no_generator() -> None:
    encoder = small_encoder("dbof", sample_frames=3)
    inputs, state = inputs_for(encoder, 6), torch.get_rng_state()
    everything = small_encoder("dbof", sample_frames=0)(*inputs)
    assert torch.equal(encoder(*inputs), everything)
    assert torch.equal(torch.get_rng_state(), state)


def test_drawn_frames_are_valid_ones_and_all_equally_likely() -> None:
    lengths = torch.tensor([5, 2, 0])
    frames = torch.arange(7).double()[None, :, None].expand(3, 7, 2)
    torch.manual_seed(0)
    drawn, counts = dbof.random_frames(frames, lengths, 10_000)
    assert counts.tolist() == [10_000, 10_000, 0]
    for row, length in ((0, 5), (1, 2)):
        shares = torch.bincount(drawn[row, :, 0].long(), minlength=7) / 10_000
        assert shares[length:].sum() == 0
        assert (shares[:length] - 1 / length).abs().max() < 0.02


def test_a_draw_never_rounds_up_into_the_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    almost_one = 1 - 2**-24  # times 300 in float32 this is 300
    monkeypatch.setattr(torch, "rand", lambda *shape: torch.full(shape, almost_one))
    frames = torch.arange(360.0)[None, :, None]
    drawn, _ = dbof.random_frames(frames, torch.tensor([300]), 4)
    assert drawn.unique().tolist() == [299]


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, []), (1, [0]), (3, [0, 1, 2]), (4, [0, 1, 2, 3]), (8, [1, 3, 5, 7]), (10, [1, 3, 6, 8])],
)
@pytest.mark.parametrize("longest", [10, 17])
def test_even_frames_are_the_middles_of_equal_parts(length: int, expected: list[int], longest: int) -> None:
    frames = torch.arange(float(longest))[None, :, None]
    kept, counts = dbof.even_frames(frames, torch.tensor([length]), 4)
    assert kept[0, : counts[0], 0].tolist() == expected


def test_even_evaluation_looks_at_the_even_frames_only() -> None:
    encoder = small_encoder("dbof", sample_frames=2, evaluation_frames="even")
    frames = torch.randn(1, 8, 16)
    expected = encoder(frames[:, [2, 6]], torch.tensor([2]))
    torch.testing.assert_close(encoder(frames, torch.tensor([8])), expected)
    padded = torch.cat([frames, torch.full((1, 9, 16), 1e4)], dim=1)
    torch.testing.assert_close(encoder(padded, torch.tensor([8])), expected)


def test_chunks_of_videos_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = small_encoder("dbof").double()
    frames = frames_like(LENGTHS)
    expected = encoder(frames, LENGTHS)
    calls: list[int] = []
    monkeypatch.setattr(pooling, "BUDGET", 2 * 8 * 32)
    monkeypatch.setattr(
        encoder, "_pooled", lambda x, n, real=encoder._pooled: (calls.append(len(x)), real(x, n))[1]
    )
    torch.testing.assert_close(encoder(frames, LENGTHS), expected)
    assert calls == [2, 2, 1]


def test_self_weighted_mean_is_zero_where_there_is_nothing() -> None:
    states = torch.tensor([[[0.0, 1.0], [0.0, 3.0]], [[5.0, 5.0], [5.0, 5.0]]], requires_grad=True)
    pooled = self_weighted_mean(states, torch.tensor([2, 0]))
    assert pooled.tolist() == [[0.0, 2.5], [0.0, 0.0]]
    (gradient,) = torch.autograd.grad(pooled.sum(), states)
    assert torch.isfinite(gradient).all()
    assert not gradient[1].any()


@pytest.mark.parametrize("training", [False, True])
def test_videos_without_frames_give_one_finite_constant(training: bool) -> None:
    encoder = small_encoder("dbof").train(training)
    embedding = encoder(torch.randn(3, 4, 16), torch.tensor([0, 4, 0]))
    assert torch.isfinite(embedding).all()
    assert torch.equal(embedding[0], embedding[2])


def test_the_default_sizes_are_the_papers() -> None:
    with torch.device("meta"):
        encoder = build_encoder("dbof", {})
    assert encoder.dim == 1024
    norms = 1152 + 2 * 8192 + 2 * 1024  # gamma, and beta but for the input
    assert count_parameters(encoder) == 1152 * 8192 + 8192 * 1024 + norms
    assert pooling.maximum is encoder.pool


def test_without_norms_the_linear_layers_have_biases() -> None:
    encoder = small_encoder("dbof", dim=0, batch_norm=False)
    names = {name for name, _ in encoder.named_parameters()}
    assert names == {"clusters.weight", "clusters.bias", "hidden.weight", "hidden.bias"}


def test_wrong_options_are_refused() -> None:
    for wrong, message in (
        ({"sample_frames": -1}, "sample_frames must not be negative"),
        ({"sample_frames": 0, "evaluation_frames": "even"}, "'even' needs sample_frames"),
        ({"cluster_size": 0}, "cluster_size must be positive"),
        ({"dim": -3}, "dim must be positive"),
        ({"pooling": "last"}, "pooling must be one of 'max', 'mean', 'swap', 'attention'"),
    ):
        with pytest.raises(ValueError, match=message):
            build_encoder("dbof", wrong)

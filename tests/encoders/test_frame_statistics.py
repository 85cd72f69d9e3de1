"""Statistics over the frames against plain loops, and all that is left to the video-level encoder."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict

import pytest
import torch
from torch import Tensor

from encoders import (
    InputNormConfig,
    ModelConfig,
    build_encoder,
    build_model,
    encoder_level,
    list_encoders,
)
from encoders.frame_statistics import deviation, frame_statistics, statistics_width
from tests.encoders.examples import OPTIONS, inputs_for, small_encoder

ALL = ("mean", "std", "max", "min", "num_frames")
VIDEO_ENCODERS = [name for name in list_encoders() if encoder_level(name) == "video"]
LENGTHS = torch.tensor([8, 1, 3, 0, 2])
SLOW = {"mean": statistics.fmean, "std": statistics.pstdev, "max": max, "min": min}


def by_loops(frames: Tensor, names: tuple[str, ...]) -> list[float]:
    """The statistics of one video's valid frames (T, D)."""
    found: list[float] = []
    for name in names:
        if name == "num_frames":
            found.append(len(frames) / 300)
        else:
            columns = frames.t().tolist() if len(frames) else [[0.0]] * frames.shape[1]
            found += [SLOW[name](column) for column in columns]
    return found


@pytest.mark.parametrize("names", [ALL, ALL[::-1], *((name,) for name in ALL)], ids="-".join)
def test_statistics_equal_loops_over_the_valid_frames(names: tuple[str, ...]) -> None:
    frames = torch.randn(5, 8, 6, dtype=torch.float64)
    found = frame_statistics(frames, LENGTHS, names)
    assert found.shape == (5, statistics_width(6, names))
    for row, length in enumerate(LENGTHS.tolist()):
        expected = torch.tensor(by_loops(frames[row, :length], names), dtype=torch.float64)
        torch.testing.assert_close(found[row], expected, rtol=1e-12, atol=1e-12)


def test_a_deviation_of_zero_has_a_gradient_of_zero() -> None:
    frames = torch.ones(3, 4, 2, dtype=torch.float64, requires_grad=True)
    found = deviation(frames, torch.tensor([4, 1, 0]))
    found.sum().backward()
    assert not found.any()
    assert not frames.grad.any()


def test_the_deviation_s_gradient_is_right() -> None:
    frames = torch.randn(3, 5, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: deviation(x, torch.tensor([5, 2, 3])), frames)


def test_a_deviation_far_from_zero_is_still_right() -> None:
    frames = 1000 + torch.randn(2, 360, 3)
    expected = frames.double().std(1, correction=0)
    torch.testing.assert_close(
        deviation(frames, torch.tensor([360, 360])).double(), expected, rtol=1e-4, atol=0
    )


def test_the_mean_and_identity_with_a_logistic_head_are_frame_average_logistic() -> None:
    options = {"input_dim": 6, "statistics": ["mean"], "encoder": "identity"}
    norm = InputNormConfig(6, "none")
    model = build_model(ModelConfig("frame_statistics", 4, options, "logistic", input_norm=norm)).double()
    frames = torch.randn(5, 8, 6, dtype=torch.float64)
    logits = model((frames, LENGTHS.clamp_min(1)))
    for row, length in enumerate(LENGTHS.clamp_min(1).tolist()):
        expected = (
            sum(frames[row, t] for t in range(length)) / length @ model.head.weight.t() + model.head.bias
        )
        torch.testing.assert_close(logits[row], expected)
    assert model.parameter_counts()["encoder"] == 0


@pytest.mark.parametrize("inner", VIDEO_ENCODERS)
@pytest.mark.parametrize("standardize", [False, True])
def test_every_video_level_encoder_reads_the_statistics(inner: str, standardize: bool) -> None:
    dim = 3 * 16 + 1 if inner == "identity" else 16
    encoder = small_encoder(
        "frame_statistics",
        dim=dim,
        statistics=["mean", "std", "max", "num_frames"],
        standardize=standardize,
        encoder=inner,
        encoder_options=OPTIONS.get(inner, {}),
    ).train()
    frames, num_frames = inputs_for(encoder, 6)
    assert encoder.forward_training(frames, num_frames).embedding.shape == (6, dim)
    encoder.eval()
    expected = encoder.encoder(encoder.pooled(frames, num_frames))
    assert torch.equal(encoder(frames, num_frames), expected)
    assert encoder.config.encoder_options.keys() == asdict(encoder.encoder.config).keys() - {
        "input_dim",
        "dim",
    }
    values = json.loads(json.dumps(asdict(encoder.config)))
    assert build_encoder("frame_statistics", values).config == encoder.config


def test_standardised_statistics_have_mean_zero_and_deviation_one_in_training() -> None:
    encoder = small_encoder("frame_statistics", statistics=ALL, standardize=True).train()
    pooled = encoder.pooled(100 * torch.randn(64, 9, 16), torch.randint(1, 10, (64,)))
    torch.testing.assert_close(pooled.mean(0), torch.zeros(65), atol=1e-4, rtol=0)
    torch.testing.assert_close(pooled[:, :64].std(0), torch.ones(64), atol=0.05, rtol=0)
    assert encoder.norm.running_mean.abs().min() > 0


def test_without_a_size_it_is_the_video_level_encoder_s_own() -> None:
    assert build_encoder("frame_statistics", {}).dim == build_encoder("mlp", {}).dim
    options = {"input_dim": 6, "statistics": ["mean", "num_frames"], "encoder": "identity"}
    assert build_encoder("frame_statistics", options).dim == 7


def test_penalty_branch_and_warming_up_are_the_video_level_encoder_s() -> None:
    options = {**OPTIONS.get("residual_cnn", {}), "branch_gain": 0.0}
    encoder = small_encoder("frame_statistics", encoder="residual_cnn", encoder_options=options)
    inner, inputs = encoder.encoder, inputs_for(encoder, 3)
    assert encoder.penalty() == inner.penalty() > 0
    assert len(encoder.branch_parameters()) == len(inner.branch_parameters()) > 0
    expected = encoder(*inputs)
    encoder.set_warm(True)
    assert inner.warm
    assert torch.equal(encoder(*inputs), expected)
    with pytest.raises(ValueError, match="has no branch"):
        small_encoder("frame_statistics").set_warm(True)


def test_the_loss_and_the_decoder_of_an_autoencoder_are_not_lost() -> None:
    encoder = small_encoder(
        "frame_statistics", encoder="autoencoder", encoder_options=OPTIONS["autoencoder"], standardize=True
    )
    inputs = inputs_for(encoder, 4)
    output = encoder.forward_training(*inputs)
    expected = encoder.encoder.forward_training(encoder.pooled(*inputs))
    assert output.loss is not None
    assert torch.equal(output.loss, expected.loss)
    assert torch.equal(output.embedding, encoder(*inputs))
    only = {id(parameter) for parameter in encoder.training_only_parameters()}
    assert only == {id(parameter) for parameter in encoder.encoder.decode.parameters()}
    assert (encoder.side_dims, encoder.loss_weights) == ({}, {"embedding": 1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistics": []}, "statistics must be at least one, each once"),
        ({"statistics": ["mean", "mean"]}, "statistics must be at least one, each once"),
        ({"statistics": ["median"]}, "statistics must be "),
        ({"encoder": "lstm"}, "encoder 'lstm' of frame_statistics reads frame-level input"),
        ({"encoder": "nothing"}, "no encoder 'nothing'"),
        ({"encoder_options": {"dim": 3}}, "takes no dim: frame_statistics sets them"),
        ({"encoder_options": {"wings": 3}}, "encoder 'mlp' of frame_statistics has no option wings"),
        ({"encoder": "identity", "dim": 3}, "identity keeps all 2304 dimensions"),
        ({"norm_momentum": 1.0}, "norm_momentum must be in"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_encoder("frame_statistics", options)

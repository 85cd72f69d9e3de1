"""What holds for every registered frame-level encoder: padding is nothing, any number of frames is fine."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor

from encoders import Encoder, encoder_level, list_encoders
from tests.encoders.examples import inputs_for, small_encoder

FRAME_ENCODERS = [name for name in list_encoders() if encoder_level(name) == "frame"]
every_frame_encoder = pytest.mark.parametrize("name", FRAME_ENCODERS)


def with_padding(frames: Tensor, num_frames: Tensor, value: float) -> Tensor:
    """The same videos, `value` wherever nothing should look."""
    padding = torch.arange(frames.shape[1]) >= num_frames[:, None]
    return frames.masked_fill(padding[:, :, None], value)


@every_frame_encoder
@pytest.mark.parametrize("value", [0.0, 3e4, -math.inf, math.nan])
def test_padding_never_changes_a_result(name: str, value: float) -> None:
    encoder = small_encoder(name)
    frames, num_frames = inputs_for(encoder, 6)
    expected = encoder(frames, num_frames)
    longer = torch.cat([frames, torch.zeros(6, 4, 16)], dim=1)
    for padded in (with_padding(frames, num_frames, value), with_padding(longer, num_frames, value)):
        torch.testing.assert_close(encoder(padded, num_frames), expected, atol=1e-6, rtol=1e-6)


@every_frame_encoder
@pytest.mark.parametrize("frames", [7, 360])
def test_a_video_without_its_padding_gives_the_same(name: str, frames: int) -> None:
    encoder = small_encoder(name)
    videos, _ = inputs_for(encoder, 5, frames)
    lengths = [frames, 1, frames // 2, 3, frames - 1]
    together = encoder(videos, torch.tensor(lengths))
    assert torch.isfinite(together).all()
    for row, length in enumerate(lengths):
        alone = encoder(videos[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(alone[0], together[row], atol=1e-6, rtol=1e-6)


def trained_on(encoder: Encoder, frames: Tensor, num_frames: Tensor) -> dict[str, Tensor]:
    """Embedding, gradients and state of the encoder after one pass forth and back."""
    encoder.zero_grad(set_to_none=True)
    torch.manual_seed(3)
    embedding = encoder(frames, num_frames)
    torch.manual_seed(4)
    if embedding.requires_grad:
        (embedding * torch.randn(embedding.shape)).sum().backward()
    gradients = {
        f"d {key}": value.grad for key, value in encoder.named_parameters() if value.grad is not None
    }
    return {"embedding": embedding.detach(), **gradients, **encoder.state_dict()}


@every_frame_encoder
def test_padding_never_changes_a_training_step(name: str) -> None:
    encoder = small_encoder(name).train()
    frames, num_frames = inputs_for(encoder, 6)
    other = copy.deepcopy(encoder)
    expected = trained_on(encoder, with_padding(frames, num_frames, 0.0), num_frames)
    for key, value in trained_on(other, with_padding(frames, num_frames, 3e4), num_frames).items():
        torch.testing.assert_close(
            value, expected[key], atol=1e-5, rtol=1e-5, msg=lambda m, k=key: f"{k}: {m}"
        )


@every_frame_encoder
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("lengths", [[0, 3, 0], [0], [1], [1, 1]])
def test_videos_of_no_frame_or_one_are_finite_and_so_are_their_gradients(
    name: str, training: bool, lengths: list[int]
) -> None:
    encoder, num_frames = small_encoder(name).train(training), torch.tensor(lengths)
    frames, _ = inputs_for(encoder, len(lengths), frames=max(1, *lengths, 0))
    found = trained_on(encoder, with_padding(frames, num_frames, 50.0), num_frames)
    assert all(torch.isfinite(value).all() for value in found.values())


@every_frame_encoder
def test_all_videos_without_frames_have_the_same_embedding(name: str) -> None:
    encoder = small_encoder(name)
    frames, _ = inputs_for(encoder, 3)
    empty = encoder(frames, torch.tensor([0, 7, 0]))
    torch.testing.assert_close(empty[0], empty[2], atol=1e-6, rtol=1e-6)


@every_frame_encoder
@pytest.mark.parametrize("num_frames", [[1, 8], [-1, 2], [1, 2, 3], [1.0, 2.0]])
def test_a_wrong_number_of_frames_is_refused(name: str, num_frames: list[float]) -> None:
    encoder = small_encoder(name)
    with pytest.raises(ValueError, match="num_frames must be"):
        encoder(inputs_for(encoder, 2)[0], torch.tensor(num_frames))

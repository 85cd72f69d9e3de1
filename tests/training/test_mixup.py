"""Blended videos against a slow blend, one number at a time, and what follows from (seed, step) alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from compress.training.new_model import input_norm_config
from compress.training.objective import mixed
from encoders import InputNorm, InputNormConfig, ModelConfig, build_model, dequantize


def weights_and_partners(videos: int, alpha: float, seed: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng([seed, step, 0x6D6978])
    return random.beta(alpha, alpha, videos), random.permutation(videos)


def test_features_and_labels_are_blended_with_the_same_partner_and_weight() -> None:
    features, labels = torch.randn(7, 3), torch.rand(7, 4) < 0.4
    blended, targets = mixed(features, labels, 0.4, 1, 2)
    blend = blended.of_features(features)
    weights, partners = weights_and_partners(7, 0.4, 1, 2)
    for row, (w, other) in enumerate(zip(weights, partners, strict=True)):
        torch.testing.assert_close(
            blend[row], features[row] * w + features[other] * (1 - w), check_dtype=False
        )
        wanted = labels[row].float() * w + labels[other].float() * (1 - w)
        torch.testing.assert_close(targets[row], wanted, check_dtype=False)


@pytest.mark.parametrize("codes", [False, True])
def test_frames_are_blended_while_both_videos_last_and_then_go_on_alone(codes: bool) -> None:
    lengths = torch.tensor([3, 5, 1, 0, 4])
    frames = torch.randint(0, 256, (5, 5, 2), dtype=torch.uint8)
    frames = frames if codes else frames.float()
    read = dequantize(frames) if codes else frames
    blended, _ = mixed((frames, lengths), torch.zeros(5, 4, dtype=torch.bool), 1.0, 0, 3)
    blend, longest = blended.of_frames(read, lengths)
    weights, partners = weights_and_partners(5, 1.0, 0, 3)
    for row, (w, other) in enumerate(zip(weights, partners, strict=True)):
        mine, its = int(lengths[row]), int(lengths[other])
        assert longest[row] == max(mine, its)
        for place in range(max(mine, its)):
            share = 1.0 if place >= its else 0.0 if place >= mine else w
            wanted = read[row, place] * share + read[other, place] * (1 - share)
            torch.testing.assert_close(blend[row, place], wanted, check_dtype=False)


def test_what_lies_behind_the_end_of_a_video_never_gets_into_a_blend() -> None:
    lengths, labels = torch.tensor([3, 5, 1, 2]), torch.zeros(4, 2, dtype=torch.bool)
    frames = torch.randn(4, 5, 3)
    behind = torch.arange(5) >= lengths[:, None]
    noisy = torch.where(behind[:, :, None], 1e6, frames)
    norm = InputNorm(InputNormConfig(3, "l2"))
    blended = mixed((frames, lengths), labels, 1.0, 0, 0)[0]
    blends = [blended.of_frames(norm(each, lengths), lengths)[0] for each in (frames, noisy)]
    assert torch.equal(*blends)


def test_the_same_seed_and_step_blend_the_same_way_and_others_do_not() -> None:
    features, labels = torch.randn(16, 3), torch.rand(16, 4) < 0.4

    def blend(seed: int, step: int) -> torch.Tensor:
        return mixed(features, labels, 0.4, seed, step)[0].of_features(features)

    first = blend(0, 5)
    torch.manual_seed(99)
    assert torch.equal(blend(0, 5), first)
    assert not torch.equal(blend(0, 6), first)
    assert not torch.equal(blend(1, 5), first)


@pytest.mark.parametrize("videos", [0, 1])
def test_a_batch_without_partners_stays_as_it_is(videos: int) -> None:
    features, labels = torch.randn(videos, 3), torch.ones(videos, 4, dtype=torch.bool)
    blended, targets = mixed(features, labels, 0.4, 0, 0)
    torch.testing.assert_close(blended.of_features(features), features)
    torch.testing.assert_close(targets, labels.float())


def test_targets_stay_between_zero_and_one_however_small_alpha_is() -> None:
    targets = mixed(torch.randn(64, 3), torch.rand(64, 9) < 0.5, 1e-6, 0, 0)[1]
    assert targets.dtype == torch.float32
    assert ((targets >= 0) & (targets <= 1)).all()


@pytest.mark.parametrize("mode", ["l2", "l2_scaled", "l2_standardize", "none"])
def test_a_model_blends_what_its_input_norm_gives_so_that_blends_are_shorter_than_videos(mode: str) -> None:
    torch.manual_seed(0)
    model = build_model(
        ModelConfig("identity", 4, {"input_dim": 8}, "logistic", {}, input_norm_config(mode, 8))
    )
    features, labels = 3 * torch.randn(6, 8), torch.rand(6, 4) < 0.4
    blended, targets = mixed(features, labels, 0.4, 0, 0)
    norm = model.input_norm(features)
    by_hand = norm * blended.weight + norm[blended.partner] * (1 - blended.weight)
    torch.testing.assert_close(model.embed(blended), by_hand)
    assert model.head is not None
    torch.testing.assert_close(model.loss(blended, targets), model.head.loss(by_hand, targets))


def test_a_model_that_reads_frames_blends_them_after_its_input_norm_too() -> None:
    torch.manual_seed(0)
    options = {"input_dim": 6, "dim": 4, "sizes": [4]}
    model = build_model(ModelConfig("lstm", 3, options, "logistic", {}, input_norm_config("l2", 6))).eval()
    frames, lengths = torch.randn(4, 5, 6), torch.tensor([5, 2, 3, 1])
    blended, _ = mixed((frames, lengths), torch.zeros(4, 3, dtype=torch.bool), 1.0, 0, 0)
    wanted = model.encoder(*blended.of_frames(model.input_norm(frames, lengths), lengths))
    torch.testing.assert_close(model.embed(blended), wanted)

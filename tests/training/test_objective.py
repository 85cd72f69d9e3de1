"""Targets from labels and teachers, blends of videos, and the criterion, against slow formulas."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.errors import Interrupted, UsageError
from compress.progress import clear_interrupt
from compress.training import TrainConfig, train
from compress.training.new_model import input_norm_config
from compress.training.objective import criterion_of, mixed, smoothed, targets_of, taught
from compress.training.recipes import train_config
from encoders import (
    Asymmetric,
    ClassWeighted,
    Criterion,
    InputNorm,
    InputNormConfig,
    ModelConfig,
    build_model,
    cross_entropy,
    dequantize,
)
from tests.training.examples import LINEAR, LSTM, contents, interrupt_after, tables, video_table

CHANGES = {
    "mixup": {"mixup": 0.4},
    "smoothing": {"label_smoothing": 0.1},
    "both": {"mixup": 0.4, "label_smoothing": 0.1},
    "asymmetric": {"class_loss": "asymmetric", "gamma_positive": 1.0, "gamma_negative": 2.0},
    "class_balanced": {"class_loss": "class_balanced", "class_balance": 0.9},
}


every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


def test_a_recipe_that_wants_nothing_leaves_inputs_and_labels_as_they_are() -> None:
    features, labels = torch.randn(4, 3), torch.rand(4, 12) < 0.3
    inputs, targets = targets_of(LINEAR, video_table(), "cpu")(0, features, labels)
    assert inputs is features
    assert targets is labels
    assert criterion_of(LINEAR, video_table(), "cpu") is cross_entropy


def test_smoothed_labels_keep_the_class_frequencies() -> None:
    table = video_table()
    labels = torch.from_numpy(table.labels.multi_hot())
    config = replace(LINEAR, label_smoothing=0.3)
    _, targets = targets_of(config, table, "cpu")(0, torch.zeros(len(table), 16), labels)
    torch.testing.assert_close(targets.mean(0), labels.float().mean(0))
    torch.testing.assert_close(targets, 0.7 * labels + 0.3 * labels.float().mean(0))


def test_smoothing_takes_soft_targets_too() -> None:
    targets = smoothed(torch.tensor([[0.5, 1.0]]), torch.tensor([0.1, 0.2]), 0.5)
    torch.testing.assert_close(targets, torch.tensor([[0.3, 0.6]]))


def test_the_criterion_is_the_one_that_the_recipe_names() -> None:
    table = video_table()
    asymmetric = replace(LINEAR, class_loss="asymmetric", gamma_negative=2.0, margin=0.1)
    assert criterion_of(asymmetric, table, "cpu") == Asymmetric(0.0, 2.0, 0.1)
    balanced = criterion_of(replace(LINEAR, class_loss="class_balanced"), table, "cpu")
    assert isinstance(balanced, ClassWeighted)
    counts = table.labels.class_counts()
    assert balanced.weights[counts.argmax()] < balanced.weights[counts.argmin()]


@every_change
@pytest.mark.parametrize("config", [LINEAR, LSTM], ids=lambda config: config.encoder)
def test_a_training_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, config: TrainConfig, change: dict
) -> None:
    config = replace(config, **change)
    train(config, *tables(config), tmp_path / "whole")
    for steps in (2, 3):
        with pytest.raises(Interrupted):
            train(config, *tables(config), tmp_path / "stopped", report=interrupt_after(steps))
        clear_interrupt()
    train(config, *tables(config), tmp_path / "stopped")
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@every_change
def test_a_run_with_another_recipe_is_not_continued(tmp_path: Path, change: dict) -> None:
    config = replace(LINEAR, epochs=1)
    train(config, *tables(config), tmp_path / "run")
    with pytest.raises(UsageError, match=f"holds a run with other settings .*{next(iter(change))}"):
        train(replace(config, **change), *tables(config), tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mixup": -0.1}, "mixup must be a number, at least 0"),
        ({"mixup": "0.2"}, "mixup must be a number"),
        ({"label_smoothing": 1.0}, "label_smoothing must be a number, at least 0, below 1"),
        ({"class_loss": "focal"}, "class_loss must be one of cross_entropy, asymmetric, class_balanced"),
        ({"gamma_negative": 0.5}, "gamma_negative must be 0 or at least 1"),
        ({"margin": 1.0}, "margin must be a number, at least 0, below 1"),
        ({"class_balance": 1}, "class_balance must be a number, at least 0, below 1"),
    ],
)
def test_values_out_of_range_are_refused(change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(LINEAR, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma_negative": 2.0}, "gamma_negative needs class_loss=asymmetric, and class_loss is cross_entr"),
        ({"margin": 0.1, "class_loss": "class_balanced"}, "margin needs class_loss=asymmetric"),
        ({"class_balance": 0.9}, "class_balance needs class_loss=class_balanced"),
        ({"temperature": 2.0}, "temperature needs teachers, and there are none.*--teacher"),
        ({"distill_weight": 0.9}, "distill_weight needs teachers"),
        ({"teacher_scores": "kept"}, "teacher_scores needs teachers"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train_config("linear", 8, "best", change)


@pytest.mark.parametrize(
    "change",
    [
        {"class_loss": "asymmetric", "gamma_negative": 2.0, "margin": 0.1},
        {"class_balance": 0.9, "class_loss": "class_balanced"},
        {"teachers": ["one"], "temperature": 2.0, "unlabelled_ratio": 2.0},
    ],
)
def test_with_what_it_is_of_it_is_taken(change: dict) -> None:
    config = train_config("linear", 8, "best", change)
    assert all(getattr(config, name) == value for name, value in change.items() if name != "teachers")


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


VIDEOS, CLASSES = 5, 7


def entropy(logit: float, target: float) -> float:
    p = 1 / (1 + math.exp(-logit))
    return -target * math.log(p) - (1 - target) * math.log(1 - p)


def slow(
    logits: torch.Tensor,
    labels: torch.Tensor | None,
    teacher_logits: torch.Tensor,
    criterion: Criterion,
    weight: float,
    temperature: float,
) -> float:
    weight = 1.0 if labels is None else weight
    hard = 0.0 if labels is None else float(criterion(logits.detach(), labels))
    soft = sum(
        entropy(z / temperature, 1 / (1 + math.exp(-t / temperature)))
        for z, t in zip(logits.flatten().tolist(), teacher_logits.flatten().tolist(), strict=True)
    )
    return (1 - weight) * hard + weight * temperature**2 * soft


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(VIDEOS, CLASSES, generator=random, dtype=torch.float64)
    teacher_logits = (3 * torch.randn(VIDEOS, CLASSES, generator=random)).half()
    return logits.requires_grad_(), torch.rand(VIDEOS, CLASSES, generator=random) < 0.3, teacher_logits


@pytest.mark.parametrize("weight", [0.25, 1.0])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("criterion", [cross_entropy, Asymmetric()], ids=["cross_entropy", "asymmetric"])
@pytest.mark.parametrize("kind", ["labels", "soft labels", "no labels"])
def test_it_is_the_formula(weight: float, temperature: float, criterion: Criterion, kind: str) -> None:
    logits, labels, teacher_logits = example()
    given = {"labels": labels, "soft labels": 0.1 + 0.8 * labels.float(), "no labels": None}[kind]
    targets, measure = taught(given, teacher_logits, criterion, weight, temperature)
    expected = slow(logits, given, teacher_logits, criterion, weight, temperature)
    assert float(measure(logits.detach(), targets)) == pytest.approx(expected, rel=1e-6)


def test_where_both_are_cross_entropies_one_mean_target_does_for_both() -> None:
    _, labels, teacher_logits = example()
    targets, measure = taught(labels, teacher_logits, cross_entropy, 0.25, 1.0)
    assert measure is cross_entropy
    assert torch.allclose(targets, 0.75 * labels + 0.25 * torch.sigmoid(teacher_logits.float()))


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_who_says_what_the_teacher_says_has_nothing_to_learn_from_it(temperature: float) -> None:
    _, _, teacher_logits = example()
    logits = teacher_logits.double().requires_grad_()
    targets, measure = taught(None, teacher_logits, cross_entropy, 0.5, temperature)
    measure(logits, targets).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6


def test_a_high_temperature_matches_logits_whatever_it_is_exactly() -> None:
    gradients = []
    for temperature in (100.0, 200.0):
        logits, _, teacher_logits = example()
        targets, measure = taught(None, teacher_logits, cross_entropy, 1.0, temperature)
        measure(logits, targets).backward()
        gradients.append(logits.grad)
    expected = (logits - teacher_logits.double()).detach() / 4  # Hinton et al. 2015, section 2.1
    assert torch.allclose(gradients[0], expected, rtol=0.01, atol=0.01)
    assert torch.allclose(gradients[0], gradients[1], rtol=0.01, atol=0.01)

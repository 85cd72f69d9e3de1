"""Labels and teachers as one objective, beside the formula written out for each number."""

from __future__ import annotations

import math

import pytest
import torch

from compress.training.objective import taught
from encoders import Asymmetric, Criterion, cross_entropy

VIDEOS, CLASSES = 5, 7


def entropy(logit: float, target: float) -> float:
    p = 1 / (1 + math.exp(-logit))
    return -target * math.log(p) - (1 - target) * math.log(1 - p)


def slow(
    logits: torch.Tensor,
    labels: torch.Tensor | None,
    log_odds: torch.Tensor,
    criterion: Criterion,
    weight: float,
    temperature: float,
) -> float:
    weight = 1.0 if labels is None else weight
    hard = 0.0 if labels is None else float(criterion(logits.detach(), labels))
    soft = sum(
        entropy(z / temperature, 1 / (1 + math.exp(-t / temperature)))
        for z, t in zip(logits.flatten().tolist(), log_odds.flatten().tolist(), strict=True)
    )
    return (1 - weight) * hard + weight * temperature**2 * soft


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(VIDEOS, CLASSES, generator=random, dtype=torch.float64)
    log_odds = (3 * torch.randn(VIDEOS, CLASSES, generator=random)).half()
    return logits.requires_grad_(), torch.rand(VIDEOS, CLASSES, generator=random) < 0.3, log_odds


@pytest.mark.parametrize("weight", [0.25, 1.0])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("criterion", [cross_entropy, Asymmetric()], ids=["cross_entropy", "asymmetric"])
@pytest.mark.parametrize("kind", ["labels", "soft labels", "no labels"])
def test_it_is_the_formula(weight: float, temperature: float, criterion: Criterion, kind: str) -> None:
    logits, labels, log_odds = example()
    given = {"labels": labels, "soft labels": 0.1 + 0.8 * labels.float(), "no labels": None}[kind]
    targets, measure = taught(given, log_odds, criterion, weight, temperature)
    expected = slow(logits, given, log_odds, criterion, weight, temperature)
    assert float(measure(logits.detach(), targets)) == pytest.approx(expected, rel=1e-6)


def test_where_both_are_cross_entropies_one_mean_target_does_for_both() -> None:
    _, labels, log_odds = example()
    targets, measure = taught(labels, log_odds, cross_entropy, 0.25, 1.0)
    assert measure is cross_entropy
    assert torch.allclose(targets, 0.75 * labels + 0.25 * torch.sigmoid(log_odds.float()))


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_who_says_what_the_teacher_says_has_nothing_to_learn_from_it(temperature: float) -> None:
    _, _, log_odds = example()
    logits = log_odds.double().requires_grad_()
    targets, measure = taught(None, log_odds, cross_entropy, 0.5, temperature)
    measure(logits, targets).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6


def test_a_high_temperature_matches_log_odds_whatever_it_is_exactly() -> None:
    gradients = []
    for temperature in (100.0, 200.0):
        logits, _, log_odds = example()
        targets, measure = taught(None, log_odds, cross_entropy, 1.0, temperature)
        measure(logits, targets).backward()
        gradients.append(logits.grad)
    expected = (logits - log_odds.double()).detach() / 4  # Hinton et al. 2015, section 2.1
    assert torch.allclose(gradients[0], expected, rtol=0.01, atol=0.01)
    assert torch.allclose(gradients[0], gradients[1], rtol=0.01, atol=0.01)

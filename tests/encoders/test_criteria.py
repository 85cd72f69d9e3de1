"""What logits are measured by, against slow definitions."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from encoders.heads.criteria import (
    Asymmetric,
    ClassWeighted,
    Criterion,
    cross_entropy,
    effective_number_weights,
)

LOSSES = [
    cross_entropy,
    ClassWeighted(torch.arange(1.0, 8)),
    Asymmetric(),
    Asymmetric(1.0, 2.0, 0.0),
    Asymmetric(0.0, 0.0, 0.1),
]


def name(criterion: Criterion) -> str:
    """The same in every process: a function's repr holds its address."""
    return getattr(criterion, "__name__", None) or repr(criterion)


def example(size: float = 2.0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    logits = size * torch.randn(5, 7, dtype=torch.float64, generator=random)
    return logits.requires_grad_(), torch.rand(5, 7, generator=random) < 0.3


def slow_asymmetric(p: float, t: float, positive: float, negative: float, margin: float) -> float:
    q = max(p - margin, 0.0)
    return -t * (1 - p) ** positive * math.log(p) - (1 - t) * q**negative * math.log(1 - q)


@pytest.mark.parametrize("options", [(0, 4, 0.05), (1, 2, 0.0), (0, 0, 0.0), (2, 1, 0.2), (0, 0, 0.1)])
@pytest.mark.parametrize("soft", [False, True])
def test_the_asymmetric_loss_is_its_formula(options: tuple[float, float, float], soft: bool) -> None:
    logits, labels = example()
    targets = labels * 0.8 + 0.1 if soft else labels
    pairs = zip(torch.sigmoid(logits).flatten().tolist(), targets.double().flatten().tolist(), strict=True)
    slow = sum(slow_asymmetric(p, t, *options) for p, t in pairs)
    assert Asymmetric(*options)(logits, targets).item() == pytest.approx(slow, rel=1e-9)


def test_an_asymmetric_loss_without_asymmetry_is_the_cross_entropy() -> None:
    logits, labels = example()
    torch.testing.assert_close(Asymmetric(0, 0, 0)(logits, labels), cross_entropy(logits, labels))


@pytest.mark.parametrize("criterion", LOSSES, ids=name)
def test_a_soft_target_lies_between_both_answers(criterion) -> None:
    logits, _ = example()
    yes = torch.ones(5, 7)
    mean = 0.3 * criterion(logits, yes) + 0.7 * criterion(logits, 1 - yes)
    torch.testing.assert_close(criterion(logits, 0.3 * yes), mean, rtol=1e-6, atol=0)


@pytest.mark.parametrize("criterion", LOSSES, ids=name)
@pytest.mark.parametrize("size", [1.0, 100.0, 1e5])
def test_loss_and_gradient_are_finite_however_sure_a_model_is(criterion, size: float) -> None:
    logits, labels = example(size)
    logits = logits.detach().float().requires_grad_()
    loss = criterion(logits, labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("criterion", LOSSES, ids=name)
def test_an_empty_batch_has_no_loss(criterion) -> None:
    assert criterion(torch.zeros(0, 7), torch.zeros(0, 7, dtype=torch.bool)) == 0


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # dynamo does
@pytest.mark.parametrize("criterion", LOSSES[1:3], ids=name)
def test_a_criterion_can_be_compiled_in_one_piece(criterion) -> None:
    torch._dynamo.reset()
    logits, labels = example()
    found = torch.compile(criterion, backend="aot_eager", fullgraph=True)(logits, labels)
    torch.testing.assert_close(found, criterion(logits, labels))


def test_a_weighted_class_counts_as_often_as_its_weight_says() -> None:
    logits, labels = example()
    weights = torch.tensor([0.0, 1, 2, 0, 0, 0, 0.5])
    each = F.binary_cross_entropy_with_logits(logits, labels.double(), reduction="none").sum(0)
    torch.testing.assert_close(ClassWeighted(weights)(logits, labels), (weights * each).sum())


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999, 1 - 1e-9])
def test_weights_go_by_the_effective_number_and_leave_the_mean_label_at_one(beta: float) -> None:
    counts = torch.tensor([0, 1, 10, 100, 10_000])
    weights = effective_number_weights(counts, beta)
    seen = counts.clamp(min=1).double()
    assert ((weights * seen).sum() / seen.sum()).item() == pytest.approx(1, rel=1e-6)
    ratio = sum(beta**i for i in range(10)) / sum(beta**i for i in range(100))
    assert (weights[3] / weights[2]).item() == pytest.approx(ratio, rel=1e-4)
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Asymmetric(gamma_positive=0.5), "gamma_positive must be 0 or at least 1"),
        (lambda: Asymmetric(gamma_negative=-1), "gamma_negative must be 0 or at least 1"),
        (lambda: Asymmetric(margin=1.0), "margin must be in"),
        (lambda: effective_number_weights(torch.ones(3), 1.0), "beta must be in"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

"""What holds for every head, and the logistic one."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional as F

from encoders import Head, HeadConfig, build_head, list_heads
from encoders.heads.registry import register

every_head = pytest.mark.parametrize("name", list_heads())


@every_head
@pytest.mark.parametrize("batch", [0, 1, 40])
def test_shapes_precision_and_an_empty_batch(name: str, batch: int) -> None:
    head = build_head(name, 6, 9)
    embedding = torch.randn(batch, 6, requires_grad=True)
    logits, loss = head(embedding), head.loss(embedding, torch.zeros(batch, 9, dtype=torch.bool))
    assert logits.shape == (batch, 9)
    assert logits.dtype == torch.float32
    assert loss.shape == ()
    assert torch.isfinite(loss)
    assert batch > 0 or loss == 0
    loss.backward()


@every_head
def test_the_loss_is_cross_entropy_of_the_logits_summed_over_classes(name: str) -> None:
    head = build_head(name, 6, 9).double()
    embedding, labels = torch.randn(20, 6, dtype=torch.float64), torch.rand(20, 9) < 0.3
    entropy = F.binary_cross_entropy_with_logits(head(embedding), labels.double(), reduction="none")
    torch.testing.assert_close(head.loss(embedding, labels), entropy.sum(1).mean())


@every_head
def test_soft_targets_lie_between_the_losses_of_both_answers(name: str) -> None:
    head = build_head(name, 6, 9).double()
    embedding, yes = torch.randn(20, 6, dtype=torch.float64), torch.ones(20, 9, dtype=torch.bool)
    for share in (0.0, 0.3, 1.0):
        mean = share * head.loss(embedding, yes) + (1 - share) * head.loss(embedding, ~yes)
        torch.testing.assert_close(head.loss(embedding, yes * share), mean)


@every_head
@pytest.mark.parametrize("bfloat16", [False, True])
def test_labels_as_numbers_have_the_loss_and_the_gradients_of_labels(name: str, bfloat16: bool) -> None:
    torch.manual_seed(0)
    head = build_head(name, 6, 9)
    embedding, labels = torch.randn(20, 6, requires_grad=True), torch.rand(20, 9) < 0.3
    found = []
    for targets in (labels, labels.float()):
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = head.loss(embedding, targets)
        found.append((loss, *torch.autograd.grad(loss, (embedding, *head.parameters()))))
    for ours, soft in zip(*found, strict=True):
        assert (ours - soft).norm() <= (2e-2 if bfloat16 else 1e-5) * ours.norm()


@every_head
def test_another_criterion_is_given_logits_and_targets(name: str) -> None:
    head = build_head(name, 6, 9)
    embedding, labels = torch.randn(4, 6), torch.rand(4, 9) < 0.3
    loss = head.loss(embedding, labels, lambda logits, targets: (logits * targets).sum())
    torch.testing.assert_close(loss, (head(embedding) * labels).sum() / 4)


@every_head
def test_the_penalty_is_half_the_weighted_square_of_the_weights_alone(name: str) -> None:
    head = build_head(name, 6, 9, {"weight_penalty": 0.5})
    torch.nn.init.ones_(head.bias)
    torch.testing.assert_close(head.penalty(), 0.25 * head.weight.square().sum())
    assert build_head(name, 6, 9, {"weight_penalty": 0.0}).penalty() == 0


@every_head
def test_priors_are_reached_with_zero_weights(name: str) -> None:
    head = build_head(name, 6, 4)
    torch.nn.init.zeros_(head.weight)
    priors = torch.tensor([1e-5, 0.01, 0.2, 0.5])
    head.set_class_priors(priors)
    torch.testing.assert_close(
        torch.sigmoid(head(torch.randn(2, 6))), priors.expand(2, -1), rtol=1e-5, atol=0
    )


@every_head
def test_embeddings_in_bfloat16_are_taken_under_autocast(name: str) -> None:
    head = build_head(name, 6, 9)
    embedding = torch.randn(3, 6).bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = head.loss(embedding, torch.ones(3, 9, dtype=torch.bool))
        assert head(embedding).dtype == torch.float32
    loss.backward()
    assert embedding.grad is not None
    assert embedding.grad.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda head: head(torch.zeros(2, 5)), "takes"),
        (lambda head: head(torch.zeros(6)), "takes"),
        (lambda head: head.loss(torch.zeros(2, 6), torch.zeros(2, 8)), "targets must be"),
        (lambda head: head.loss(torch.zeros(2, 6), torch.zeros(3, 9)), "targets must be"),
        (lambda head: head.loss(torch.zeros(2, 6), torch.zeros(2, 9).long()), "bool or floating point"),
        (lambda head: head.set_class_priors(torch.zeros(8)), "one per class"),
        (lambda head: head.set_class_priors(torch.full((9,), 1.5)), "probabilities"),
        (lambda head: head.set_class_priors(torch.full((9,), float("nan"))), "probabilities"),
    ],
)
@every_head
def test_wrong_use_is_refused(name: str, action: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action(build_head(name, 6, 9))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mo", {}, "there are logistic, moe; did you mean moe"),
        (
            "moe",
            {"mixtures": 2},
            "no option mixtures; options are dim, num_classes, weight_penalty, num_mixtures",
        ),
        ("moe", {"num_mixtures": 0}, "num_mixtures must be positive"),
        ("logistic", {"weight_penalty": -1.0}, "must not be negative"),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_head(name, 6, 9, options)


def test_a_second_head_of_the_same_name_is_refused() -> None:
    with pytest.raises(ValueError, match="head 'moe' is registered twice"):
        register("moe", HeadConfig)(Head)


def test_head_configs_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        build_head("moe", 6, 9).config.dim = 3  # type: ignore[misc]

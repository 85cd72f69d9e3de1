"""The MoE head against its definition, naive autograd, and what is known about it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from encoders import MoE, MoEConfig, build_head, count_parameters
from encoders.heads import moe_logits, moe_loss
from encoders.heads.head import Head


def naive(embedding: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """(loss, probabilities) as the papers define them; any number of mixtures."""
    k = len(bias)
    activations = torch.einsum("bd,kcd->bkc", embedding, weight)
    gates = torch.softmax(activations[:, : k + 1], dim=1)
    experts = torch.sigmoid(activations[:, k + 1 :] + bias)
    p = (gates[:, :k] * experts).sum(1)
    entropy = -torch.where(labels, torch.log(p), torch.log(1 - p))
    return entropy.sum() / max(len(labels), 1), p


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 16 videos, as with thousands of classes."""
    monkeypatch.setattr(moe_loss, "_BLOCK_LOGITS", 0)


def example(k: int, batch: int = 40, dim: int = 6, classes: int = 11) -> tuple[MoE, Tensor, Tensor]:
    torch.manual_seed(k)
    head = MoE(MoEConfig(dim, classes, num_mixtures=k)).double()
    with torch.no_grad():
        head.weight.mul_(3)
        head.bias.normal_()
    embedding = torch.randn(batch, dim, dtype=torch.float64, requires_grad=True)
    return head, embedding, torch.rand(batch, classes) < 0.3


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_loss_and_gradients_equal_autograd_on_the_definition(k: int) -> None:
    head, embedding, labels = example(k)
    inputs = (embedding, head.weight, head.bias)
    wanted_loss, p = naive(*inputs, labels)
    wanted = torch.autograd.grad(1.7 * wanted_loss, inputs)
    loss = head.loss(embedding, labels)
    got = torch.autograd.grad(1.7 * loss, inputs)
    torch.testing.assert_close(loss, wanted_loss, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.sigmoid(head(embedding)), p, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(Head.loss(head, embedding, labels), wanted_loss, rtol=1e-12, atol=1e-12)
    for ours, theirs in zip(got, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_gradient_passes_gradcheck(k: int) -> None:
    head, embedding, labels = example(k, batch=3, dim=4, classes=5)

    def loss(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return torch.func.functional_call(Loss(head), {"head.weight": w, "head.bias": b}, (x, labels))

    assert torch.autograd.gradcheck(loss, (embedding, head.weight, head.bias))


@pytest.mark.parametrize("soft", [False, True])
def test_blocks_do_not_change_a_bit_of_the_gradients(soft: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    head, embedding = MoE(MoEConfig(6, 11)), torch.randn(40, 6, requires_grad=True)
    targets = torch.rand(40, 11) if soft else torch.rand(40, 11) < 0.3

    def gradients() -> tuple[Tensor, ...]:
        return torch.autograd.grad(head.loss(embedding, targets), (embedding, *head.parameters()))

    at_once = gradients()
    monkeypatch.setattr(moe_loss, "_BLOCK_LOGITS", 0)
    for ours, theirs in zip(gradients(), at_once, strict=True):
        assert torch.equal(ours, theirs)


class Loss(torch.nn.Module):
    def __init__(self, head: MoE) -> None:
        super().__init__()
        self.head = head

    def forward(self, embedding: Tensor, labels: Tensor) -> Tensor:
        return self.head.loss(embedding, labels)


@pytest.mark.parametrize("positives", ["none", "all"])
def test_batches_without_positives_or_without_negatives(positives: str) -> None:
    head, embedding, labels = example(2)
    labels = torch.full_like(labels, positives == "all")
    torch.testing.assert_close(
        head.loss(embedding, labels),
        naive(embedding, head.weight, head.bias, labels)[0],
        rtol=1e-12,
        atol=1e-12,
    )


def test_zero_weights_give_one_third() -> None:
    head = build_head("moe", 8, 3862)
    torch.nn.init.zeros_(head.weight)
    embedding = torch.randn(4, 8)
    torch.testing.assert_close(torch.sigmoid(head(embedding)), torch.full((4, 3862), 1 / 3))
    loss = head.loss(embedding, torch.zeros(4, 3862, dtype=torch.bool))
    assert loss.item() == pytest.approx(3862 * torch.log(torch.tensor(1.5)).item(), rel=1e-5)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_class_priors_are_exact_with_zero_weights(k: int) -> None:
    head = MoE(MoEConfig(8, 50, num_mixtures=k)).double()
    torch.nn.init.zeros_(head.weight)
    priors = torch.logspace(-6, -0.31, 50, dtype=torch.float64)
    head.set_class_priors(priors)
    p = torch.sigmoid(head(torch.randn(3, 8, dtype=torch.float64)))
    torch.testing.assert_close(p, priors.expand(3, -1), rtol=1e-12, atol=0)


def test_impossible_priors_stay_finite() -> None:
    head = build_head("moe", 8, 3)
    head.set_class_priors(torch.tensor([0.0, 1.0, 0.9]))  # the dummy keeps a third: 0.9 cannot be reached
    assert torch.isfinite(head.bias).all()


@pytest.mark.parametrize(
    ("dim", "classes", "k", "count"),
    [(320, 3862, 2, 5 * 3862 * 320 + 2 * 3862), (1152, 3862, 2, 5 * 3862 * 1152 + 2 * 3862), (4, 10, 1, 130)],
)
def test_parameter_counts(dim: int, classes: int, k: int, count: int) -> None:
    with torch.device("meta"):
        assert count_parameters(MoE(MoEConfig(dim, classes, num_mixtures=k))) == count


def test_gates_and_experts_start_xavier_uniform_as_the_two_layers_they_are() -> None:
    head = build_head("moe", 40, 100)
    for weight, outputs in ((head.weight[:3], 300), (head.weight[3:], 200)):
        bound = (6 / (40 + outputs)) ** 0.5
        assert 0.99 * bound < weight.abs().max() <= bound
    assert not head.bias.any()


@pytest.mark.parametrize("size", [60.0, 1e4])
def test_huge_activations_stay_finite_and_still_learn(size: float) -> None:
    head = MoE(MoEConfig(1, 32))
    signs = torch.cartesian_prod(*[torch.tensor([-size, size])] * 5)  # every corner of gates and experts
    with torch.no_grad():
        head.weight.copy_(signs.t()[:, :, None])
    labels = torch.arange(64).view(2, 32) % 2 == 0
    loss = head.loss(torch.ones(2, 1, requires_grad=True), labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(head.weight.grad).all()
    logits = moe_logits(signs.double().view(1, 32, 5).transpose(1, 2))
    confident_and_wrong = (logits[0] > size / 2) & ~labels[1]
    assert (head.weight.grad[:, confident_and_wrong].abs().sum(0) > 0.1).all()
    torch.testing.assert_close(head(torch.ones(1, 1)), logits.float(), rtol=1e-5, atol=1e-7 * size)


def test_float32_is_exact_where_probabilities_would_cancel() -> None:
    planes = torch.tensor([[[0.3], [-0.2], [0.1], [-25.0], [-30.0]]])
    exact = moe_logits(planes.double())
    torch.testing.assert_close(moe_logits(planes).double(), exact, rtol=1e-6, atol=0)


@pytest.mark.usefixtures("small_blocks")
def test_evaluation_in_blocks_equals_evaluation_at_once() -> None:
    head, embedding, _ = example(2, batch=50)
    with torch.no_grad():
        torch.testing.assert_close(
            head(embedding), moe_logits_at_once(head, embedding), rtol=1e-12, atol=1e-12
        )


def moe_logits_at_once(head: MoE, embedding: Tensor) -> Tensor:
    p = naive(
        embedding, head.weight, head.bias, torch.zeros(len(embedding), head.num_classes, dtype=torch.bool)
    )[1]
    return torch.logit(p)


def test_bfloat16_autocast_is_close_in_loss_and_gradient() -> None:
    torch.manual_seed(0)
    head = build_head("moe", 64, 200)
    embedding, labels = torch.randn(32, 64), torch.rand(32, 200) < 0.02
    exact = head.loss(embedding, labels)
    exact_gradient = torch.autograd.grad(exact, head.weight)[0]
    with torch.autocast("cpu", torch.bfloat16):
        rough = head.loss(embedding, labels)
    gradient = torch.autograd.grad(rough, head.weight)[0]
    assert rough.dtype == torch.float32
    assert gradient.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), rel=2e-3)
    assert torch.nn.functional.cosine_similarity(gradient.flatten(), exact_gradient.flatten(), dim=0) > 0.999


def test_the_loss_keeps_one_tensor_of_activations_for_the_backward_pass() -> None:
    head = build_head("moe", 4, 500)
    saved: list[int] = []

    def count(tensor: Tensor) -> Tensor:
        saved.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        loss = head.loss(torch.randn(20, 4), torch.zeros(20, 500, dtype=torch.bool))
    assert sum(saved) < 20 * 5 * 500 * 1.3
    loss.backward()

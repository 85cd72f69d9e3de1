"""The mixture-of-experts head on 320 numbers, 3862 classes: its loss with gradients, and its scores."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.paths.agreement import close
from benchmarks.rivals import naive_moe
from benchmarks.row import Contest, Row, Settings, Work, at_least
from encoders import ModelConfig, MoE, build_model

DIM, CLASSES, LABELS = 320, 3862, 3


def train_fp32(settings: Settings) -> Contest:
    """Loss and gradients, fp32 on both sides."""
    return _training(settings, torch.float32, 1e-3)


def train_bf16(settings: Settings) -> Contest:
    """Loss and gradients, bf16 against fp32."""
    return _training(settings, torch.bfloat16, 2e-2)


def score_bf16(settings: Settings) -> Contest:
    """Probabilities, bf16 against fp32."""
    ours, rival, embedding, _ = _heads(settings)

    @torch.inference_mode()
    def score() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return torch.sigmoid(ours(embedding).float())

    @torch.inference_mode()
    def naive() -> Tensor:
        return rival(embedding)

    checked = close("probabilities", score(), naive(), 3e-2)
    return Contest(score, naive, len(embedding), checked, _work(embedding, torch.bfloat16, 1))


def _training(settings: Settings, precision: torch.dtype, error: float) -> Contest:
    ours, rival, embedding, labels = _heads(settings)
    embedding.requires_grad_()
    floats = labels.float()

    def step() -> Tensor:
        ours.zero_grad()
        embedding.grad = None
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            loss = ours.loss(embedding, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def naive() -> Tensor:
        rival.zero_grad()
        embedding.grad = None
        loss = naive_moe.cross_entropy(rival(embedding), floats)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    losses, gradients = [], []
    for call in (step, naive):
        losses.append(call())
        assert embedding.grad is not None
        gradients.append(embedding.grad.clone())
    checked = close("loss", losses[0], losses[1], error)
    checked += ", " + close("gradient of the embedding", gradients[0], gradients[1], 10 * error)
    return Contest(step, naive, len(embedding), checked, _work(embedding, precision, 3))


def _heads(settings: Settings) -> tuple[MoE, naive_moe.NaiveMoE, Tensor, Tensor]:
    torch.manual_seed(0)
    batch = settings.size(128, 256)
    # Of a whole model, whose building chooses the library for float32 products.
    ours = build_model(ModelConfig("linear", CLASSES, {"dim": DIM})).head
    assert isinstance(ours, MoE)
    embedding, labels = torch.randn(batch, DIM), torch.zeros(batch, CLASSES, dtype=torch.bool)
    labels.scatter_(1, torch.randint(0, CLASSES, (batch, LABELS)), True)
    return ours, naive_moe.with_weights_of(ours), embedding, labels


def _work(embedding: Tensor, precision: torch.dtype, passes: int) -> Work:
    kind = "bf16" if precision == torch.bfloat16 else "fp32"
    one = 2 * 5 * CLASSES * DIM
    times = f"{passes} x " if passes > 1 else ""
    formula = f"{len(embedding)} videos x {times}2 x 5 x {CLASSES} x {DIM} FLOP"
    return Work(float(len(embedding) * passes * one), f"{kind} arithmetic", formula)


_RIVAL = "two linear layers, softmax, log(p + eps), fp32"
ROWS = (
    Row(
        "moe-train-fp32",
        "Head",
        "MoE head, loss and gradients, fp32",
        _RIVAL,
        "videos",
        train_fp32,
        long_run=True,
    ),
    Row(
        "moe-train-bf16",
        "Head",
        "MoE head, loss and gradients, bf16",
        _RIVAL,
        "videos",
        train_bf16,
        at_least(2),
        long_run=True,
    ),
    Row(
        "moe-score-bf16",
        "Head",
        "MoE head, scores, bf16",
        _RIVAL,
        "videos",
        score_bf16,
        at_least(2),
        long_run=True,
    ),
)

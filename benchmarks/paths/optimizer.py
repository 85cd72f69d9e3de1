"""One step of the optimiser on the MoE head over 1152 numbers: 22 million parameters."""

from __future__ import annotations

import torch

from benchmarks.paths.agreement import close
from benchmarks.row import Contest, Row, Settings, Work
from compress.training.config import TrainConfig
from compress.training.optimizer import build_optimizer
from encoders import Model, ModelConfig, build_model

STEP = 16  # bytes a parameter: weight, both moments and the gradient are read


def prepare(settings: Settings) -> Contest:
    """The same gradients on both sides."""
    models = [_model() for _ in range(2)]
    ours = build_optimizer(models[0], TrainConfig("identity", weight_decay=0.0))
    rival = torch.optim.AdamW(models[1].parameters(), lr=1e-3, weight_decay=0.0, foreach=False)
    ours.step()
    rival.step()
    weights = [torch.cat([p.detach().flatten() for p in model.parameters()]) for model in models]
    count = len(weights[0])
    return Contest(
        ours=lambda: ours.step(),
        rival=lambda: rival.step(),
        units=count,
        checked=close("weights after a step", weights[0], weights[1], 1e-5),
        work=Work(
            float(STEP * count),
            "memory read",
            f"{count:,} parameters x {STEP} B read; the 12 B written are not counted",
        ),
    )


def _model() -> Model:
    torch.manual_seed(0)
    model = build_model(ModelConfig("identity", 3862))
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    return model


ROWS = (
    Row(
        "optimizer",
        "Train",
        "AdamW, fused",
        "AdamW, parameter by parameter",
        "parameters",
        prepare,
        long_run=True,
    ),
)

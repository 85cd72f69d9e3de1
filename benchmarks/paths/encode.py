"""ResidualCNN-320, features to embeddings, on one core."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.data import video_table
from benchmarks.paths.agreement import close
from benchmarks.paths.flops import forward_flops
from benchmarks.rivals.plain_residual_cnn import PlainModel, with_weights_of
from benchmarks.row import Contest, Row, Settings, Work, at_least
from encoders import Model, ModelConfig, ResidualCNN, build_model

DIM = 320
OURS_AT_ONCE, RIVAL_AT_ONCE = 32, 16  # the sizes that suit each of them


def exact(settings: Settings) -> Contest:
    """fp32 on both sides."""
    return contest(settings, torch.float32, 1e-4)


def half(settings: Settings) -> Contest:
    """bf16 against fp32; its error is that of bf16 numbers."""
    return contest(settings, torch.bfloat16, 3e-2)


def contest(settings: Settings, precision: torch.dtype, error: float) -> Contest:
    """Raw features through both."""
    ours, rival = models()
    features = first_videos(settings, settings.size(2 * OURS_AT_ONCE, 4 * OURS_AT_ONCE))
    return Contest(
        ours=lambda: embed(ours, features, precision),
        rival=lambda: plain(rival, features),
        units=len(features),
        checked=close("embeddings", embed(ours, features, precision), plain(rival, features), error),
        work=_work(rival, features, precision),
        notes=(f"batches of {OURS_AT_ONCE}, of the rival {RIVAL_AT_ONCE}",),
    )


def models() -> tuple[Model, PlainModel]:
    """Ours and the rival with the same weights, in evaluation mode."""
    torch.manual_seed(0)
    ours = trained_like(build_model(ModelConfig("residual_cnn", 2, {"dim": DIM}))).eval()
    assert isinstance(ours.encoder, ResidualCNN)
    return ours, PlainModel(with_weights_of(ours.encoder), torch.nn.Identity()).eval()


@torch.inference_mode()
def embed(model: Model, features: Tensor, precision: torch.dtype) -> Tensor:
    """What `compress encode` computes, a batch at a time: float32 (N, DIM)."""
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        return torch.cat([model.embed(part).float() for part in torch.split(features, OURS_AT_ONCE)])


@torch.no_grad()
def trained_like(model: Model) -> Model:
    """Statistics and biases that are not those of a fresh model: else half of the layers would do nothing."""
    generator = torch.Generator().manual_seed(0)
    for name, value in (*model.named_buffers(), *model.named_parameters()):
        if name.startswith("encoder") and name.endswith(("running_mean", "bias")):
            value.add_(0.1 * torch.randn(value.shape, generator=generator))
        if name.endswith("running_var"):
            value.mul_(0.5 + torch.rand(value.shape, generator=generator))
    return model


def first_videos(settings: Settings, count: int) -> Tensor:
    """Features float32 (count, 1152)."""
    return torch.from_numpy(video_table(settings, count).features[:count].copy())


@torch.inference_mode()
def plain(model: PlainModel, features: Tensor) -> Tensor:
    """What a plain model computes, a batch at a time: float32 (N, DIM)."""
    return torch.cat([model(part) for part in torch.split(features, RIVAL_AT_ONCE)])


def _work(rival: PlainModel, features: Tensor, precision: torch.dtype) -> Work:
    one = forward_flops(rival, features[:1])
    kind = "bf16" if precision == torch.bfloat16 else "fp32"
    formula = f"{len(features)} videos x {one / 1e9:.2f} GFLOP by the definition"
    return Work(len(features) * one, f"{kind} arithmetic", formula)


ROWS = (
    Row(
        "encode-fp32",
        "Encode",
        "ResidualCNN-320, fp32",
        "plain Conv1d, fp32",
        "videos",
        exact,
        at_least(1.85),
        long_run=True,
    ),
    Row(
        "encode-bf16",
        "Encode",
        "ResidualCNN-320, bf16",
        "plain Conv1d, fp32",
        "videos",
        half,
        at_least(3.5),
        long_run=True,
    ),
)

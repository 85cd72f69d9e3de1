"""What needs a GPU: ResidualCNN-320 against the rate of its matrix products, and QRNN against cuDNN's LSTM.

By the clock on the wall, with the device waited for.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.paths.agreement import close
from benchmarks.paths.encode import models
from benchmarks.paths.flops import forward_flops
from benchmarks.rivals.padded_lstm import PaddedLSTM
from benchmarks.row import Contest, Goal, Row, Settings, Work, at_least
from encoders import build_encoder

DEVICE = "cuda"
RESOURCE = "GPU bf16 arithmetic"
INPUTS, WIDTH = 1152, 1280


def encode(settings: Settings) -> Contest:
    """Features on the device to embeddings."""
    ours, rival = models()
    ours.to(DEVICE)
    rival.to(DEVICE)
    features = torch.randn(settings.size(512, 4096), INPUTS, device=DEVICE)
    one = forward_flops(rival, features[:1])

    @torch.inference_mode()
    def embed() -> Tensor:
        with torch.autocast(DEVICE, torch.bfloat16):
            return ours.embed(features)

    @torch.inference_mode()
    def plain() -> Tensor:
        result: Tensor = rival(features)
        return result

    return Contest(
        ours=waited(embed),
        rival=waited(plain),
        units=len(features),
        checked=close("embeddings", embed().float().cpu(), plain().cpu(), 3e-2),
        work=Work(len(features) * one, RESOURCE, f"{len(features)} videos x {one / 1e9:.2f} GFLOP"),
    )


def qrnn(settings: Settings) -> Contest:
    """Forward and backward of one layer, bf16 on both sides."""
    torch.manual_seed(0)
    ours = build_encoder("qrnn", {"input_dim": INPUTS, "sizes": (WIDTH,)}).to(DEVICE)
    rival = PaddedLSTM(INPUTS, (WIDTH,)).to(DEVICE)
    frames = torch.randn(settings.size(64, 256), 300, INPUTS, device=DEVICE)
    lengths = torch.full((len(frames),), 300, device=DEVICE)

    def step(net: torch.nn.Module) -> Callable[[], None]:
        def call() -> None:
            net.zero_grad()
            with torch.autocast(DEVICE, torch.bfloat16):
                embedding = net(frames, lengths)
            embedding.float().sum().backward()

        return waited(call)

    with torch.inference_mode():
        few, few_lengths = frames[:4], lengths[:4]
        found, wanted = ours(few, few_lengths).cpu(), ours.cpu()(few.cpu(), few_lengths.cpu())
        ours.to(DEVICE)
    checked = "ours only: " + close("embeddings and those of the CPU", found, wanted, 1e-3)
    return Contest(step(ours), step(rival), len(frames), checked)


def waited(call: Callable[[], object]) -> Callable[[], None]:
    """A call that ends when the device has done it."""

    def finished() -> None:
        call()
        torch.cuda.synchronize()

    return finished


def row(name: str, ours: str, rival: str, prepare: Callable[[Settings], Contest], goal: Goal) -> Row:
    """A row by the clock on the wall that needs a GPU."""
    return Row(name, "GPU", ours, rival, "videos", prepare, goal, "wall", needs_gpu=True)


ROWS = (
    row("gpu-encode", "ResidualCNN-320, bf16", "plain Conv1d, fp32", encode, Goal("share", 0.4)),
    row("gpu-qrnn-train", "QRNN 1280, Triton", "nn.LSTM 1280, cuDNN", qrnn, at_least(3)),
)

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

RESOURCE = "GPU bf16 arithmetic"
INPUTS, WIDTH = 1152, 1280


def encode(settings: Settings) -> Contest:
    """Features on the device to embeddings."""
    ours, rival = (model.cuda() for model in models())
    features = torch.randn(settings.size(512, 4096), INPUTS, device="cuda")
    one = forward_flops(rival, features[:1])

    @torch.inference_mode()
    def embed() -> Tensor:
        with torch.autocast("cuda", torch.bfloat16):
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
    ours = build_encoder("qrnn", {"input_dim": INPUTS, "sizes": (WIDTH,)}).cuda()
    rival = PaddedLSTM(INPUTS, (WIDTH,)).cuda()
    frames = torch.randn(settings.size(64, 256), 300, INPUTS, device="cuda")
    lengths = torch.full((len(frames),), 300, device="cuda")

    def step(net: torch.nn.Module) -> Callable[[], None]:
        def call() -> None:
            net.zero_grad()
            with torch.autocast("cuda", torch.bfloat16):
                embedding = net(frames, lengths)
            embedding.float().sum().backward()

        return waited(call)

    with torch.inference_mode():
        few, few_lengths = frames[:4], lengths[:4]
        found, wanted = ours(few, few_lengths).cpu(), ours.cpu()(few.cpu(), few_lengths.cpu())
        ours.cuda()
    checked = "ours only: " + close("embeddings and those of the CPU", found, wanted, 1e-3)
    return Contest(step(ours), step(rival), len(frames), checked)


def waited(call: Callable[[], object]) -> Callable[[], None]:
    """A call that ends when the device has done it."""

    def finished() -> None:
        call()
        torch.cuda.synchronize()

    return finished


def _row(name: str, ours: str, rival: str, prepare: Callable[[Settings], Contest], goal: Goal) -> Row:
    return Row(name, "GPU", ours, rival, "videos", prepare, goal, "wall", needs_gpu=True)


ROWS = (
    _row("gpu-encode", "ResidualCNN-320, bf16", "plain Conv1d, fp32", encode, Goal("share", 0.4)),
    _row("gpu-qrnn-train", "QRNN 1280, Triton", "nn.LSTM 1280, cuDNN", qrnn, at_least(3)),
)

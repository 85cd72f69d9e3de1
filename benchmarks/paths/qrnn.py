"""QRNN against nn.LSTM of the same width: one layer over 1152 numbers a frame."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.paths.agreement import close
from benchmarks.rivals.padded_lstm import PaddedLSTM
from benchmarks.row import Contest, Row, Settings, Work, at_least
from encoders import QRNNEncoder, build_encoder
from encoders.layers.qrnn.layer import QRNNLayer

INPUTS, WIDTH, WINDOW = 1152, 1280, 2
GATES = 3


def score(settings: Settings) -> Contest:
    """Frames to embeddings."""
    ours, rival, frames, lengths = _sides(settings)

    @torch.inference_mode()
    def embed() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return ours(frames, lengths).float()

    @torch.inference_mode()
    def padded() -> Tensor:
        return rival(frames, lengths)

    checked = _check(ours, embed(), frames, lengths)
    return Contest(embed, padded, len(frames), checked, _work(frames, 1), _NOTES)


def train(settings: Settings) -> Contest:
    """Frames to embeddings and back to the gradients of all weights."""
    ours, rival, frames, lengths = _sides(settings)

    def step() -> None:
        ours.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            embedding = ours(frames, lengths)
        embedding.float().sum().backward()

    def padded() -> None:
        rival.zero_grad()
        rival(frames, lengths).sum().backward()

    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        embedding = ours(frames, lengths).float()
    checked = _check(ours, embedding, frames, lengths)
    # The frames need no gradient: two products of this size, not three.
    return Contest(step, padded, len(frames), checked, _work(frames, 2), _NOTES)


_NOTES = ("both are trained nets' shapes with random weights; they do not compute the same function",)


def _sides(settings: Settings) -> tuple[QRNNEncoder, PaddedLSTM, Tensor, Tensor]:
    torch.manual_seed(0)
    ours = build_encoder("qrnn", {"input_dim": INPUTS, "sizes": (WIDTH,), "window": WINDOW})
    assert isinstance(ours, QRNNEncoder)
    frames = torch.randn(settings.size(8, 32), settings.size(100, 300), INPUTS)
    lengths = torch.full((len(frames),), frames.shape[1])
    return ours, PaddedLSTM(INPUTS, (WIDTH,)), frames, lengths


def _check(ours: QRNNEncoder, found: Tensor, frames: Tensor, lengths: Tensor) -> str:
    """Against the same layer by the equations of the paper, step by step, in fp32."""
    layers = [layer for layer in ours.layers if isinstance(layer, QRNNLayer)]
    for layer in layers:
        layer.method = "reference"
    with torch.inference_mode():
        wanted = ours(frames, lengths)
    for layer in layers:
        layer.method = "auto"
    return "ours only: " + close("embeddings and those of the equations in fp32", found, wanted, 3e-2)


def _work(frames: Tensor, passes: int) -> Work:
    videos, steps, _ = frames.shape
    one = 2 * WINDOW * INPUTS * GATES * WIDTH
    times = f"{passes} x " if passes > 1 else ""
    formula = f"{videos} videos x {steps} frames x {times}2 x {WINDOW} x {INPUTS} x {GATES} x {WIDTH} FLOP"
    return Work(float(videos * steps * one * passes), "bf16 arithmetic", formula)


_OURS, _RIVAL = "QRNN 1280, window 2, bf16", "nn.LSTM 1280, fp32"
ROWS = (
    Row("qrnn-encode", "Frames", _OURS, _RIVAL, "videos", score, at_least(3), long_run=True),
    Row(
        "qrnn-train",
        "Frames",
        f"{_OURS}, forward and backward",
        _RIVAL,
        "videos",
        train,
        at_least(4),
        long_run=True,
    ),
)

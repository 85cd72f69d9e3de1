"""LSTM (1280, 640) over videos of 60 to 300 frames: ours in bf16 and by length, the rival padded in fp32."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from benchmarks.paths.agreement import close
from benchmarks.paths.flops import forward_flops
from benchmarks.rivals.padded_lstm import PaddedLSTM, with_weights_of
from benchmarks.row import Contest, Row, Settings, Work, at_least
from compress.encoding.embedder import BATCHES_PER_WINDOW
from encoders import LSTMEncoder, build_encoder

INPUTS, SIZES, FRAMES = 1152, (1280, 640), 300


def prepare(settings: Settings) -> Contest:
    """A window of videos to embeddings."""
    torch.manual_seed(0)
    ours = build_encoder("lstm", {"input_dim": INPUTS, "sizes": SIZES}).eval()
    assert isinstance(ours, LSTMEncoder)
    rival = with_weights_of(ours)
    batch = settings.size(8, 32)
    count = BATCHES_PER_WINDOW["frame"] * batch  # sorted by length as `compress encode` does it
    lengths = np.clip(np.random.default_rng(0).normal(230, 60, count), 60, FRAMES).astype(int)
    frames, lengths_there = torch.randn(count, FRAMES, INPUTS), torch.from_numpy(lengths)
    by_length = torch.from_numpy(np.argsort(lengths, kind="stable"))

    @torch.inference_mode()
    def embed() -> Tensor:
        result = torch.empty(count, SIZES[-1])
        for rows in torch.split(by_length, batch):
            longest = int(lengths_there[rows].max())
            with torch.autocast("cpu", torch.bfloat16):
                result[rows] = ours(frames[rows, :longest], lengths_there[rows]).float()
        return result

    @torch.inference_mode()
    def padded() -> Tensor:
        parts = zip(torch.split(frames, batch), torch.split(lengths_there, batch), strict=True)
        return torch.cat([rival(*part) for part in parts])

    return Contest(embed, padded, count, close("embeddings", embed(), padded(), 5e-2), _work(rival, lengths))


def _work(rival: PaddedLSTM, lengths: np.ndarray) -> Work:
    one = forward_flops(rival, torch.zeros(1, 1, INPUTS), torch.ones(1, dtype=torch.int64))
    frames = int(lengths.sum())
    return Work(frames * one, "bf16 arithmetic", f"{frames:,} frames x {one / 1e6:.1f} MFLOP")


ROWS = (
    Row(
        "lstm-encode",
        "Frames",
        "LSTM 1280, 640, bf16, by length",
        "nn.LSTM 1280, 640, fp32, padded to 300",
        "videos",
        prepare,
        at_least(2.5),
        long_run=True,
    ),
)

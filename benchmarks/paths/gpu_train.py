"""Training ResidualCNN-320 on a GPU, against the rate of its matrix products."""

from __future__ import annotations

import torch

from benchmarks.data import video_table
from benchmarks.paths.agreement import close
from benchmarks.paths.flops import forward_flops
from benchmarks.paths.gpu import RESOURCE, row, waited
from benchmarks.paths.train_residual_cnn import OurSteps, PlainSteps
from benchmarks.row import Contest, Goal, Settings, Work

DEVICE = "cuda"
STEPS = 4
EPOCH, MINUTES = 3_840_000, 3


def steps(settings: Settings) -> Contest:
    """Compiled, in bf16, with the videos resident on the device; the rival is a tutorial's loop in fp32."""
    batch = settings.size(256, 1024)
    table = video_table(settings, STEPS * batch)
    ours = OurSteps(table, "bf16", batch, DEVICE, compile=True)
    rival = PlainSteps(ours.rival(), table, batch, DEVICE)
    checked = close("losses of the first step", ours(), rival(), 3e-2)
    one = 3 * forward_flops(rival.model, torch.from_numpy(table.features[:2].copy()).to(DEVICE)) / 2
    formula = f"{STEPS * batch} videos x 3 x {one / 3e9:.2f} GFLOP"
    return Contest(
        ours=waited(lambda: _several(ours)),
        rival=waited(lambda: _several(rival)),
        units=STEPS * batch,
        checked=checked,
        work=Work(STEPS * batch * one, RESOURCE, formula),
        notes=(f"at this rate an epoch of {EPOCH:,} videos takes {EPOCH:,} / rate seconds",),
    )


def _several(call: OurSteps | PlainSteps) -> None:
    for _ in range(STEPS):
        call()


_OURS, _RIVAL = "compress train --compile, bf16", "plain Conv1d, naive MoE, fp32"
ROWS = (
    row("gpu-train", _OURS, _RIVAL, steps, Goal("share", 0.4)),
    row("gpu-epoch", f"{_OURS}, 3.84 M videos", _RIVAL, steps, Goal("rate", EPOCH / (60 * MINUTES))),
)

"""ResidualCNN-320 on all cores: a batch for each core, against one batch on all of them."""

from __future__ import annotations

from contextlib import closing

import torch
from torch import Tensor

from benchmarks.paths.agreement import close
from benchmarks.paths.encode import OURS_AT_ONCE, RIVAL_AT_ONCE, embed, first_videos, models
from benchmarks.paths.encode import plain as plain_on_one
from benchmarks.row import Contest, Row, Settings, at_least
from compress.workers import in_order


def prepare(settings: Settings) -> Contest:
    """By the clock on the wall: CPU time would not see cores that wait."""
    ours, rival = models()
    features = first_videos(settings, 8 * settings.cores * OURS_AT_ONCE)
    batches = torch.split(features, OURS_AT_ONCE)

    def one(part: Tensor) -> Tensor:
        return embed(ours, part, torch.bfloat16)

    def workers() -> Tensor:
        with closing(in_order(one, batches, settings.cores)) as done:
            return torch.cat(list(done))

    def all_cores() -> Tensor:
        before = torch.get_num_threads()
        torch.set_num_threads(settings.cores)
        try:
            return plain_on_one(rival, features)
        finally:
            torch.set_num_threads(before)

    return Contest(
        ours=workers,
        rival=all_cores,
        units=len(features),
        checked=close("embeddings", workers(), all_cores(), 3e-2),
        notes=(f"{settings.cores} cores; batches of {OURS_AT_ONCE}, of the rival {RIVAL_AT_ONCE}",),
    )


ROWS = (
    Row(
        "encode-workers",
        "Encode",
        "ResidualCNN-320, bf16, a worker for each core",
        "plain Conv1d, fp32, threads of torch",
        "videos",
        prepare,
        at_least(3.5),
        clock="wall",
        long_run=True,
    ),
)

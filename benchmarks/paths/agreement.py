"""Do both sides give the same answer? A benchmark of a wrong result is worth nothing."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from benchmarks.row import WrongAnswer
from compress.datasets.record import Block


def same(what: str, ours: Any, rival: Any) -> str:
    """Equal to the last bit; what to say about it.

    Raises:
        WrongAnswer: shapes or numbers differ.
    """
    ours, rival = np.asarray(ours), np.asarray(rival)
    if ours.shape != rival.shape or not np.array_equal(ours, rival):
        raise WrongAnswer(f"ours and the rival's {what} differ")
    return f"{what} exactly equal"


def close(what: str, ours: Any, rival: Any, error: float) -> str:
    """Relative error |ours - rival| / |rival| (Frobenius norms) of at most `error`; what to say about it.

    Raises:
        WrongAnswer: shapes differ, or the error is larger.
    """
    ours, rival = np.asarray(ours, np.float64), np.asarray(rival, np.float64)
    if ours.shape != rival.shape:
        raise WrongAnswer(f"{what}: ours is {ours.shape}, the rival's {rival.shape}")
    found = float(np.linalg.norm(ours - rival) / max(float(np.linalg.norm(rival)), 1e-300))
    if not found <= error:  # also when it is NaN
        raise WrongAnswer(f"{what} differ by {found:.1e} of their norm, {error:.0e} is allowed")
    return f"{what} within {found:.0e} of their norm (allowed {error:.0e})"


def same_videos(blocks: Any, records: Any, videos: int) -> str:
    """The first videos of a shard, read by us in blocks and by a rival one by one, to the last bit."""
    # Records first: so a short file is read to its end, and closed.
    pairs = zip(records, islice(_videos(blocks), videos), strict=False)
    for number, (theirs, mine) in enumerate(pairs):
        for what, one, other in zip(("id", "labels", "rows"), mine, theirs, strict=True):
            if not np.array_equal(one, other):
                raise WrongAnswer(f"{what} of video {number} differ")
    return f"ids, labels and numbers of {number + 1} videos exactly equal"


def _videos(blocks: Any) -> Any:
    for block in blocks:
        yield from _videos_of(block)


def _videos_of(block: Block) -> Any:
    labels = np.split(block.classes, np.cumsum(block.num_labels)[:-1])
    if block.num_frames is None:
        rows = list(block.rows)
    else:
        rows = np.split(block.rows, np.cumsum(block.num_frames)[:-1])
    yield from zip(block.ids.tolist(), labels, rows, strict=True)

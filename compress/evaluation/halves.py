"""The two halves of the validation set: "selection" to choose with, "confirmation" to prove the choice.

The best of many looks better on the videos that it was chosen with than on others. So one half chooses, and
the figures come from the other. The half of a video depends on its id alone: it is the same for every store,
run and machine, and does not change when videos are added.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

from compress.evaluation.row import Half as HalfFigures
from compress.metrics import TopScores, replicates

Half = Literal["selection", "confirmation"]
HALVES: tuple[Half, ...] = ("selection", "confirmation")
# A key of our own, so that other hashes of ids (such as the shard of a video) are independent of the half.
_PERSON = b"compress halves"


def half(ids: np.ndarray, which: Half) -> np.ndarray:
    """Which of the ids, S<w> (N,), are in one half, bool (N,): about half of them, each in exactly one.

    Example:
        >>> half(np.array([b"a", b"b", b"c", b"d"]), "selection").tolist()
        [True, False, False, False]
    """
    drawn = (hashlib.blake2b(name, digest_size=1, person=_PERSON).digest()[0] & 1 for name in ids.tolist())
    return np.fromiter(drawn, dtype=np.int64, count=len(ids)) == HALVES.index(which)


def take_half(top: TopScores, ids: np.ndarray, which: Half) -> TopScores:
    """The scores of one half; `ids`, S<w> (N,), are of the same videos in the same order."""
    return top.take(np.flatnonzero(half(ids, which)))


def halves_of(
    top: TopScores, ids: np.ndarray, against: TopScores | None, baseline: str, seed: int
) -> dict[str, HalfFigures | None]:
    """The figures of a row on each half of the validation videos, with intervals over videos only.

    Args:
        top: scores of N validation videos.
        ids: of the same videos in the same order, S<w> (N,).
        against: scores of the baseline, of the same videos in the same order; None for the baseline itself.
        baseline: its name.
        seed: of the resamples.

    Returns:
        By half; None for an empty half, which only happens with a handful of videos.

    Raises:
        SchemaError: the baseline has other videos.
    """
    found: dict[str, HalfFigures | None] = {}
    for which in HALVES:
        part = take_half(top, ids, which)
        if len(part) == 0:
            found[which] = None
            continue
        ours = replicates(part, seed=seed)
        theirs = None if against is None else replicates(take_half(against, ids, which), seed=seed)
        found[which] = HalfFigures(
            videos=len(part),
            figures=ours.intervals(),
            baseline=None if theirs is None else baseline,
            delta=None if theirs is None else ours.minus(theirs),
        )
    return found

"""The validation videos in two halves: "selection" chooses what to use, "confirmation" proves the choice.

What is chosen among many because it looked good on some videos looks better on those than on others. So one
half chooses, and figures of the other, which had no say, are told. Which half a video is in depends on its
id alone: it is the same for every store, run and machine, and does not move when videos are added.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

from compress.evaluation.row import Half as HalfFigures
from compress.metrics import TopScores, replicates

Half = Literal["selection", "confirmation"]
HALVES: tuple[Half, ...] = ("selection", "confirmation")
# Other uses of a hash of ids, such as the shard that a data set puts a video in, say nothing about its half.
_PERSON = b"compress halves"


def half(ids: np.ndarray, which: Half) -> np.ndarray:
    """Which videos are in one half: about half of them, every video in exactly one.

    Args:
        ids: S<w> (N,).
        which: "selection" or "confirmation".

    Returns:
        bool (N,).

    Example:
        >>> half(np.array([b"a", b"b", b"c", b"d"]), "selection").tolist()
        [True, False, False, False]
    """
    drawn = (hashlib.blake2b(name, digest_size=1, person=_PERSON).digest()[0] & 1 for name in ids.tolist())
    return np.fromiter(drawn, dtype=np.int64, count=len(ids)) == HALVES.index(which)


def take_half(top: TopScores, ids: np.ndarray, which: Half) -> TopScores:
    """The scores of one half, in the order they had.

    Args:
        top: N videos.
        ids: of the same videos in the same order, S<w> (N,).
        which: "selection" or "confirmation".
    """
    return top.take(np.flatnonzero(half(ids, which)))


def halves_of(
    top: TopScores, ids: np.ndarray, against: TopScores | None, baseline: str, seed: int
) -> dict[str, HalfFigures | None]:
    """The figures of a row on each half of the validation videos.

    Args:
        top: scores of N validation videos.
        ids: of the same videos in the same order, S<w> (N,).
        against: scores of the baseline, of the same videos in the same order; None for the baseline itself.
        baseline: its name.
        seed: of the resamples.

    Returns:
        By half; None for a half without a video, which only a handful of videos has.

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

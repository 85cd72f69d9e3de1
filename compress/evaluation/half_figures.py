"""The figures of a row on each half of the validation videos, as its JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from compress.evaluation.halves import HALVES, take_half
from compress.evaluation.intervals import RESAMPLES, delta_json, figures_json
from compress.metrics import TopScores, replicates


def halves_json(
    top: TopScores, ids: np.ndarray, baseline: TopScores | None, name: str, seed: int
) -> dict[str, Any]:
    """{half: {"videos", "figures", "delta"}}, figures and deltas as in the row itself.

    Args:
        top: scores of N validation videos.
        ids: of the same videos in the same order, S<w> (N,).
        baseline: scores of the baseline, of the same videos in the same order; None for the baseline itself,
            whose deltas are null.
        name: of the baseline.
        seed: of the resamples.

    Returns:
        null for a half without a video, which only a handful of videos has.

    Raises:
        SchemaError: the baseline has other videos.
    """
    found: dict[str, Any] = {}
    for which in HALVES:
        part = take_half(top, ids, which)
        if len(part) == 0:
            found[which] = None
            continue
        resampled = replicates(part, RESAMPLES, seed)
        against = None if baseline is None else take_half(baseline, ids, which)
        found[which] = {
            "videos": len(part),
            "figures": figures_json(resampled),
            "delta": None if against is None else delta_json(resampled, against, name),
        }
    return found

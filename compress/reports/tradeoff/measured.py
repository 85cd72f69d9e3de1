"""What the evaluations of one store say, resampled so that any two stores can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from compress.codecs import parse_codec
from compress.errors import DataError, SchemaError
from compress.evaluation.halves import HALVES, half
from compress.evaluation.row import Row
from compress.evaluation.row_file import read_row
from compress.evaluation.scores import QueryPrecision, load_opinions, load_query_precision, load_scores
from compress.evaluation.verdicts import unsettled
from compress.metrics import Interval, TopScores, interval, replicates, with_training_noise

PRODUCTS = "PQ of the original"
FAMILIES = {"identity": "original", "pca": "PCA", "random_projection": "random projection"}
NAMES = {"gap": "GAP", "map": "MAP", "precision": "Label precision@10"}
"""The metrics, the last one of the 10 nearest neighbours."""
METRICS = tuple(NAMES)
CHOOSES, PROVES = "selection", "confirmation"


@dataclass(frozen=True, eq=False)
class Sampled:
    """One metric of one head, on the videos themselves and on resamples of them, float64 (R,)."""

    point: float
    values: np.ndarray


Heads = Mapping[int, Mapping[str, Sampled]]
"""By the number of the seed, and by metric; precision may be missing."""


def sample(
    top: TopScores, precision: QueryPrecision | None, kept: np.ndarray, seed: int = 0
) -> dict[str, Sampled]:
    """Every metric on some videos.

    The videos that are drawn depend on their number and the seed alone: they are the same for every store
    and every head, so that figures can be averaged over heads and compared, resample by resample.

    Args:
        top: scores of N videos.
        precision: of the queries among them; None when neighbours were not measured.
        kept: bool (N,), the videos to take, one or more.
        seed: of the draws.
    """
    found = replicates(top.take(np.flatnonzero(kept)), seed=seed)
    sampled = {
        "gap": Sampled(found.point.gap, found.values["gap"]),
        "map": Sampled(found.point.map, found.values["map"]),
    }
    if precision is not None and len(inside := precision.where(kept).videos):
        places, resamples = (np.cumsum(kept) - 1)[inside], len(found.values["gap"])
        values, videos = precision.where(kept).values, int(kept.sum())
        sampled["precision"] = _precision(values, places, videos, resamples, seed)
    return sampled


def _precision(values: np.ndarray, places: np.ndarray, videos: int, resamples: int, seed: int) -> Sampled:
    """Of queries at `places` among the videos: whichever were queries, a resample draws from all videos."""
    draws, means = np.random.default_rng(seed), np.empty(resamples)
    for index in range(resamples):
        weights = np.bincount(draws.integers(0, videos, videos), minlength=videos)[places]
        means[index] = weights @ values / weights.sum() if weights.any() else values.mean()
    return Sampled(float(values.mean()), means)


def mean_interval(heads: Heads, metric: str) -> Interval | None:
    """A metric's mean over the heads with its interval, over their seeds too; None where a head lacks it."""
    return _interval([head.get(metric) for head in heads.values()], 0.0)


def difference_interval(a: Heads, b: Heads, metric: str) -> Interval | None:
    """The mean of a - b over the seeds that both have, paired; None where there are none."""
    pairs = [(a[number].get(metric), b[number].get(metric)) for number in a if number in b]
    return _interval(
        [
            None if x is None or y is None else Sampled(x.point - y.point, x.values - y.values)
            for x, y in pairs
        ],
        -1.0,
    )


def _interval(found: Sequence[Sampled | None], least: float) -> Interval | None:
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    points = [one.point for one in known]
    around = interval(np.mean([one.values for one in known], axis=0), float(np.mean(points)))
    cut = Interval(around.value, max(around.low, least), min(around.high, 1.0))
    if len(points) == 1:
        return cut
    return with_training_noise(cut, float(np.var(points, ddof=1)) / len(points), len(points) - 1, least)


@dataclass(frozen=True)
class Kept:
    """Where the evaluation of one head is: `<folder>/<name>.json` and `<folder>/scores/<name>`."""

    number: int
    name: str
    folder: Path


@dataclass(frozen=True, eq=False)
class Measured:
    """One point: the row of its first head, and by half the figures of all heads.

    `name` and `run` are those of the first head; further heads may be on the stores of runs with another
    seed, of which there are `encoders`. `halves` and `videos` (a count) are by "selection", "confirmation";
    the heads there are the best judges of each seed. `judges` has those of each judge on the confirmation
    half. `doubt` says why the figures are not final; it is empty where they are.
    """

    name: str
    run: str
    row: Row
    encoders: int
    halves: Mapping[str, Heads]
    videos: Mapping[str, int]
    judges: Mapping[str, Heads] = field(default_factory=dict)
    doubt: str = ""

    @property
    def learned(self) -> bool:
        """Whether it was trained; the row's role is about the baseline that it was measured with."""
        return self.row.encoder not in FAMILIES

    @property
    def family(self) -> str:
        """What it is drawn and compared with: runs that differ by their size alone are one family."""
        if self.learned:
            return self.run.removesuffix(f"-{self.row.dim}")
        if self.row.encoder == "identity" and parse_codec(self.row.codec).family.counts_bytes:
            return PRODUCTS
        return FAMILIES[self.row.encoder]


def read_measured(name: str, run: str, kept: Sequence[Kept], ids: np.ndarray) -> Measured:
    """Read and resample the evaluations of one point; about 3 seconds per head for 6,000 videos.

    Raises:
        NotFoundError, CorruptArtifactError: an evaluation is gone or damaged.
        SchemaError: one was measured on other videos.
        DataError: so few videos that a half has none.
    """
    halves: dict[str, dict[int, dict[str, Sampled]]] = {which: {} for which in HALVES}
    masks: dict[str, np.ndarray] = {which: half(ids, which) for which in HALVES}
    if not all(mask.any() for mask in masks.values()):
        raise DataError(f"{len(ids)} validation videos are too few for two halves", where=kept[0].folder)
    judges: dict[str, dict[int, Mapping[str, Sampled]]] = {}
    for one in kept:
        scores = one.folder / "scores" / one.name
        top, facts = load_scores(scores)
        if len(top) != len(ids):
            raise SchemaError(f"has {len(top)} videos, the baseline has {len(ids)}", where=scores)
        precision = load_query_precision(scores)
        for which, mask in masks.items():
            halves[which][one.number] = sample(top, precision, mask)
        for judge, opinion in load_opinions(scores).items():
            best = judge == facts.get("best")
            own = halves[PROVES][one.number] if best else sample(opinion.top, None, masks[PROVES])
            judges.setdefault(judge, {})[one.number] = own
    rows = [read_row(one.folder / f"{one.name}.json") for one in kept]
    doubts = [found[1] for row in rows if (found := unsettled(row)) is not None]
    videos = {which: int(mask.sum()) for which, mask in masks.items()}
    encoders = len({one.name for one in kept})
    return Measured(name, run, rows[0], encoders, halves, videos, judges, doubts[0] if doubts else "")

"""The metrics of scores against labels, in one table that the rest of the code loops over.

A metric is one object in `METRICS`: its name in files, its titles, its function, and the same for weighted
videos. Accumulators, intervals, rows of an evaluation and tables of reports loop over `METRICS`, so a new
metric is a function and an entry here.

Source: google/youtube-8m `eval_util.py`, `average_precision_calculator.py` and
`mean_average_precision_calculator.py`; Abu-El-Haija et al. 2016 (arXiv:1609.08675),
evaluation metrics. The reference shuffles equal scores with a fixed seed; our tie rule is that of ranking.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from compress.arrays import as_labels, numbers, whole_number
from compress.errors import DataError, SchemaError, UnknownNameError, UsageError
from compress.metrics.checks import checked_scores
from compress.metrics.ranking import exact_sum, pooled_precision
from compress.metrics.top_k import top_of_batch
from compress.metrics.top_scores import TopScores
from compress.metrics.weighted_ranking import WeightedVideos

T = TypeVar("T", covariant=True)
Empty = Literal["skip", "zero"]


@dataclass(frozen=True)
class Metric:
    """A figure in [0, 1] of scores and labels; higher is better.

    Args:
        name: its key in files.
        title: of a column, e.g. "GAP".
        meaning: the title spelled out.
        function: its value on N >= 1 videos.
        weighted: its value when each video counts `weight` times.
        column: whether tables have a column for it.
        required: whether every row of an evaluation has it; False for metrics that were added later.
    """

    name: str
    title: str
    meaning: str
    function: Callable[[TopScores], float]
    weighted: Callable[[WeightedVideos, np.ndarray], float]
    column: bool = True
    required: bool = True

    def of(self, top: TopScores) -> float:
        """Its value; DataError when there are no videos, where 0 would look like a result."""
        if len(top) == 0:
            raise DataError("no videos to measure", hint="check the split or the pattern of the shards")
        return self.function(top)


def _gap(top: TopScores) -> float:
    # All labels count, also those outside the top: a video with 30 labels, ranked perfectly, reaches 20 / 30.
    return pooled_precision(top.scores, top.hits) / max(len(top.label_classes), 1)


def _map(top: TopScores) -> float:
    return mean_over_classes(top.class_average_precision, top.class_positives, "skip")


def _map_with_empty_as_zero(top: TopScores) -> float:
    return mean_over_classes(top.class_average_precision, top.class_positives, "zero")


def mean_over_classes(average_precision: np.ndarray, positives: np.ndarray, empty: Empty) -> float:
    """Mean of float64 (C,) over all classes ("zero") or over those with `positives` (C,) > 0 ("skip")."""
    if empty not in ("skip", "zero"):
        raise UsageError(f'empty is {empty!r}, not "skip" or "zero"')
    counted = np.count_nonzero(positives) if empty == "skip" else len(positives)
    return float(np.sum(average_precision) / max(counted, 1))


def _perr(top: TopScores) -> float:
    return exact_sum([top.precision_at_equal_recall]) / len(top)


def _hit_at_one(top: TopScores) -> float:
    return float(np.count_nonzero(top.hits[:, 0]) / len(top))


METRICS: tuple[Metric, ...] = (
    Metric("gap", "GAP", "global average precision", _gap, WeightedVideos.gap),
    Metric("map", "MAP", "mean average precision", _map, WeightedVideos.mean_average_precision),
    Metric(
        "map_with_empty_as_zero",
        "MAP with empty as 0",
        "mean average precision that counts classes without positives as 0",
        _map_with_empty_as_zero,
        WeightedVideos.map_with_empty_as_zero,
        column=False,
        required=False,
    ),
    Metric(
        "perr",
        "PERR",
        "precision at equal recall rate",
        _perr,
        lambda videos, weights: videos.mean(videos.top.precision_at_equal_recall, weights),
    ),
    Metric(
        "hit_at_one",
        "Hit@1",
        "share of videos whose highest score is right",
        _hit_at_one,
        lambda videos, weights: videos.mean(videos.top.hits[:, 0], weights),
    ),
)
_BY_NAME = {metric.name: metric for metric in METRICS}


def metric_named(name: str) -> Metric:
    """The metric of that name, or UsageError that lists them."""
    if name not in _BY_NAME:
        raise UsageError(f"no metric {name!r}", hint=f"one of {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


class ByMetric(Mapping[str, T], Generic[T]):
    """One value per measured metric, e.g. its interval: `found["gap"]` or `found.gap`."""

    def __init__(self, values: Mapping[str, T]) -> None:
        self._values = {metric_named(name).name: value for name, value in values.items()}

    def __getitem__(self, name: str) -> T:
        if name not in self._values:
            raise UnknownNameError(f"no figure {name!r} here, only {', '.join(self)}")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> T:
        if name.startswith("_"):  # pickle and copy ask for these before there are any values
            raise AttributeError(name)
        if name not in self._values:
            raise AttributeError(f"no figure {name!r} here, only {', '.join(self)}")
        return self._values[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._values]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"


class Figures(ByMetric[float]):
    """The value of every metric on some videos.

    Args:
        values: in [0, 1], by name.
        num_videos: N, unlabelled videos included.
        num_classes_with_labels: classes over which `map` averages.
    """

    def __init__(self, values: Mapping[str, float], num_videos: int, num_classes_with_labels: int) -> None:
        super().__init__(values)
        self.num_videos, self.num_classes_with_labels = num_videos, num_classes_with_labels

    def to_json(self) -> dict[str, Any]:
        """The figures and the two counts, by name."""
        counts = {"num_videos": self.num_videos, "num_classes_with_labels": self.num_classes_with_labels}
        return {**self, **counts}


def figures(top: TopScores) -> Figures:
    """All figures of N >= 1 videos.

    Raises:
        DataError: there are no videos.
    """
    values = {metric.name: metric.of(top) for metric in METRICS}
    return Figures(values, len(top), int(np.count_nonzero(top.class_positives)))


def gap(scores: Any, labels: Any, k: int = 20) -> float:
    """Global average precision: one ranking of the k highest scores of all videos together.

    (1 / P) * sum over hits of the precision at their rank; P counts every label of every video. Among equal
    scores misses come before hits.

    Args:
        scores: (N, C) of any number type, N >= 1: list, array or tensor; any range; no NaN.
        labels: multi-hot (N, C) of bool, 0 and 1, dense or scipy sparse; or for each video a list of class
            numbers.
        k: scores counted per video; C or more for all of them.

    Returns:
        A number in [0, 1]; 0 when no video has a label, as in the reference.

    Raises:
        DataError: there are no videos, or a class is out of range.
        RecordError: a score is NaN.
        SchemaError: shapes or types do not fit together.
        UsageError: k < 1.

    Example:
        >>> gap([[0.9, 0.2, 0.1], [0.1, 0.8, 0.3]], [[1, 0, 0], [0, 0, 1]])
        0.8333333333333333
    """
    return metric_named("gap").of(_top(scores, labels, k))


def mean_average_precision(scores: Any, labels: Any, k: int = 20, empty: Empty = "skip") -> float:
    """Mean average precision: of each class over the videos that have it in their k highest, then the mean.

    Args:
        scores, labels, k: as for `gap`.
        empty: how classes without positives count: "skip": not at all (the reference since May 2019);
            "zero": as 0 (the papers).

    Returns:
        A number in [0, 1]; 0 when no class has positives.

    Raises:
        DataError, RecordError, SchemaError: as `gap`.
        UsageError: k < 1, or `empty` is something else.

    Example:
        >>> mean_average_precision([[0.9, 0.2], [0.6, 0.7]], [[0], [1]])
        1.0
    """
    top = _top(scores, labels, k)
    metric_named("map").of(top)
    return mean_over_classes(top.class_average_precision, top.class_positives, empty)


def perr(scores: Any, labels: Any) -> float:
    """Precision at equal recall rate: for a video with n labels, the share of labels in its n highest scores.

    The mean over videos; n may exceed 20. A score of 0 or below never counts, as in the reference, so pass
    probabilities.

    Args:
        scores, labels: as for `gap`; scores in [0, 1].

    Raises:
        DataError: as `gap`, or a score is below 0.
        RecordError, SchemaError: as `gap`.

    Example:
        >>> perr([[0.9, 0.8, 0.1]], [[0, 2]])
        0.5
    """
    top = _top(scores, labels, 20)
    if (numbers(scores, "scores") < 0).any():
        raise DataError(
            "scores below 0 never count in PERR", hint="pass probabilities, for logits 1 / (1 + exp(-scores))"
        )
    return metric_named("perr").of(top)


def hit_at_one(scores: Any, labels: Any) -> float:
    """Share of videos whose highest score is one of their labels; a video without labels counts 0.

    Args:
        scores, labels: as for `gap`.

    Raises:
        DataError, RecordError, SchemaError: as `gap`.

    Example:
        >>> hit_at_one([[0.9, 0.8, 0.1], [0.2, 0.1, 0.7]], [[0, 2], [0]])
        0.5
    """
    return metric_named("hit_at_one").of(_top(scores, labels, 1))


def _top(scores: Any, labels: Any, k: int) -> TopScores:
    k = whole_number(k, "k", least=1)
    given = numbers(scores, "scores")
    with np.errstate(over="ignore"):  # what becomes infinite is refused below
        array = given.astype(np.float32)
    checked_scores(array)
    if (np.isinf(array) & np.isfinite(given)).any():
        raise DataError(
            "scores are too large for float32", hint="divide them by a number: ranks stay as they are"
        )
    classes = as_labels(labels, num_classes=array.shape[1])
    if classes.names:
        raise SchemaError(
            "labels are class names, which do not say what column of the scores is whose",
            hint="pass class numbers or a multi-hot array",
        )
    if len(classes) != len(array):
        raise SchemaError(f"there are labels of {len(classes)} videos and scores of {len(array)}")
    return top_of_batch(array, classes.multi_hot(), k)

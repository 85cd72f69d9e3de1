"""What the metrics keep of the scores: the top of each video and its labels, about 160 bytes per video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from compress.errors import SchemaError
from compress.metrics.ranking import class_precision

_BLOCK = 1 << 20
PER_VIDEO = ("scores", "classes", "hits", "precision_at_equal_recall")


def class_type(num_classes: int) -> np.dtype:
    """The narrowest type for the numbers of `num_classes` classes: uint16, or int32 for more than 65536."""
    return np.dtype(np.uint16 if num_classes <= 1 << 16 else np.int32)


def refuse_other_classes(name: str, classes: np.ndarray, num_classes: int) -> None:
    """SchemaError that names the array `name` unless all classes are in [0, num_classes)."""
    if classes.size and (classes.min() < 0 or classes.max() >= num_classes):
        raise SchemaError(f"{name} leave the range of {num_classes} classes", where="top scores")


@dataclass(frozen=True, eq=False)
class TopScores:
    """The K highest scores of N videos, and their labels in compressed sparse rows.

    The labels are all there, also those outside the top K: GAP, MAP and the bootstrap divide by them.

    Args:
        scores: float32 (N, K), descending in each row; K = min(k, C).
        classes: (N, K), the class of each score, of the type `class_type(C)` or int32.
        hits: bool (N, K), whether the video carries that class.
        label_indptr: int64 (N + 1,); video i has `label_classes[label_indptr[i]:label_indptr[i + 1]]`.
        label_classes: (all labels,), of the type `class_type(C)` or int32, ascending in each video.
        precision_at_equal_recall: float64 (N,) in [0, 1]; see `precision_at_equal_recall`.
        num_classes: C.

    Raises:
        SchemaError: shapes or types do not fit together.
    """

    scores: np.ndarray
    classes: np.ndarray
    hits: np.ndarray
    label_indptr: np.ndarray
    label_classes: np.ndarray
    precision_at_equal_recall: np.ndarray
    num_classes: int

    def __post_init__(self) -> None:
        videos = len(self)
        of_classes = (class_type(self.num_classes), np.dtype(np.int32))
        labels = int(self.label_indptr[-1]) if self.label_indptr.size else 0
        self._check("scores", (videos, self.k), np.float32)
        self._check("classes", (videos, self.k), *of_classes)
        self._check("hits", (videos, self.k), np.bool_)
        self._check("label_indptr", (videos + 1,), np.int64)
        self._check("label_classes", (labels,), *of_classes)
        self._check("precision_at_equal_recall", (videos,), np.float64)

    def _check(self, name: str, shape: tuple[int, ...], *types: DTypeLike) -> None:
        array = getattr(self, name)
        if array.dtype not in types or array.shape != shape:
            wanted = np.dtype(types[0])
            raise SchemaError(
                f"{name} is {array.dtype} {array.shape}, not {wanted} {shape}", where="top scores"
            )

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def k(self) -> int:
        """Scores kept per video."""
        return self.scores.shape[1] if self.scores.ndim == 2 else 0

    @property
    def num_labels(self) -> np.ndarray:
        """Labels of each video, int64 (N,)."""
        return np.diff(self.label_indptr)

    @cached_property
    def class_positives(self) -> np.ndarray:
        """Videos that carry each class, int64 (C,)."""
        counts = np.zeros(self.num_classes, dtype=np.int64)
        for first in range(0, len(self.label_classes), _BLOCK):  # bincount copies its input as int64
            counts += np.bincount(self.label_classes[first : first + _BLOCK], minlength=self.num_classes)
        return counts

    @cached_property
    def class_average_precision(self) -> np.ndarray:
        """Average precision of each class within the tops, float64 (C,); 0 for a class without positives.

        Recall counts all positives of the class, also those that are in no top.
        """
        sums = class_precision(self.classes, self.scores, self.hits, self.num_classes)
        average_precision: np.ndarray = sums / np.maximum(self.class_positives, 1)
        return average_precision

    def take(self, rows: np.ndarray) -> TopScores:
        """The videos at `rows`, int64 (M,), in that order; a row may come more than once."""
        lengths = self.num_labels[rows]
        indptr = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(lengths, out=indptr[1:])
        positions = np.repeat(self.label_indptr[:-1][rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
        kept = {name: getattr(self, name)[rows] for name in PER_VIDEO}
        return replace(self, **kept, label_indptr=indptr, label_classes=self.label_classes[positions])

    @classmethod
    def empty(cls, num_classes: int, k: int = 20) -> TopScores:
        """No videos yet."""
        shape, narrow = (0, min(k, num_classes)), class_type(num_classes)
        return cls(
            np.zeros(shape, np.float32),
            np.zeros(shape, narrow),
            np.zeros(shape, np.bool_),
            np.zeros(1, np.int64),
            np.zeros(0, narrow),
            np.zeros(0, np.float64),
            num_classes,
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays under the names of the fields, for any container of arrays."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> TopScores:
        """The inverse of `to_arrays`.

        Raises:
            SchemaError: an array is missing, or shapes, types or class numbers do not fit together.
        """
        missing = [field.name for field in fields(cls) if field.name not in arrays]
        if missing:
            raise SchemaError(f"arrays lack {', '.join(missing)}", where="top scores")
        num_classes = int(arrays["num_classes"])
        if np.any(np.diff(arrays["label_indptr"]) < 0):
            raise SchemaError("label_indptr descends", where="top scores")
        for name in ("classes", "label_classes"):
            refuse_other_classes(name, arrays[name], num_classes)
        given: dict[str, Any] = {field.name: arrays[field.name] for field in fields(cls)}
        return cls(**{**given, "num_classes": num_classes})

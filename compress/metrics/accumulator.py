"""Collects scores batch by batch, never as a matrix (videos, classes)."""

from __future__ import annotations

import numpy as np

from compress.errors import SchemaError, UsageError
from compress.growing_array import GrowingArray
from compress.metrics.checks import checked_labels, checked_scores
from compress.metrics.figures import Figures, figures
from compress.metrics.top_k import top_of_batch
from compress.metrics.top_scores import PER_VIDEO, TopScores, refuse_other_classes


class MetricAccumulator:
    """Collects the top scores of videos: about 160 bytes per video, whatever the number of classes.

    1.1 million videos of 3862 classes take 200 MB, and 55 MB more while their figures are computed. `top()`
    and `figures()` do not depend on the batches, and `figures()` not on the order of the videos, to the bit.

    Args:
        num_classes: C.
        k: scores kept per video, 20 in both papers; all C when there are fewer. k = C gives the un-truncated
            GAP (global average precision) and MAP (mean average precision).

    Raises:
        UsageError: k or num_classes is below 1.

    Example:
        >>> metrics = MetricAccumulator(num_classes=3)
        >>> metrics.update(np.array([[0.9, 0.2, 0.1]]), np.array([[True, False, False]]))
        >>> metrics.figures().gap
        1.0
    """

    def __init__(self, num_classes: int, k: int = 20) -> None:
        if num_classes < 1 or k < 1:
            raise UsageError(f"cannot keep the top {k} of {num_classes} classes")
        self.num_classes, self.k = num_classes, k
        nothing = TopScores.empty(num_classes, k)
        self._width = nothing.k
        self._fields = {name: GrowingArray(rows) for name, rows in _rows(nothing).items()}

    def __len__(self) -> int:
        return len(self._fields["scores"])

    def update(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """Take in a batch of videos.

        Args:
            scores: (B, C) of any float type, read as float32; probabilities (PERR ignores scores at or below
                0, the other metrics take any range); no NaN.
            labels: bool (B, C).

        Raises:
            RecordError: a score is NaN; nothing of the batch is kept.
            SchemaError: shapes or types do not fit; nothing of the batch is kept.
        """
        scores = checked_scores(scores)
        labels = checked_labels(labels, (len(scores), self.num_classes))
        if scores.shape != labels.shape:
            raise SchemaError(f"scores have {scores.shape[1]} classes, not {self.num_classes}")
        self._append(top_of_batch(scores, labels, self.k))

    def append(self, top: TopScores) -> None:
        """Take in videos whose top is known already: from `top_of_batch` in another thread, or from a GPU.

        Raises:
            SchemaError: another k or number of classes, or a class out of range; nothing is kept.
        """
        if (top.num_classes, top.k) != (self.num_classes, self._width):
            raise SchemaError(
                f"cannot take in the top {top.k} of {top.num_classes} classes "
                f"as the top {self._width} of {self.num_classes}"
            )
        refuse_other_classes("classes", top.classes, self.num_classes)
        refuse_other_classes("label_classes", top.label_classes, self.num_classes)
        self._append(top)

    def top(self) -> TopScores:
        """All videos so far, in order; later batches do not change the result."""
        rows = {name: field.view() for name, field in self._fields.items()}
        indptr = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(rows.pop("num_labels"), out=indptr[1:])
        return TopScores(label_indptr=indptr, num_classes=self.num_classes, **rows)

    def figures(self) -> Figures:
        """All figures of the videos so far.

        Raises:
            DataError: there are no videos yet.
        """
        return figures(self.top())

    def _append(self, top: TopScores) -> None:
        for name, rows in _rows(top).items():
            self._fields[name].append(rows)


def _rows(top: TopScores) -> dict[str, np.ndarray]:
    return {name: getattr(top, name) for name in (*PER_VIDEO, "num_labels", "label_classes")}

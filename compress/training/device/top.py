"""The top of each video on the device that scored it: 20 numbers a video come back instead of all classes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from compress.errors import SchemaError, UsageError
from compress.metrics import TopScores
from compress.metrics.checks import CLASS_BITS, checked_scores, refuse_nan
from compress.metrics.top_scores import class_type

_CLASSES = (1 << CLASS_BITS) - 1


@torch.no_grad()
def top_scores(scores: Tensor, labels: Tensor, k: int = 20) -> TopScores:
    """What `MetricAccumulator.update` would keep of a batch, to the bit; for `MetricAccumulator.append`.

    Args:
        scores: float32 (B, C) probabilities, on any device.
        labels: bool (B, C), on the same.
        k: scores kept a video; all C when there are fewer.

    Raises:
        RecordError: a score is NaN.
        SchemaError: shapes or types do not fit.
        UsageError: k < 1.
    """
    if scores.dtype != torch.float32 or labels.dtype != torch.bool or scores.shape != labels.shape:
        found = f"scores {scores.dtype} {tuple(scores.shape)}, labels {labels.dtype} {tuple(labels.shape)}"
        raise SchemaError(found, hint="pass float32 scores and bool labels, both (videos, classes)")
    if k < 1:
        raise UsageError(f"k is {k}", hint="keep at least one score a video")
    if scores.dim() != 2 or not 0 < scores.shape[1] <= _CLASSES + 1:
        checked_scores(np.empty(tuple(scores.shape), np.float32))  # says what is wrong
    if bool(scores.isnan().any()):
        refuse_nan(scores.cpu().numpy())
    values, classes = _highest(scores, k)
    hits = labels.gather(1, classes)
    label_classes = labels.nonzero()[:, 1]  # in the order of the videos, then of the classes
    num_labels = labels.sum(1)
    indptr = np.zeros(len(scores) + 1, dtype=np.int64)
    np.cumsum(num_labels.cpu().numpy(), out=indptr[1:])
    kind = class_type(scores.shape[1])
    return TopScores(
        values.cpu().numpy(),
        classes.cpu().numpy().astype(kind),
        hits.cpu().numpy(),
        indptr,
        label_classes.cpu().numpy().astype(kind),
        _precision_at_equal_recall(scores, labels, num_labels, values, hits),
        scores.shape[1],
    )


def _highest(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Values and classes (B, min(k, C)), highest first; among equal scores the smaller class first."""
    # One int64 orders a score and its class; adding 0 makes -0.0 and 0.0 one value.
    bits = (scores + 0.0).view(torch.int32)
    ascending = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).long()
    backwards = _CLASSES - torch.arange(scores.shape[1], device=scores.device)
    keys = (ascending << CLASS_BITS) + backwards
    best = torch.topk(keys, min(k, scores.shape[1]), dim=1).values
    classes = _CLASSES - (best & _CLASSES)
    return scores.gather(1, classes), classes


def _precision_at_equal_recall(
    scores: Tensor, labels: Tensor, num_labels: Tensor, values: Tensor, hits: Tensor
) -> np.ndarray:
    """float64 (B,): see `compress.metrics.precision_at_equal_recall`."""
    found, wanted = _found(values, hits, num_labels), num_labels.cpu().numpy()
    longer = (num_labels > values.shape[1]).nonzero()[:, 0]
    if len(longer):
        values, classes = _highest(scores[longer], int(wanted.max()))
        found[longer] = _found(values, labels[longer].gather(1, classes), num_labels[longer])
    shares: np.ndarray = found.cpu().numpy() / np.maximum(wanted, 1)
    return shares


def _found(values: Tensor, hits: Tensor, num_labels: Tensor) -> Tensor:
    counted = torch.arange(values.shape[1], device=values.device) < num_labels[:, None]
    return (counted & (values > 0) & hits).sum(1)

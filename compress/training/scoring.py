"""Scores of a model, the same wherever they are computed, and their figures on labelled videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.errors import SchemaError, UsageError
from compress.metrics import Figures, MetricAccumulator, TopScores, top_of_batch
from compress.metrics.checks import CLASS_BITS, checked_scores, refuse_nan
from compress.metrics.top_scores import class_type
from compress.progress import check_interrupt
from compress.training.inputs import Table, batch, reading_order
from compress.training.precision import Precision, device_settings
from compress.workers import in_order, workers_for
from encoders import Blended, Inputs, Model

ROWS = {"video": 512, "frame": 64}  # videos at once; of each frame an LSTM layer holds 4 gates
# A head reads its weights once per batch, so large batches are faster; a convolution is fastest with few
# videos, which stay in the cache, and its memory grows with them.
EMBEDDED_AT_ONCE = 32
_CLASSES = (1 << CLASS_BITS) - 1


def accumulate(
    model: torch.nn.Module,
    table: Table,
    *,
    precision: Precision = "fp32",
    rows: int | None = None,
    workers: int | None = None,
) -> MetricAccumulator:
    """Score every video of a table.

    Args:
        model: inputs -> logits (B, C), a Model with a head; left in evaluation mode.
        table: N labelled videos.
        precision: "fp32", or "bf16" for autocast.
        rows: videos at once per worker; None for ROWS of the level.
        workers: threads that score a batch each; 0 for the caller's thread only, None for as many as torch
            has; no figure depends on it.

    Returns:
        The accumulator; its videos are in the table's order at video level, by length at frame level.

    Raises:
        RecordError: a score is not a number.
        Interrupted: on request; nothing is kept.
    """

    def scores(inputs: Inputs) -> list[Tensor]:
        return [probabilities(model, inputs, precision)]

    return _accumulated(model, table, scores, 1, rows, workers)[0]


def accumulate_prefixes(
    model: Model,
    table: Table,
    *,
    precision: Precision = "fp32",
    rows: int | None = None,
    workers: int | None = None,
) -> dict[int, MetricAccumulator]:
    """As `accumulate`, for each size in `model.dims` with its own head; videos are embedded once."""

    def scores(inputs: Inputs) -> list[Tensor]:
        return prefix_probabilities(model, inputs, precision)

    found = _accumulated(model, table, scores, len(model.dims), rows, workers)
    return dict(zip(model.dims, found, strict=True))


def figures_by_dim(model: Model, table: Table, precision: Precision) -> dict[int, Figures]:
    """The figures of each embedding size in `model.dims`, by its own head."""
    found = accumulate_prefixes(model, table, precision=precision)
    return {dim: metrics.figures() for dim, metrics in found.items()}


def figures_json(by_dim: Mapping[int, Figures]) -> dict[str, Any]:
    """As in a model's manifest: "figures" of the whole embedding, with nested dims also "figures_by_dim"."""
    figures = {str(dim): each.to_json() for dim, each in by_dim.items()}
    whole = {"figures": figures[str(max(by_dim))]}
    return whole if len(figures) == 1 else {**whole, "figures_by_dim": figures}


def _accumulated(
    model: torch.nn.Module,
    table: Table,
    scores: Callable[[Inputs], list[Tensor]],
    count: int,
    rows: int | None,
    workers: int | None,
) -> list[MetricAccumulator]:
    """One accumulator for each of the `count` score tensors (B, C) that `scores` gives per batch."""
    model.eval()
    device = next(model.parameters()).device
    metrics = [MetricAccumulator(table.labels.num_classes) for _ in range(count)]

    def score(chosen: np.ndarray) -> list[TopScores]:
        inputs, labels = batch(table, chosen, device)
        return [top_of(one, labels, metrics[0].k) for one in scores(inputs)]

    order = reading_order(table, rows or ROWS[table.schema.level])
    with closing(in_order(score, order, workers_for(device.type) if workers is None else workers)) as batches:
        for tops in batches:
            for accumulator, top in zip(metrics, tops, strict=True):
                accumulator.append(top)
            if len(metrics[0]) < len(table):
                check_interrupt()
    return metrics


@torch.inference_mode()
def probabilities(model: torch.nn.Module, inputs: Inputs, precision: Precision) -> Tensor:
    """Probabilities float32 (B, C); the model, any that maps inputs to logits, is in evaluation mode."""
    return torch.sigmoid(class_logits(model, inputs, precision))


def class_logits(model: torch.nn.Module, inputs: Inputs, precision: Precision) -> Tensor:
    """As `probabilities`, but logits; whether there are gradients is the caller's choice."""
    device = _device(inputs)
    # The settings hold for the process, which is safe: on a GPU there is one worker. They are made for each
    # call, since the teachers of a mean may differ in precision.
    with (
        device_settings(device, precision),
        torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"),
    ):
        return (model.logits(_embedded(model, inputs)) if isinstance(model, Model) else model(inputs)).float()


@torch.inference_mode()
def prefix_probabilities(model: Model, inputs: Inputs, precision: Precision) -> list[Tensor]:
    """As `probabilities`, for each size in `model.dims`; videos are embedded once."""
    device = _device(inputs)
    with (
        device_settings(device, precision),
        torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"),
    ):
        embedding = _embedded(model, inputs)
        return [torch.sigmoid(model.logits(embedding, dim).float()) for dim in model.dims]


def top_of(scores: Tensor, labels: Tensor, k: int) -> TopScores:
    """The k highest scores per video and all that metrics need; found on the device, so little is sent.

    Scores are float32 probabilities (B, C), labels bool (B, C); RecordError if a score is NaN.
    """
    if scores.device.type == "cpu":
        return top_of_batch(scores.numpy(), labels.numpy(), k)
    return top_scores(scores, labels, k)


def _device(inputs: Inputs) -> str:
    return (inputs if isinstance(inputs, Tensor | Blended) else inputs[0]).device.type


def _embedded(model: Model, inputs: Inputs) -> Tensor:
    if not isinstance(inputs, Tensor) or inputs.device.type != "cpu":
        return model.embed(inputs)
    return torch.cat([model.embed(rows) for rows in torch.split(inputs, EMBEDDED_AT_ONCE)])


@torch.no_grad()
def top_scores(scores: Tensor, labels: Tensor, k: int = 20) -> TopScores:
    """`top_of_batch` by torch, on any device, equal to the bit; min(k, C) scores are kept per video.

    Raises:
        RecordError: a score is NaN.
        SchemaError: shapes or types do not fit.
        UsageError: k < 1.
    """
    if scores.dtype != torch.float32 or labels.dtype != torch.bool or scores.shape != labels.shape:
        found = f"scores {scores.dtype} {tuple(scores.shape)}, labels {labels.dtype} {tuple(labels.shape)}"
        raise SchemaError(found, hint="pass float32 scores and bool labels, both (videos, classes)")
    if k < 1:
        raise UsageError(f"k is {k}", hint="keep at least one score per video")
    if scores.dim() != 2 or not 0 < scores.shape[1] <= _CLASSES + 1:
        checked_scores(np.empty(tuple(scores.shape), np.float32))  # raises the error that says what is wrong
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
    # One int64 sorts by score, then by class; adding 0 makes -0.0 and 0.0 equal. A float's bits, read as an
    # int, grow with it; of negative floats they shrink, so they are inverted.
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
    longer = (num_labels > values.shape[1]).nonzero()[:, 0]  # videos with more labels than kept scores
    if len(longer):
        values, classes = _highest(scores[longer], int(wanted.max()))
        found[longer] = _found(values, labels[longer].gather(1, classes), num_labels[longer])
    return found.cpu().numpy() / np.maximum(wanted, 1)


def _found(values: Tensor, hits: Tensor, num_labels: Tensor) -> Tensor:
    counted = torch.arange(values.shape[1], device=values.device) < num_labels[:, None]
    return (counted & (values > 0) & hits).sum(1)

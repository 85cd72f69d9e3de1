"""How good a model is on labelled videos."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import numpy as np
import torch
from torch import Tensor

from compress.metrics import MetricAccumulator, TopScores
from compress.progress import check_interrupt
from compress.training.inputs import Table, batch, reading_order
from compress.training.precision import Precision
from compress.training.probabilities import prefix_probabilities, probabilities, top_of
from compress.workers import in_order, workers_for
from encoders import Inputs, Model

ROWS = {"video": 512, "frame": 64}  # frames are many: an LSTM layer holds 4 gates for each


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
        model: inputs -> log-odds (B, C), a Model with a head; it is in evaluation mode when this returns.
        table: N labelled videos.
        precision: "fp32", or "bf16" for autocast.
        rows: videos at once, for each worker; None for ROWS of the level.
        workers: threads that score a batch each, 0 for none but the caller's, None for as many as torch has;
            no figure depends on it.

    Returns:
        The accumulator; its videos stand in the table's order at video level, by length at frame level.

    Raises:
        RecordError: a score is not a number.
        Interrupted: on request, after the batches at hand; nothing is kept.
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
    """As `accumulate`, for each size in `model.dims` by its own head; videos are embedded once."""

    def scores(inputs: Inputs) -> list[Tensor]:
        return prefix_probabilities(model, inputs, precision)

    found = _accumulated(model, table, scores, len(model.dims), rows, workers)
    return dict(zip(model.dims, found, strict=True))


def _accumulated(
    model: torch.nn.Module,
    table: Table,
    scores: Callable[[Inputs], list[Tensor]],
    count: int,
    rows: int | None,
    workers: int | None,
) -> list[MetricAccumulator]:
    """One accumulator for each of the `count` tensors (B, C) that `scores` gives for a batch."""
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

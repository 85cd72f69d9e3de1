"""MAP over all scores of all videos, not only the 20 highest of each: `compress evaluate --full-map`."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing

import numpy as np
import torch

from compress.metrics import FullMAP
from compress.progress import Progress, Reporter, check_interrupt, silent
from compress.training.inputs import Table, batch, reading_order
from compress.training.precision import Precision
from compress.training.scoring import ROWS, probabilities
from compress.workers import in_order, workers_for

Scored = tuple[np.ndarray, np.ndarray]


def model_full_map(
    model: torch.nn.Module, table: Table, precision: Precision = "fp32", report: Reporter = silent
) -> dict[str, float]:
    """`full_map` of a model (inputs -> logits (B, C)) on N labelled videos.

    The model is in evaluation mode when this returns.
    """
    model.eval()
    device = next(model.parameters()).device

    def score(chosen: np.ndarray) -> Scored:
        inputs, labels = batch(table, chosen, device)
        return probabilities(model, inputs, precision).cpu().numpy(), labels.cpu().numpy()

    def batches() -> Generator[Scored, None, None]:
        order = reading_order(table, ROWS[table.schema.level])
        return in_order(score, order, workers_for(device.type))

    return full_map(batches, len(table), table.labels.num_classes, report)


def full_map(
    batches: Callable[[], Generator[Scored, None, None]],
    num_videos: int,
    num_classes: int,
    report: Reporter = silent,
) -> dict[str, float]:
    """MAP of scores that are computed twice and never kept.

    Args:
        batches: called twice; gives the same scores float32 (b, C), with their labels bool (b, C).
        num_videos: of all batches.
        num_classes: C.
        report: gets progress.

    Returns:
        {"map", "map_with_empty_as_zero"}.

    Raises:
        DataError: the scores were not the same both times, or there are no videos.
        RecordError: a score is not a number.
        Interrupted: on request; nothing is kept.
    """
    full, seen = FullMAP(num_classes), 0
    for second in (False, True):
        with closing(batches()) as scored:
            for scores, labels in scored:
                if second:
                    full.count(scores)
                else:
                    full.collect(scores, labels)
                seen += len(scores)
                report(Progress("map of all scores", seen, 2 * num_videos))
                check_interrupt()
    return {"map": full.mean("skip"), "map_with_empty_as_zero": full.mean("zero")}

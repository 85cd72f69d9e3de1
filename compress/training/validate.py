"""How good a model is on labelled videos."""

from __future__ import annotations

import torch

from compress.metrics import MetricAccumulator
from compress.training.inputs import Table, batch, reading_order

ROWS = {"video": 512, "frame": 64}  # frames are many: an LSTM layer holds 4 gates for each


@torch.no_grad()
def accumulate(
    model: torch.nn.Module, table: Table, *, precision: str = "fp32", rows: int | None = None
) -> MetricAccumulator:
    """Score every video of a table.

    Args:
        model: inputs -> log-odds (B, C), a Model with a head; it is in evaluation mode when this returns.
        table: N labelled videos.
        precision: "fp32", or "bf16" for autocast.
        rows: videos at once; None for ROWS of the level.

    Returns:
        The accumulator; its videos stand in the table's order at video level, by length at frame level.
    """
    model.eval()
    device = next(model.parameters()).device
    metrics = MetricAccumulator(table.labels.num_classes)
    for chosen in reading_order(table, rows or ROWS[table.schema.level]):
        inputs, labels = batch(table, chosen, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            scores = torch.sigmoid(model(inputs).float())
        metrics.update(scores.cpu().numpy(), labels.cpu().numpy())
    return metrics

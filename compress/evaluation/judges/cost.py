"""What a panel of judges will cost, told before it begins."""

from __future__ import annotations

from collections.abc import Sequence

from compress.evaluation.judges.opinion import Search
from compress.evaluation.judges.panel import JUDGES
from compress.evaluation.judges.trained import Trained
from compress.training.cost import measure_cost
from compress.training.inputs import Table
from compress.training.recipes import JUDGE_PATIENCE

TYPICAL_EPOCHS = 12
"""To the best epoch of a judge, on 20,000 real videos; more where little is learned from each."""
_CLOSED_FORM_SECONDS = 3e-9  # per video, dimension and class, roughly: a solution and its scores


def judging_seconds(
    names: Sequence[str],
    search: Search,
    table: Table,
    validation: Table,
    *,
    device: str = "cpu",
    threads: int = 0,
    budget: float,
) -> float:
    """Seconds of some judges on embeddings like these, from a few real steps of each.

    Args:
        names: of the judges.
        search: of each judge.
        table, validation: videos to learn from and to score.
        device, threads: as of `train`.
        budget: seconds of timed steps of each judge.
    """
    total = len(table) * table.schema.dim * table.schema.num_classes * _CLOSED_FORM_SECONDS
    for judge in (JUDGES[name] for name in names):
        if isinstance(judge, Trained):
            configs = judge.candidates(search, len(table), table.schema.dim)
            cost = measure_cost(configs[0], table, validation, device=device, threads=threads, budget=budget)
            epochs = min(configs[0].epochs, TYPICAL_EPOCHS + JUDGE_PATIENCE)
            trainings = len(configs) + judge.seeds(search, len(table)) - 1
            total += trainings * epochs * (cost.epoch + cost.validation)
    return total

"""What a panel of judges will cost, told before it begins."""

from __future__ import annotations

from collections.abc import Sequence

from compress.evaluation.judges.question import Judge, Question, Search
from compress.evaluation.judges.trained import Trained
from compress.training.cost import measure_cost
from compress.training.inputs import Table
from compress.training.recipes import JUDGE_PATIENCE

TYPICAL_EPOCHS = 8
"""To the best epoch of a judge: 5 to 13 on 23,091 real videos of 1152 and of 320 dimensions."""
_TIMED_FROM = 3e9  # videos x dimensions x classes: a few seconds of work for every judge
_BUDGET = 0.5  # seconds of timed steps of each judge
_CLOSED_FORM_SECONDS = 6e-11  # per video, dimension and class, of a judge that has no steps: 3 to 8 s there


def cost_in_words(judges: Sequence[Judge], question: Question) -> str:
    """What is going to be asked, and how long it takes where that is long enough to be told.

    A rough estimate comes first, as little work takes less time than timing it would.
    """
    names = ", ".join(judge.name for judge in judges)
    who = f"{len(judges)} judges ({names})" if len(judges) > 1 else f"one judge ({names})"
    fit, aside, search = question.fit, question.aside, question.search
    videos = f"{len(fit) + len(aside):,} training and {len(question.validation):,} validation videos"
    told = f"asking {who} about {videos}"
    work = len(fit) * fit.schema.dim * fit.schema.num_classes
    if work < _TIMED_FROM:
        return told
    seconds = judging_seconds(
        judges, search, fit, aside, device=question.device, threads=question.threads, budget=_BUDGET
    )
    return f"{told}: about {_duration(seconds)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def judging_seconds(
    judges: Sequence[Judge],
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
        judges: to be asked.
        search: of each judge.
        table, validation: videos to learn from and to score.
        device, threads: as of `train`.
        budget: seconds of timed steps of each judge.
    """
    total, work = 0.0, len(table) * table.schema.dim * table.schema.num_classes
    for judge in judges:
        if isinstance(judge, Trained):
            configs = judge.candidates(search, len(table), table.schema.dim)
            cost = measure_cost(configs[0], table, validation, device=device, threads=threads, budget=budget)
            epochs = min(configs[0].epochs, TYPICAL_EPOCHS + JUDGE_PATIENCE)
            trainings = len(configs) + judge.seeds(search, len(table)) - 1
            total += trainings * epochs * (cost.epoch + cost.validation)
        else:
            total += work * _CLOSED_FORM_SECONDS
    return total

"""What a judge answers, as it is kept with the scores of a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.metrics import METRICS, Figures, TopScores


@dataclass(frozen=True, eq=False)
class Opinion:
    """What a judge found.

    Args:
        top: its scores of the validation videos, in their order.
        aside_gap: GAP on the videos that were set aside, on which it chose its settings.
        settings: what it chose, JSON: numbers by name.
        converged: whether its training ended by itself; closed-form judges always have.
        parameters: numbers that were learned.
        heads: the figures of each head that it is the mean of; one for a closed-form judge.
        map_full: MAP over all scores; None when not asked for.
    """

    top: TopScores
    aside_gap: float
    settings: Mapping[str, Any]
    converged: bool
    parameters: int
    heads: tuple[Figures, ...]
    map_full: Mapping[str, float] | None = None

    def variance(self, metric: str) -> float:
        """Of a metric of their mean, because of the seeds of the heads.

        0 for a single head: in closed form there is none, and else it is not known.
        """
        values = [found[metric] for found in self.heads]
        return float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.0

    def in_words(self) -> str:
        """What was chosen on the training videos that were set aside: `GAP 0.7042 ... (mixup 0, ...)`."""
        chosen = ", ".join(
            f"{name.replace('_', ' ')} {' and '.join(map(str, np.atleast_1d(value).tolist()))}"
            for name, value in self.settings.items()
        )
        ended = "" if self.converged else ", not converged"
        return f"GAP {self.aside_gap:.4f} on the training videos set aside{ended} ({chosen})"


def opinion_from(top: TopScores, value: Mapping[str, Any]) -> Opinion:
    """The reverse of `opinion_json`; KeyError for a field that is missing."""
    heads = tuple(Figures(found, len(top), int((top.class_positives > 0).sum())) for found in value["heads"])
    return Opinion(
        top,
        value["aside_gap"],
        value["settings"],
        value["converged"],
        value["parameters"],
        heads,
        value["map_full"],
    )


def opinion_json(opinion: Opinion) -> dict[str, Any]:
    """All of an opinion but its scores."""
    heads = [{metric.name: found[metric.name] for metric in METRICS} for found in opinion.heads]
    return {
        "aside_gap": opinion.aside_gap,
        "settings": dict(opinion.settings),
        "converged": opinion.converged,
        "parameters": opinion.parameters,
        "heads": heads,
        "map_full": opinion.map_full,
    }

"""Judges that are trained step by step: mixture of experts, logistic regression, one hidden layer.

Each is the mean of a few heads with seeds of their own, so that a verdict depends less on the seed, and so
that it is known how much it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from compress.evaluation.judges.opinion import Opinion
from compress.evaluation.judges.question import Judge, Question, Search, answer
from compress.metrics import Figures
from compress.progress import Event, Progress, Reporter, silent
from compress.training.config import TrainConfig
from compress.training.loop import train
from compress.training.precision import Precision
from compress.training.recipes import judge_config
from compress.training.run import load_model
from compress.training.scoring import accumulate
from encoders import Model

SEEDS, ENOUGH = 3, 50_000
"""Heads of a judge, and training videos from which on one is enough: with more, seeds differ less."""
FEW = 20_000
"""Training videos below which a strong weight decay is tried too: early stopping alone restrains too little.

With 450 of 60 classes it is worth 5 (logistic) to 11 points (mixture of experts) of GAP, with 20,782 of 3,862
classes nothing (docs/experiments.md).
"""
_STRONG = {"mixup": 0.4, "weight_decay": 3.0}
_ANY_DIM = 1152  # in a recipe, which rows of all sizes share


@dataclass(frozen=True)
class Trained(Judge):
    """A judge that the training loop trains.

    Args:
        name, title: of the judge.
        searched: settings to try with the first seed.
    """

    name: str
    title: str
    searched: tuple[Mapping[str, float], ...]

    def recipe(self, search: Search, videos: int) -> dict[str, Any]:
        tried = [config.to_json() for config in self.candidates(search, videos, _ANY_DIM)]
        return {"tried": tried, "seeds": self.seeds(search, videos)}

    def ask(self, question: Question, folder: Path, report: Reporter = silent) -> Opinion:
        search, videos = question.search, len(question.fit)
        tried = self.candidates(search, videos, question.fit.schema.dim)
        seeds = self.seeds(search, videos)
        trainings = len(tried) + seeds - 1
        found = [
            _head(question, config, folder / f"settings-{number}", self._named(report, number, trainings))
            for number, config in enumerate(tried)
        ]
        best = max(range(len(tried)), key=lambda number: found[number].gap)
        heads = [found[best]]
        for number in range(1, seeds):
            config = replace(tried[best], seed=search.seed + number)
            told = self._named(report, len(tried) + number - 1, trainings)
            heads.append(_head(question, config, folder / f"seed-{number}", told))
        model = MeanOfHeads([head.model for head in heads]).to(question.device)
        precision = tried[best].precision
        settings = {
            "mixup": tried[best].mixup,
            "weight_decay": tried[best].weight_decay,
            "batch_size": tried[best].batch_size,
            "epochs": [head.epochs for head in heads],
        }
        return answer(
            question,
            model,
            settings=settings,
            converged=all(head.converged for head in heads),
            parameters=sum(heads[0].model.parameter_counts().values()),
            precision=precision,
            heads=tuple(_figures(question, head.model, precision) for head in heads),
            report=report,
        )

    def _named(self, report: Reporter, number: int, trainings: int) -> Reporter:
        """For one training of several: its progress as one stage, and nothing of its epochs."""

        def told(event: Event) -> None:
            if isinstance(event, Progress):
                report(replace(event, stage=f"{self.title}, {number + 1} of {trainings}"))

        return told

    def seeds(self, search: Search, videos: int) -> int:
        """Heads that it is the mean of."""
        return search.seeds or (SEEDS if videos < ENOUGH else 1)

    def candidates(self, search: Search, videos: int, dim: int) -> list[TrainConfig]:
        """The recipes that are tried with the first seed.

        Args:
            search: what is given.
            videos: that are not set aside.
            dim: embedding size.
        """
        options: list[Mapping[str, float]] = [*self.searched]
        if search.mixup is not None:  # a given one leaves nothing to search
            options = [{**one, "mixup": search.mixup} for one in options]
        elif videos < FEW:
            options.append(_STRONG)
        different = [one for place, one in enumerate(options) if one not in options[:place]]
        return [
            judge_config(self.name, videos, dim, search.seed, epochs=search.epochs, **one)
            for one in different
        ]


@dataclass(frozen=True, eq=False)
class _Head:
    model: Model
    gap: float  # on the videos that were set aside
    epochs: int
    converged: bool


def _head(question: Question, config: TrainConfig, folder: Path, report: Reporter) -> _Head:
    train(
        config,
        question.fit,
        question.aside,
        folder,
        device=question.device,
        threads=question.threads,
        report=report,
    )
    model, facts = load_model(folder)
    return _Head(model.to(question.device), facts["figures"]["gap"], facts["epoch"], bool(facts["converged"]))


def _figures(question: Question, model: nn.Module, precision: Precision) -> Figures:
    return accumulate(model, question.validation, precision=precision).figures()


class MeanOfHeads(nn.Module):
    """The mean of the probabilities of some models of the same classes, as logits (B, C)."""

    def __init__(self, models: Sequence[Model]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)

    def forward(self, embedding: Tensor) -> Tensor:
        """Embeddings (B, dim) -> logits float32 (B, C)."""
        probabilities = [torch.sigmoid(model(embedding).float()) for model in self.models]
        return torch.logit(torch.stack(probabilities).mean(0), eps=1e-9)

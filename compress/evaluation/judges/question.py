"""What a judge is asked, and how its answer is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from compress.datasets.table import FeatureRows, VideoTable
from compress.errors import SchemaError, UsageError
from compress.evaluation.full_map import model_full_map
from compress.evaluation.judges.opinion import Opinion
from compress.metrics import Figures, figures
from compress.progress import Reporter, silent
from compress.training.precision import Precision
from compress.training.scoring import accumulate
from compress.training.set_aside import set_aside


@dataclass(frozen=True)
class Search:
    """How each judge looks for its best form, the same for every row.

    Args:
        seeds: heads that a trained judge is the mean of; None chooses by the number of videos.
        epochs: the most that a head trains; None for the recipe's.
        mixup: alpha of the mixup of trained judges; None searches it.
        seed: of the first head, the next has the next one.
    """

    seeds: int | None = None
    epochs: int | None = None
    mixup: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class Question:
    """Videos to learn from, and videos to answer about.

    Args:
        fit: N training videos without those that are set aside.
        aside: training videos that settings and the end of a training are chosen on.
        validation: the videos that are reported; no judge chooses anything on them.
        search: how the judge looks for its best form.
        device: "cpu" or "cuda".
        threads: CPU threads of torch; 0 leaves them as they are.
        full_map: also compute MAP over all scores.
    """

    fit: VideoTable
    aside: VideoTable
    validation: VideoTable
    search: Search
    device: str = "cpu"
    threads: int = 0
    full_map: bool = False

    @property
    def train_ids(self) -> np.ndarray:
        """Of all training videos."""
        return np.concatenate([self.fit.ids, self.aside.ids])


_IN_MEMORY = 2 << 30  # bytes of features


class Judge(Protocol):
    """A classifier with a search for its best form."""

    name: str
    title: str

    def recipe(self, search: Search, videos: int) -> dict[str, Any]:
        """All that its answer depends on besides the videos, JSON."""

    def ask(self, question: Question, folder: Path, report: Reporter = silent) -> Opinion:
        """Learn from the training videos, and score the validation videos.

        `folder` holds what a continued call needs; it is removed afterwards.
        """


def question(
    train: VideoTable,
    validation: VideoTable,
    search: Search,
    *,
    device: str = "cpu",
    threads: int = 0,
    full_map: bool = False,
) -> Question:
    """Set a part of the training videos aside: those that an encoder of preset `best` has not learned from.

    Raises:
        UsageError: there are too few to do so.
        SchemaError: no video has a label, of those to learn from, those set aside, or those to answer about.
    """
    chosen = set_aside(train.ids)
    if not chosen.any():
        raise UsageError(
            f"{len(train)} training videos are too few to judge by: some must be set aside",
            hint="train on at least 20 videos",
        )
    fit, aside = (_part(train, np.flatnonzero(rows)) for rows in (~chosen, chosen))
    told = {"training video": fit, "training video that is set aside": aside, "validation video": validation}
    for what, table in told.items():
        if not table.labels.counts().any():
            raise SchemaError(f"no {what} has a label", hint="a judge needs labelled videos")
    return Question(fit, aside, validation, search, device, threads, full_map)


def _part(table: VideoTable, rows: np.ndarray) -> VideoTable:
    """Some videos of a table: in memory where they are few, as they are read often; else on access."""
    taken = PickedRows(table.features, rows)
    features = taken[:] if len(rows) * table.schema.dim * 4 <= _IN_MEMORY else taken
    return VideoTable(table.ids[rows], features, table.labels.take(rows), table.schema)


class PickedRows:
    """Some rows of features, read like an array (N, D)."""

    def __init__(self, features: np.ndarray | FeatureRows, rows: np.ndarray) -> None:
        self.shape = (len(rows), features.shape[1])
        self._features, self._rows = features, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, chosen: np.ndarray | slice) -> np.ndarray:
        """Features float32 (n, D) of the chosen places."""
        return np.asarray(self._features[self._rows[chosen]])


def answer(
    question: Question,
    model: torch.nn.Module,
    *,
    settings: Mapping[str, Any],
    converged: bool,
    parameters: int,
    precision: Precision = "fp32",
    heads: tuple[Figures, ...] = (),
    aside_gap: float | None = None,
    report: Reporter = silent,
) -> Opinion:
    """The opinion of a model (embeddings -> logits) that is ready.

    `heads` and `aside_gap` are measured with the model where they are not given.
    """
    top = accumulate(model, question.validation, precision=precision).top()
    if aside_gap is None:
        aside_gap = accumulate(model, question.aside, precision=precision).figures().gap
    full = model_full_map(model, question.validation, precision, report) if question.full_map else None
    return Opinion(top, aside_gap, settings, converged, parameters, heads or (figures(top),), full)

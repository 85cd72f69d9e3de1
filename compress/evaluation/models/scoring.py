"""Scores of several models on the same videos, averaged as probabilities, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing

import numpy as np
import torch
from torch import Tensor

from compress.datasets.schema import Level
from compress.errors import DataError
from compress.evaluation.full_map import Scored, full_map
from compress.evaluation.models.members import Member
from compress.evaluation.models.videos import Views
from compress.metrics import MetricAccumulator, TopScores
from compress.progress import Progress, Reporter, check_interrupt, silent
from compress.training.inputs import batch
from compress.training.precision import Precision
from compress.training.scoring import probabilities, top_of
from compress.workers import in_order, workers_for
from encoders import Model

Rows = Mapping[Level, np.ndarray]


def mean_scores(
    members: Sequence[Member],
    videos: Views,
    precisions: Sequence[Precision],
    device: str = "cpu",
    report: Reporter = silent,
    workers: int | None = None,
) -> TopScores:
    """The mean over the members of the probability of each class, with equal weights.

    All models are in memory and, for each worker, one batch (b, C), however many videos and members there
    are.

    Args:
        members: M >= 1 runs with heads.
        videos: N videos, at every level that a member reads.
        precisions: of each member.
        device: "cpu" or "cuda".
        workers: as `accumulate`.

    Returns:
        Top scores of the videos in the order of their ids. A single member, in the precision of its
        training, gives the scores that training measured.

    Raises:
        DataError: a score is not a number; names the run.
        Interrupted: on request; nothing is kept.
    """
    mean = _mean_of_members(members, videos, precisions, device)
    metrics, places = MetricAccumulator(videos.num_classes), []

    def score(chosen: tuple[np.ndarray, Rows]) -> tuple[np.ndarray, TopScores]:
        place, rows = chosen
        return place, top_of(*mean(rows), metrics.k)

    workers = workers_for(device) if workers is None else workers
    with closing(in_order(score, videos.batches(), workers)) as batches:
        for place, top in batches:
            metrics.append(top)
            places.append(place)
            report(Progress("score", len(metrics), len(videos)))
            if len(metrics) < len(videos):
                check_interrupt(
                    "run the same command again; nothing is kept of an evaluation that was stopped"
                )
    return metrics.top().take(np.argsort(np.concatenate(places)))


def mean_full_map(
    members: Sequence[Member],
    videos: Views,
    precisions: Sequence[Precision],
    device: str = "cpu",
    report: Reporter = silent,
) -> dict[str, float]:
    """MAP over all scores of the same mean; arguments as `mean_scores`, the rest as `full_map`."""
    mean = _mean_of_members(members, videos, precisions, device)

    def score(chosen: tuple[np.ndarray, Rows]) -> Scored:
        scores, labels = mean(chosen[1])
        return scores.cpu().numpy(), labels.cpu().numpy()

    def batches() -> Generator[Scored, None, None]:
        return in_order(score, videos.batches(), workers_for(device))

    return full_map(batches, len(videos), videos.num_classes, report)


def _mean_of_members(
    members: Sequence[Member], videos: Views, precisions: Sequence[Precision], device: str
) -> Callable[[Rows], tuple[Tensor, Tensor]]:
    """Rows of the tables -> probabilities float32 (b, C) and labels bool (b, C), both on the device."""
    models = [member.load().to(device) for member in members]

    def mean(rows: Rows) -> tuple[Tensor, Tensor]:
        total: Tensor | None = None
        for member, model, precision in zip(members, models, precisions, strict=True):
            scores = _probabilities(member, model, videos, rows, precision, device)
            total = scores if total is None else total + scores
        assert total is not None
        labels = next(iter(videos.tables.values())).labels.multi_hot(next(iter(rows.values())))
        return (total / len(models)).float(), torch.from_numpy(labels).to(device)

    return mean


@torch.inference_mode()
def _probabilities(
    member: Member, model: Model, videos: Views, rows: Rows, precision: Precision, device: str
) -> Tensor:
    """float64 (b, C): sums of float32 values in it do not depend on the order of the runs."""
    inputs, _ = batch(videos.tables[member.level], rows[member.level], torch.device(device))
    scores = probabilities(model, inputs, precision)
    if not bool(torch.isfinite(scores).all()):
        raise DataError(
            f"the run {member.name!r} gives scores that are not numbers",
            where=member.folder,
            hint="train it again with --fresh",
        )
    return scores.double()

"""Scores of several models on the same videos, averaged as probabilities, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from compress.datasets.schema import Level
from compress.errors import DataError
from compress.evaluation.models.members import Member
from compress.evaluation.models.views import Views
from compress.metrics import MetricAccumulator, TopScores
from compress.progress import Progress, Reporter, check_interrupt, silent
from compress.training.inputs import batch
from encoders import Model


@torch.no_grad()
def mean_scores(
    members: Sequence[Member], videos: Views, device: str = "cpu", report: Reporter = silent
) -> TopScores:
    """The mean over the members of the probability of each class, each member counting alike.

    In memory are all models and one batch: (b, C) numbers, whatever the number of videos and members.

    Args:
        members: M >= 1 runs with heads; each is computed in the precision it was trained in.
        videos: N videos, at every level that a member reads.
        device: "cpu" or "cuda".

    Returns:
        Top scores of the videos in the order of their ids. Of one member they are what training measured.

    Raises:
        DataError: a score is not a number; names the run.
    """
    models = [member.load().to(device) for member in members]
    metrics, places = MetricAccumulator(videos.num_classes), []
    for chosen, rows in videos.batches():
        total: torch.Tensor | None = None
        for member, model in zip(members, models, strict=True):
            scores = _probabilities(member, model, videos, rows, device)
            total = scores if total is None else total + scores
        assert total is not None
        labels = next(iter(videos.tables.values())).labels.multi_hot(next(iter(rows.values())))
        metrics.update((total / len(models)).float().cpu().numpy(), labels)
        places.append(chosen)
        report(Progress("score", len(metrics), len(videos)))
        check_interrupt("run the same command again; nothing is kept of an evaluation that was stopped")
    return metrics.top().take(np.argsort(np.concatenate(places)))


def _probabilities(
    member: Member, model: Model, videos: Views, rows: Mapping[Level, np.ndarray], device: str
) -> torch.Tensor:
    """float64 (b, C): sums of float32 numbers in it do not depend on the order of the runs."""
    inputs, _ = batch(videos.tables[member.level], rows[member.level], torch.device(device))
    with torch.autocast(device, torch.bfloat16, enabled=member.recipe["precision"] == "bf16"):
        scores = torch.sigmoid(model(inputs).float())
    if not bool(torch.isfinite(scores).all()):
        raise DataError(
            f"the run {member.name!r} gives scores that are not numbers",
            where=member.folder,
            hint="train it again with --fresh",
        )
    return scores.double()

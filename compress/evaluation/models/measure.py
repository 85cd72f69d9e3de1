"""Measure trained runs with the heads they were trained with: one alone, or the mean of several."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from compress.errors import SchemaError
from compress.evaluation.model_size import model_size
from compress.evaluation.models.facts import described, notes
from compress.evaluation.models.kept import (
    baseline_scores,
    measured,
    row_path,
    scores_folder,
)
from compress.evaluation.models.members import Member, precisions_of
from compress.evaluation.models.row import ModelRow
from compress.evaluation.models.scoring import mean_full_map, mean_scores
from compress.evaluation.models.training_videos import TrainingVideos
from compress.evaluation.models.views import Views
from compress.evaluation.row import Data
from compress.evaluation.scores import save_scores
from compress.metrics import replicates
from compress.progress import Reporter, silent
from compress.training.precision import Wanted
from compress.workspace import Workspace


def evaluate_models(
    workspace: Workspace,
    name: str,
    members: Sequence[Member],
    videos: Views,
    *,
    trained_on: TrainingVideos | None = None,
    baseline: str | None = None,
    precision: Wanted = "auto",
    full_map: bool = False,
    seed: int = 0,
    threads: int = 0,
    device: str = "cpu",
    source: str,
    command: str,
    report: Reporter = silent,
) -> ModelRow:
    """Measure and write evaluation/models/<name>.json, and the scores beside it.

    Args:
        workspace: where evaluations lie.
        name: of the evaluation.
        members: the runs; their probabilities are averaged, each counts alike.
        videos: to measure on.
        trained_on: training videos, where they are known.
        baseline: another evaluation that deltas are measured against, paired over the videos.
        precision: in what the runs are computed; "auto": each as it was trained, where the device has that.
        full_map: also compute MAP over all scores, which scores the videos twice more.
        seed: of the bootstrap.
        threads: of torch; 0 leaves them as they are.
        device: "cpu" or "cuda".
        source: which shards, for the row.
        command: what to type to get this row.

    Returns:
        The row that was written.

    Raises:
        SchemaError: the runs know other classes or read another level than the videos have, or the baseline
            was measured on other videos.
        NotFoundError: the baseline was not measured.
        DataError: a score is not a number.
    """
    _check_fits(members, videos)
    against = None if baseline is None else baseline_scores(workspace, baseline, videos)
    if threads:
        torch.set_num_threads(threads)
    precisions = precisions_of(members, precision, device)
    top = mean_scores(members, videos, precisions, device, report)
    resampled = replicates(top, seed=seed)
    row = ModelRow(
        name=name,
        runs=tuple(member.name for member in members),
        **described(members),
        figures=resampled.intervals(),
        baseline=None if against is None else baseline,
        delta=None if against is None else resampled.minus(replicates(against[0], seed=seed)),
        data=Data(
            train_videos=max(member.facts["train_videos"] for member in members),
            validate_videos=len(videos),
            num_classes=videos.num_classes,
            fingerprint=videos.fingerprint,
            synthetic_frames=videos.synthetic_frames,
            source=source,
        ),
        model_sha256=tuple(member.sha256 for member in members),
        model_bytes=sum(model_size(member.folder)["bytes"] for member in members),
        precision=tuple(precisions),
        command=command,
        notes=tuple(notes(members, videos, precisions)),
        map_full=mean_full_map(members, videos, precisions, device, report) if full_map else None,
    )
    facts = measured(members, videos, precisions, baseline, None if against is None else against[1], seed)
    facts["train"] = None if trained_on is None else trained_on.fingerprint
    row.write(row_path(workspace, name))
    # Last: the scores say what the row is about, so a row without them is measured again.
    counts = None if trained_on is None else trained_on.class_counts
    save_scores(scores_folder(workspace, name), top, facts, counts)
    return row


def _check_fits(members: Sequence[Member], videos: Views) -> None:
    for member in members:
        table = videos.tables.get(member.level)
        if table is None:
            raise SchemaError(
                f"{member.name!r} reads {member.level}-level data, the videos are "
                f"{' and '.join(videos.tables)}-level",
                where=member.folder,
            )
        found = (table.schema.dim, videos.num_classes)
        if found != (member.schema.dim, member.schema.num_classes):
            raise SchemaError(
                f"{member.name!r} reads {member.schema.dim} numbers and knows {member.schema.num_classes} "
                f"classes, the videos have {found[0]} and {found[1]}",
                where=member.folder,
            )

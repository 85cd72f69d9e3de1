"""Measure trained runs with the heads they were trained with: one alone, or the mean of several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from compress.errors import LockedError, SchemaError
from compress.evaluation.description import model_size, model_title, recipe_notes, shrunk_title
from compress.evaluation.models.current import baseline_scores, measured, models_folder
from compress.evaluation.models.members import Member, precisions_of
from compress.evaluation.models.row import ModelRow, ModelTraining
from compress.evaluation.models.scoring import mean_full_map, mean_scores
from compress.evaluation.models.videos import TrainingVideos, Views, changed_shards
from compress.evaluation.row import Data
from compress.evaluation.row_file import SCORES
from compress.evaluation.scores import save_scores
from compress.machine import use_torch_threads
from compress.metrics import replicates
from compress.progress import Reporter, silent
from compress.training.log import read_log
from compress.training.precision import Precision, Wanted
from compress.training.run import Run, model_sha256
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
        workspace: has the evaluations.
        name: of the evaluation.
        members: the runs; their probabilities are averaged with equal weights.
        videos: to measure on.
        trained_on: training videos, when known.
        baseline: another evaluation that deltas are measured against, paired over the videos.
        precision: of the computation; "auto": each run as it was trained, if the device supports it.
        full_map: also compute MAP over all scores, which scores the videos twice more.
        seed: of the bootstrap.
        threads: of torch; 0 leaves them as they are.
        device: "cpu" or "cuda".
        source: which shards, for the row.
        command: the command that makes this row.

    Returns:
        The row that was written.

    Raises:
        SchemaError: classes or level of the runs and the videos differ, or the baseline was measured on
            other videos.
        NotFoundError: the baseline was not measured.
        DataError: a score is not a number.
    """
    _check_fits(members, videos)
    against = None if baseline is None else baseline_scores(workspace, baseline, videos)
    use_torch_threads(threads)
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
    folder = models_folder(workspace)
    counts = None if trained_on is None else trained_on.class_counts
    _check_unchanged(members)
    save_scores(folder / SCORES / name, top, facts, counts, row=row.to_json())
    row.write(folder / f"{name}.json")  # a copy for people: what counts is committed with the scores
    return row


def _check_unchanged(members: Sequence[Member]) -> None:
    """LockedError if a run was trained again while it was measured: the row would mix two."""
    for member in members:
        if model_sha256(member.folder) != member.sha256:
            what = "was trained again while it was measured"
            raise LockedError(what, where=member.folder, hint="run the command again")


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
                f"{member.name!r} reads {member.schema.dim} dimensions and knows {member.schema.num_classes} "
                f"classes, the videos have {found[0]} and {found[1]}",
                where=member.folder,
            )


SYNTHETIC = "Frames are synthetic: expanded from video-level features, whose mean they keep."


def described(members: Sequence[Member]) -> dict[str, Any]:
    """title, encoders, head, level, dim, parameters and training of a row.

    Of an ensemble: `head` is joined where they differ ("logistic + moe"), `level` is "frame" when one of them
    reads frames, `dim` and `training` are None, parameters are summed.
    """
    only = members[0] if len(members) == 1 else None
    parameters: Counter[str] = Counter()
    for member in members:
        parameters.update(member.facts["parameters"])
    return {
        "title": _title(members),
        "encoders": tuple(member.recipe["encoder"] for member in members),
        "head": " + ".join(sorted({str(member.facts["model_config"]["head"]) for member in members})),
        "level": "frame" if any(member.level == "frame" for member in members) else "video",
        "dim": None if only is None else only.dim,
        "parameters": dict(parameters),
        "training": None if only is None else _training(only),
    }


def _training(member: Member) -> ModelTraining:
    # `epochs` are those that were run (patience may have ended the training early), or those of the recipe
    # when the log is gone. `seconds` are CPU seconds of all cores together, if every epoch reports them.
    log = read_log(Run(member.folder).log)
    seconds = [line["cpu_seconds"] for line in log if "cpu_seconds" in line]
    return ModelTraining(
        epochs=len(log) or member.recipe["epochs"],
        best_epoch=member.facts["epoch"],
        videos=member.facts["train_videos"],
        seconds=round(sum(seconds), 1) if log and len(seconds) == len(log) else None,
        seed=member.recipe["seed"],
    )


def notes(members: Sequence[Member], videos: Views, precisions: Sequence[Precision]) -> list[str]:
    """Notes for the reader; in an ensemble each names its run."""
    found = []
    for member, precision in zip(members, precisions, strict=True):
        about = "" if len(members) == 1 else f"{member.name}: "
        found += [about + note for note in recipe_notes(member.folder)]
        for changed in changed_shards(member, videos.tables[member.level]):
            found.append(f"{about}Since the training, {changed}.")
        if precision != member.trained_in:
            found.append(f"{about}Computed in {precision}; the training was in {member.trained_in}.")
    if len({member.facts["train_videos"] for member in members}) > 1:
        counts = ", ".join(f"{member.name} on {member.facts['train_videos']:,}" for member in members)
        found.append(f"The runs were not trained on as many videos: {counts}.")
    return found + ([SYNTHETIC] if videos.synthetic_frames else [])


def _title(members: Sequence[Member]) -> str:
    titles = [
        model_title(
            member.recipe["encoder"],
            config["encoder_options"],
            member.dim,
            config["head"],
            config["head_options"].get("num_mixtures"),
        )
        + shrunk_title(member.facts)
        for member in members
        if (config := member.facts["model_config"])
    ]
    if len(titles) == 1:
        return titles[0]
    counted = Counter(titles)
    return "Mean of " + " and ".join(
        text if count == 1 else f"{count} x {text}" for text, count in counted.items()
    )

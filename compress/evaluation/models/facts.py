"""What is said about a measured model or ensemble, besides its figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from compress.artifacts.atomic import read_bytes
from compress.errors import CorruptArtifactError
from compress.evaluation.models.members import Member
from compress.evaluation.models.row import ModelTraining
from compress.evaluation.models.views import Views
from compress.evaluation.recipe_notes import recipe_notes
from compress.evaluation.titles import model_title, shrunk_title
from compress.training.precision import Precision
from compress.training.run import Run

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
    # `epochs` are those that were run: patience may have ended it before those of the recipe, which are taken
    # where the log is gone. `seconds` are CPU seconds, on all cores together, when each epoch says its own.
    log = _log(member)
    seconds = [line["cpu_seconds"] for line in log if "cpu_seconds" in line]
    return ModelTraining(
        epochs=len(log) or member.recipe["epochs"],
        best_epoch=member.facts["epoch"],
        videos=member.facts["train_videos"],
        seconds=round(sum(seconds), 1) if log and len(seconds) == len(log) else None,
        seed=member.recipe["seed"],
    )


def notes(members: Sequence[Member], videos: Views, precisions: Sequence[Precision]) -> list[str]:
    """Sentences that a reader needs, of an ensemble with the run that they are about."""
    found = []
    for member, precision in zip(members, precisions, strict=True):
        about = "" if len(members) == 1 else f"{member.name}: "
        found += [about + note for note in recipe_notes(member.folder)]
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


def _log(member: Member) -> list[dict[str, Any]]:
    path = Run(member.folder).log
    if not path.exists():
        return []
    try:
        lines = [json.loads(line) for line in read_bytes(path).splitlines()]
    except ValueError as error:
        raise CorruptArtifactError(f"a line is not JSON ({error})", where=path) from error
    if not all(isinstance(line, dict) for line in lines):
        raise CorruptArtifactError("a line is not a JSON object", where=path)
    return lines

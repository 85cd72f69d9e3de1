"""Where the evaluation of a model lies, and whether it is up to date with the model and the videos.

evaluation/models/scores/<name>/    its top scores and, of the same commit, its row
evaluation/models/<name>.json       the row for people to read, written after that
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compress.errors import DataError, NotFoundError, SchemaError
from compress.evaluation.models.members import Member
from compress.evaluation.models.row import read_model
from compress.evaluation.models.videos import Views
from compress.evaluation.scores import load_baseline, load_scores
from compress.metrics import TopScores
from compress.training.precision import Precision
from compress.training.run import Run, model_sha256
from compress.workspace import Workspace


def models_folder(workspace: Workspace) -> Path:
    """evaluation/models: rows, and scores/ beside them."""
    return workspace.evaluation / "models"


def model_is_current(
    workspace: Workspace,
    name: str,
    members: Sequence[Member],
    videos: Views,
    precisions: Sequence[Precision],
    *,
    baseline: str | None = None,
    full_map: bool = False,
    seed: int = 0,
) -> bool:
    """Whether evaluating again would write what is there already.

    That is so when the weights of all runs, their precision, the videos, the seed of the resamples and the
    weights of the baseline are unchanged, and none of the files is damaged.

    Args:
        workspace: holds the evaluation.
        name: of the evaluation.
        members: the runs.
        videos: to measure on.
        precisions: of each run.
        baseline: name of the evaluation that deltas are measured against.
        full_map: whether MAP over all scores is needed too.
        seed: of the bootstrap.

    Raises:
        NotFoundError, SchemaError: as `baseline_scores`.
    """
    against = None if baseline is None else baseline_scores(workspace, baseline, videos)[1]
    folder = models_folder(workspace)
    try:
        row = read_model(folder / f"{name}.json")
        facts = load_scores(folder / "scores" / name)[1]
    except (NotFoundError, DataError):
        return False  # missing, damaged, or of another version
    if full_map and row.map_full is None:
        return False
    wanted = measured(members, videos, precisions, baseline, against, seed)
    # Earlier versions always computed a run as it was trained, and did not say so.
    facts = {"precision": [member.trained_in for member in members], **facts}
    return {key: facts.get(key) for key in wanted} == wanted


def measured(
    members: Sequence[Member],
    videos: Views,
    precisions: Sequence[Precision],
    baseline: str | None,
    against: dict[str, Any] | None,
    seed: int,
) -> dict[str, Any]:
    """What an evaluation depends on, as JSON; kept with its scores. `against`: the same of the baseline."""
    return {
        "runs": [member.name for member in members],
        "model_sha256": [member.sha256 for member in members],
        "precision": list(precisions),
        "validate": videos.fingerprint,
        "contents": dict(videos.contents),
        "seed": seed,
        "baseline": None if against is None else {"name": baseline, "model_sha256": against["model_sha256"]},
    }


def baseline_scores(workspace: Workspace, name: str, videos: Views) -> tuple[TopScores, dict[str, Any]]:
    """Scores of another model on the same videos, and what they depend on.

    Raises:
        NotFoundError: it was not evaluated.
        SchemaError: measured on other videos, or one of its runs was trained again since.
        CorruptArtifactError: a checksum does not match.
    """
    top, facts = load_baseline(models_folder(workspace), name, _command(name, name.split("+")))
    command = _command(name, facts["runs"])
    if facts["validate"] != videos.fingerprint:
        raise SchemaError(
            f"the baseline {name!r} was measured on other validation videos",
            where=models_folder(workspace),
            hint=f"`{command}` on the same shards first",
        )
    for run, sha256 in zip(facts["runs"], facts["model_sha256"], strict=True):
        folder = workspace.run(run)
        if Run(folder).finished and model_sha256(folder) != sha256:
            raise SchemaError(
                f"{run!r} of the baseline {name!r} was trained again since it was measured",
                where=folder,
                hint=f"`{command}` first",
            )
    return top, facts


def _command(name: str, runs: Sequence[str]) -> str:
    words = [f"--run {run}" for run in runs]
    return " ".join(["compress evaluate", *words, *([] if name == "+".join(runs) else [f"--name {name}"])])

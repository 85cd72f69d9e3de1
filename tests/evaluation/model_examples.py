"""Invented videos as features and, from shards in another order, as frames; runs with random weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compress.artifacts.atomic import write_json
from compress.datasets.sample import write_sample
from compress.datasets.schema import Level
from compress.datasets.source import open_source
from compress.datasets.table import Table, load_table
from compress.evaluation.models.measure import evaluate_models
from compress.evaluation.models.members import load_members
from compress.evaluation.models.videos import Views, pair_views
from compress.training.config import TrainConfig
from compress.training.inputs import fingerprint
from compress.training.run import Run, load_model, save_model
from compress.workspace import Workspace
from encoders import InputNormConfig, ModelConfig, build_model

CLASSES, DIM, TRAIN, VALIDATE = 15, 1152, 40, 25


def make_workspace(root: Path) -> Workspace:
    """Shards of both levels; the frames of the validation videos come in another order than the features."""
    sample = {"num_classes": CLASSES, "num_frames": (2, 5)}
    for split, count in (("train", TRAIN), ("validate", VALIDATE)):
        write_sample(root / "video", level="video", num_videos=count, prefix=split, **sample)
        write_sample(root / "frame", level="frame", num_videos=count, prefix=split, shards=3, **sample)
    for number, name in ((0, "z"), (1, "y"), (2, "x")):
        old = root / "frame" / f"validate{number:04d}.tfrecord"
        old.rename(root / "frame" / f"validate-{name}.tfrecord")
    return Workspace(
        root,
        (str(root / "video/train*.tfrecord"),),
        (str(root / "video/validate*.tfrecord"),),
        num_classes=CLASSES,
        train_frames=(str(root / "frame/train*.tfrecord"),),
        validate_frames=(str(root / "frame/validate*.tfrecord"),),
    )


def table(workspace: Workspace, split: str, level: Level) -> Table:
    """The videos of one split."""
    return load_table(open_source(workspace.patterns(split, level), num_classes=CLASSES))


def made_run(
    workspace: Workspace,
    name: str,
    encoder: str = "linear",
    options: Mapping[str, Any] | None = None,
    *,
    head: str | None = "moe",
    seed: int = 0,
    classes: int = CLASSES,
    precision: str = "fp32",
    seconds: list[float | None] | None = None,
) -> Path:
    """A run as a training on `workspace` leaves it, with random weights.

    Args:
        seconds: of each epoch in the log; None for an epoch that does not tell.
    """
    torch.manual_seed(seed)
    options = {"input_dim": DIM, **({"dim": 5} if options is None else options)}
    model = build_model(ModelConfig(encoder, classes, options, head, {}, InputNormConfig(DIM, "l2")))
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(torch.randn_like(weights))  # new heads give every class nearly the same
    level = model.encoder.level
    trained = table(workspace, "train", level)
    recipe = TrainConfig(encoder, {}, head=head, precision=precision, epochs=3, seed=seed)  # type: ignore[arg-type]
    folder = Run(workspace.run(name))
    facts = {
        "epoch": 2,
        "figures": {},
        "model_config": model.config.to_dict(),
        "parameters": model.parameter_counts(),
        "schema": {**trained.schema.to_json(), "num_classes": classes},
        "train_config": recipe.to_json(),
        "train_videos": TRAIN,
    }
    save_model(folder.model, model.state_dict(), facts)
    write_json(folder.config, {"config": recipe.to_json(), "data": fingerprint(trained)})
    lines = [{"epoch": 1} | ({} if each is None else {"cpu_seconds": each}) for each in seconds or []]
    folder.log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder.folder


def validation(workspace: Workspace, *levels: Level) -> Views:
    """The validation videos at some levels."""
    return pair_views({level: table(workspace, "validate", level) for level in levels})


def measure(
    workspace: Workspace, *runs: str, name: str = "measured", levels: tuple[Level, ...] = (), **options: Any
) -> dict[str, Any]:
    """Evaluate; `levels` are those that the runs read, unless given."""
    members = load_members(workspace, runs)
    videos = validation(workspace, *(levels or dict.fromkeys(member.level for member in members)))
    return evaluate_models(workspace, name, members, videos, source="s", command="c", **options).to_json()


@torch.no_grad()
def scored_one_by_one(workspace: Workspace, run: str) -> dict[bytes, np.ndarray]:
    """Probabilities of each validation video (C,), by its id, one video at a time."""
    model, facts = load_model(workspace.run(run))
    videos = table(workspace, "validate", facts["schema"]["level"])
    found = {}
    for row, name in enumerate(videos.ids.tolist()):
        *arrays, _ = (torch.from_numpy(array) for array in videos.batch(np.array([row])))
        inputs = arrays[0] if len(arrays) == 1 else (arrays[0], arrays[1])
        found[name] = torch.sigmoid(model(inputs))[0].numpy()
    return found


def labels_by_id(workspace: Workspace) -> tuple[list[bytes], np.ndarray]:
    """Ids of the validation videos, ascending, and their labels, bool (N, C)."""
    videos = table(workspace, "validate", "video")
    order = np.argsort(videos.ids)
    return videos.ids[order].tolist(), videos.labels.multi_hot(order)

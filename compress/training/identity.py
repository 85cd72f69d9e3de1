"""The identity of a training, as JSON in its config.json, and whether a folder holds that training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from compress.artifacts.ownership import refuse_link
from compress.datasets.shard_sizes import ShardSize
from compress.errors import UsageError
from compress.run_config import changed_since, read_run_config, write_run_config
from compress.training.config import TrainConfig
from compress.training.distillation import Distillation
from compress.training.inputs import Table, fingerprint
from compress.training.new_model import whitening_sha256
from compress.training.recipes import CLOSED_FORM
from compress.training.run import Run
from encoders import config_class, list_encoders


def identity_of(
    config: TrainConfig,
    table: Table,
    validation: Table,
    device: str,
    *,
    compile: bool = False,
    distillation: Distillation | None = None,
) -> dict[str, Any]:
    """Recipe, videos, device and teachers as JSON; `compile` and the number of videos are not compared."""
    return {
        "config": config.to_json(),
        "data": fingerprint(table),
        "validation": fingerprint(validation),
        "device": device,
        "train_videos": len(table),
        **({"whitening": whitening_sha256(config.undo_whitening)} if config.undo_whitening else {}),
        **taught_by(distillation),
        **({"runtime": {"compile": True}} if compile else {}),
    }


def taught_by(distillation: Distillation | None) -> dict[str, Any]:
    """The teachers' weights and the unlabelled videos, as JSON; {} without distillation.

    The shards and the number of the unlabelled videos are noted but not compared.
    """
    if distillation is None:
        return {}
    extra = distillation.unlabelled
    taught = {"teacher_sha256": distillation.teachers.sha256s}
    if extra is None:
        return taught
    videos = {"unlabelled": fingerprint(extra), "unlabelled_videos": len(extra)}
    return {**taught, **videos, "unlabelled_shards": list(distillation.shards)}


def same_training(before: Any, now: dict[str, Any]) -> bool:
    """Whether an identity read from a file is that of this training."""
    return isinstance(before, dict) and not differences(before, now)


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs between two identities, for a message; empty for the same training.

    A missing setting of the recipe or its encoder has its default: an older version may not have known it.
    More epochs at a constant rate are no difference.
    """
    old, new = (_complete(recipe) for recipe in (before.get("config") or {}, now["config"]))
    if new["schedule"] == "constant" and old["epochs"] < new["epochs"]:
        old["epochs"] = new["epochs"]  # nothing but the limit depends on it: the training goes on
    names = sorted({*old, *new})
    changed = [f"{n} {old.get(n)!r} -> {new.get(n)!r}" for n in names if old.get(n) != new.get(n)]
    return changed + [what for key, what in _COMPARED.items() if before.get(key) != now.get(key)]


_COMPARED = {
    "data": "the training videos",
    "validation": "the validation videos",
    "device": "the device",
    "whitening": "the eigenvalues",
    "teacher_sha256": "the teachers",
    "unlabelled": "the unlabelled videos",
    "refines": "the model that is made smaller, or how",
}


def _complete(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe with every default written out, as JSON."""
    encoder = CLOSED_FORM.get(recipe.get("encoder", ""), recipe.get("encoder", ""))
    options = dict(recipe.get("encoder_options") or {})
    if encoder in list_encoders():
        options = {**_defaults(config_class(encoder)), **options}
    # The path of the eigenvalues does not matter; their hash is compared (see `identity_of`).
    recipe = {**recipe, "undo_whitening": bool(recipe.get("undo_whitening"))}
    recipe["teachers"] = sorted(recipe.get("teachers") or ())  # their mean does not depend on the order
    return json.loads(json.dumps({**_defaults(TrainConfig), **recipe, "encoder_options": options}))


def _defaults(config: type[Any]) -> dict[str, Any]:
    return {f.name: f.default for f in fields(config) if f.default is not MISSING}


def claim(
    run: Run, identity: dict[str, Any], option: str = "--name", shards: Mapping[str, Any] | None = None
) -> None:
    """Write config.json, or check that it is that of the same training.

    Args:
        run: the folder.
        identity: as `identity_of` gives it.
        option: the option that chooses the folder, for the message.
        shards: as `noted_shards` gives it: written, and not compared, but it tells what changed.

    Raises:
        UsageError: the folder holds another training (names the settings that differ), or is a link.
        CorruptArtifactError: config.json is damaged.
    """
    refuse_link(run.folder)
    if not run.config.exists():  # the first call for this folder
        write_run_config(run.folder, {**identity, **(shards or {})})
        return
    before = read_run_config(run.folder)
    if not (changed := differences(before, identity)):
        if before["config"].get("epochs") != identity["config"]["epochs"]:
            write_run_config(run.folder, {**before, "config": identity["config"]})
        return
    now = (ShardSize.parse(text) for kept in (shards or {}).get("shards", {}).values() for text in kept)
    changed += changed_since(before, tuple(now))
    raise UsageError(
        f"holds a run with other settings ({'; '.join(changed)})",
        where=run.folder,
        hint=f"choose another {option}, or --fresh to throw it away",
    )

"""May this training start here: do recipe, data, machine and folder fit together?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from compress.artifacts.atomic import read_json, write_json
from compress.datasets.schema import FeatureSchema
from compress.errors import CorruptArtifactError, SchemaError, UnavailableError, UsageError
from compress.training.config import TrainConfig
from compress.training.distillation import Distillation
from compress.training.identity import differences
from compress.training.inputs import Table
from compress.training.recipes import CLOSED_FORM
from compress.training.run import Run
from compress.training.step import build
from compress.training.whitening import whitening
from encoders import encoder_level, list_encoders


def check(config: TrainConfig, table: Table, validation: Table, device: str) -> None:
    """Refuse what cannot be trained.

    Raises:
        UsageError: no such encoder, no head where one is needed, or too few videos or labels.
        SchemaError: encoder and data, or the two tables, do not fit.
        UnavailableError: no GPU where one is asked for.
    """
    check_shards(config, table.schema, validation.schema)
    _check_tables(config, table, validation)
    if device == "cuda" and not torch.cuda.is_available():
        raise UnavailableError("no GPU that torch can use", where="--device cuda", hint="use --device cpu")


def check_shards(config: TrainConfig, schema: FeatureSchema, validation: FeatureSchema) -> None:
    """Refuse what cannot be trained on any videos of these schemas, so before the videos are loaded.

    Raises:
        UsageError: no such encoder, no head where one is needed, or an option that it cannot have.
        SchemaError: encoder and data, or the two schemas, do not fit.
        NotFoundError, CorruptArtifactError: the whitening that is to be undone cannot be read.
    """
    if config.encoder not in {*list_encoders(), *CLOSED_FORM}:
        raise UsageError(f"no encoder {config.encoder!r}", where="--encoder")
    if config.head is None and config.encoder not in CLOSED_FORM:
        raise UsageError(f"encoder {config.encoder!r} is trained with a head", where="--set head")
    level = encoder_level(CLOSED_FORM.get(config.encoder, config.encoder))
    if schema.level != level:
        hint = (
            "give frame-level shards, or make them: compress data sample --from"
            if level == "frame"
            else "give video-level shards"
        )
        raise SchemaError(
            f"encoder {config.encoder!r} reads {level}-level data, the shards are {schema.level}-level",
            hint=hint,
        )
    ours, theirs = (
        f"{one.level}-level with {one.dim} numbers and {one.num_classes} classes"
        for one in (schema, validation)
    )
    if ours != theirs:
        raise SchemaError(f"training videos are {ours}, validation videos {theirs}")
    if config.head is None and config.encoder != "identity":
        dim, size = config.encoder_options.get("dim"), schema.dim
        if not (isinstance(dim, int) and 0 < dim <= size):
            raise UsageError(
                f"{config.encoder} gives between 1 and {size} dimensions, not {dim}", where="--dim"
            )
    if config.undo_whitening:
        whitening(config.undo_whitening, schema)
    # Without memory or random numbers. A wrong option must not claim the folder that the right one wants.
    with torch.device("meta"):
        build(config, schema)


def check_distillation(
    config: TrainConfig, distillation: Distillation | None, table: Table, validation: Table
) -> None:
    """Refuse a recipe without the teachers that it names, and what `Distillation.check` refuses.

    Raises:
        UsageError, SchemaError: see there.
    """
    if distillation is not None:
        distillation.check(config, table, validation)
    elif config.teachers:
        raise UsageError(
            f"the recipe names teachers ({', '.join(config.teachers)}), but none are there",
            where="--set teachers",
            hint="name them with --teacher",
        )


def _check_tables(config: TrainConfig, table: Table, validation: Table) -> None:
    if len(table) < 2 or len(validation) < 1:
        raise UsageError(f"{len(table)} training and {len(validation)} validation videos are too few")
    if config.head is not None:
        for name, labels in (("training", table.labels), ("validation", validation.labels)):
            if not len(labels.indices):
                raise SchemaError(f"no {name} video has a label", hint="give labelled shards")
        both = np.intersect1d(table.ids, validation.ids)
        if len(both):
            raise SchemaError(
                f"video {both[0].decode()!r} and {len(both) - 1} more are in training and validation shards",
                hint="measure on videos that were not trained on",
            )


def claim(run: Run, identity: dict[str, Any], option: str = "--name") -> None:
    """Write down what this folder's training is, or make sure that it is the one begun here.

    Args:
        run: the folder.
        identity: as `identity_of` gives it.
        option: that chooses the folder, for the message.

    Raises:
        UsageError: it holds another training; names the settings that differ.
        CorruptArtifactError: its config.json is none.
    """
    if not run.config.exists():
        write_json(run.config, identity)
        return
    before = _config(run)
    if not (changed := differences(before, identity)):
        return
    raise UsageError(
        f"holds a run with other settings ({'; '.join(changed)})",
        where=run.folder,
        hint=f"choose another {option}, or --fresh to throw it away",
    )


def _config(run: Run) -> dict[str, Any]:
    hint = "use --fresh to start over"
    try:
        value = read_json(run.config)
    except CorruptArtifactError as error:
        raise CorruptArtifactError(error.what, where=run.config, hint=hint) from error
    if not isinstance(value, dict) or not isinstance(value.get("config"), dict):
        raise CorruptArtifactError("is not the config of a training", where=run.config, hint=hint)
    return value

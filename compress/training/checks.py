"""May this training start: do recipe, data and machine fit together?"""

from __future__ import annotations

import os
import shutil

import numpy as np
import torch

from compress.datasets.schema import FeatureSchema
from compress.errors import SchemaError, UnavailableError, UsageError
from compress.training.config import TrainConfig
from compress.training.distillation import Distillation
from compress.training.inputs import Table
from compress.training.new_model import build, whitening
from compress.training.recipes import CLOSED_FORM
from compress.training.teachers import Teachers
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
    if _kind(schema) != _kind(validation):
        raise SchemaError(f"training videos are {_kind(schema)}, validation videos {_kind(validation)}")
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
    """Refuse teachers and videos without labels that do not fit the recipe and its videos.

    Raises:
        UsageError: the recipe names other teachers than there are, there are no videos among the unlabelled,
            or scores are to be kept that cannot be.
        SchemaError: teachers or unlabelled videos are not of the training's kind, or a validation video is
            among the unlabelled.
    """
    named, found = config.teachers, () if distillation is None else distillation.teachers.names
    if named != found:
        raise UsageError(
            f"the recipe names the teachers {', '.join(named) or 'none'}, not {', '.join(found) or 'none'}",
            where="--set teachers",
            hint="name them with --teacher",
        )
    if distillation is None:
        return
    check_teachers(distillation.teachers, table.schema)
    if config.teacher_scores == "kept" and config.mixup:
        what = "mixed videos are others each time, so their scores cannot be kept"
        raise UsageError(what, where="--set teacher_scores", hint="leave it at auto, or mixup at 0")
    if config.teacher_scores == "kept" and distillation.cache is None:
        raise UsageError("there is no folder to keep scores in", where="--set teacher_scores")
    extra = distillation.unlabelled
    if extra is None:
        return
    if not len(extra):
        raise UsageError("there are no videos", where="--unlabelled")
    if _kind(extra.schema) != _kind(table.schema):
        what = f"videos without labels are {_kind(extra.schema)}, training videos {_kind(table.schema)}"
        raise SchemaError(what, where="--unlabelled")
    _refuse_overlap(extra, validation, "among the validation videos", "--unlabelled")


def check_teachers(teachers: Teachers, schema: FeatureSchema) -> None:
    """SchemaError unless every teacher reads what the student reads and knows the same classes."""
    for teacher in teachers.members:
        theirs, ours = (
            f"{'+'.join(one.names)} ({'+'.join(map(str, one.dims))} dimensions), {_kind(one)}"
            for one in (teacher.schema, schema)
        )
        if theirs != ours:
            raise SchemaError(
                f"the teacher {teacher.name!r} reads {theirs}; the student reads {ours}",
                where="--teacher",
                hint="a teacher must be trained on the same features and classes",
            )


def check_compile(config: TrainConfig) -> None:
    """Refuse to compile what cannot be, before a run's folder is claimed.

    Raises:
        UnavailableError: no C++ compiler, which torch.compile needs.
        UsageError: a closed-form encoder has no training steps; or it reads frames: torch can
            compile neither an LSTM's nor a QRNN's loop over time, and every batch has a shape of its own.
    """
    if config.head is None:
        what = f"{config.encoder} is a closed-form encoder, so there is nothing to compile"
        raise UsageError(what, where="--compile")
    if encoder_level(config.encoder) == "frame":
        what = f"{config.encoder} reads frames; only encoders of video-level features are compiled"
        raise UsageError(what, where="--compile")
    names = [os.environ["CXX"]] if "CXX" in os.environ else ["g++", "c++", "clang++"]
    if not any(shutil.which(name) for name in names):
        what = "no C++ compiler, which torch.compile needs"
        raise UnavailableError(what, where="--compile", hint="install g++, or --no-compile")


def _check_tables(config: TrainConfig, table: Table, validation: Table) -> None:
    if len(table) < 2 or len(validation) < 1:
        raise UsageError(f"{len(table)} training and {len(validation)} validation videos are too few")
    if config.head is not None:
        for name, labels in (("training", table.labels), ("validation", validation.labels)):
            if not len(labels.indices):
                raise SchemaError(f"no {name} video has a label", hint="give labelled shards")
        _refuse_overlap(table, validation, "in training and validation shards")


def _refuse_overlap(table: Table, validation: Table, where_else: str, option: str = "") -> None:
    both = np.intersect1d(table.ids, validation.ids)
    if len(both):
        first = both[0].decode("utf-8", "backslashreplace")
        raise SchemaError(
            f"video {first!r} and {len(both) - 1} more are {where_else}",
            where=option,
            hint="measure on videos that were not trained on",
        )


def _kind(schema: FeatureSchema) -> str:
    return f"{schema.level}-level with {schema.dim} dimensions and {schema.num_classes} classes"

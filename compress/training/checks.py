"""Checks before a training starts: do recipe, data and machine fit together?"""

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
    if len(table) < 2 or len(validation) < 1:
        raise UsageError(f"{len(table)} training and {len(validation)} validation videos are too few")
    if config.head is not None:
        for name, labels in (("training", table.labels), ("validation", validation.labels)):
            if not len(labels.indices):
                raise SchemaError(f"no {name} video has a label", hint="give labelled shards")
        _refuse_overlap(table, validation, "in training and validation shards")
    if device == "cuda" and not torch.cuda.is_available():
        raise UnavailableError("no GPU that torch can use", where="--device cuda", hint="use --device cpu")


def check_shards(config: TrainConfig, schema: FeatureSchema, validation: FeatureSchema) -> None:
    """The part of `check` that needs no videos, so that it can come before they are loaded.

    Raises:
        UsageError, SchemaError: as `check`.
        NotFoundError, CorruptArtifactError: the eigenvalues of `undo_whitening` cannot be read.
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
            else "give video-level shards, or read frames: --encoder frame_statistics"
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
    # Building on "meta" finds a wrong option without memory or random numbers, and before a folder is
    # claimed.
    with torch.device("meta"):
        build(config, schema)


def check_distillation(
    config: TrainConfig, distillation: Distillation | None, table: Table, validation: Table
) -> None:
    """Refuse teachers and unlabelled videos that do not fit the recipe and its videos.

    Raises:
        UsageError: the recipe names other teachers, there are no unlabelled videos, or scores cannot be kept.
        SchemaError: teachers or unlabelled videos have another schema than the training videos, or a
            validation video is among the unlabelled.
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
        what = "mixup makes new inputs in every epoch, so their scores cannot be kept"
        raise UsageError(what, where="--set teacher_scores", hint="leave it at auto, or mixup at 0")
    if config.teacher_scores == "kept" and distillation.cache is None:
        raise UsageError("no cache folder to keep scores in", where="--set teacher_scores")
    extra = distillation.unlabelled
    if extra is None:
        return
    if not len(extra):
        raise UsageError("the shards hold no videos", where="--unlabelled")
    if _kind(extra.schema) != _kind(table.schema):
        what = f"unlabelled videos are {_kind(extra.schema)}, training videos {_kind(table.schema)}"
        raise SchemaError(what, where="--unlabelled")
    _refuse_overlap(extra, validation, "among the validation videos", "--unlabelled")


def check_teachers(teachers: Teachers, schema: FeatureSchema) -> None:
    """SchemaError unless every teacher has the features and classes of the student."""
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
    """Refuse what torch.compile cannot compile, before a run's folder is claimed.

    Raises:
        UnavailableError: no C++ compiler, which torch.compile needs.
        UsageError: the encoder is closed-form; or it reads frames: torch can compile neither an LSTM's nor a
            QRNN's loop over time, and every batch has another shape.
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

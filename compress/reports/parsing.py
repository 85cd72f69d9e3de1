"""One evaluation file -> Row; every field is checked, and a wrong one is named."""

from __future__ import annotations

import math
from pathlib import Path

from compress.artifacts.atomic import read_json
from compress.errors import DataError
from compress.metrics import Interval
from compress.reports.fields import Fields
from compress.reports.row import METRICS, Data, Figures, HeadTraining, Retrieval, Role, Row

SCHEMA_VERSION = 1
ROLES: tuple[Role, ...] = ("baseline", "encoder", "control")


def read_row(path: Path) -> Row:
    """The row that an evaluation file holds.

    Raises:
        CorruptArtifactError: not JSON, or a field is missing or wrong; names the file and the field.
        DataError: written with a schema version that this code does not know.
        StorageError: the file cannot be read.
    """
    return _row(known_fields(path))


def known_fields(path: Path) -> Fields:
    """The fields of a file of SCHEMA_VERSION; raises as `read_row`."""
    fields = Fields(read_json(path), path)
    version = fields.integer("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(
            f"the row has schema version {version}, this code reads version {SCHEMA_VERSION}",
            where=path,
            hint="measure the row again with `compress evaluate`, or use the compress that wrote it",
        )
    return fields


def _row(fields: Fields) -> Row:
    role = fields.text("role")
    known = next((name for name in ROLES if name == role), None)
    if known is None:
        fields.refuse("role", f"should be one of {', '.join(ROLES)}, is {role!r}")
    delta = fields.optional_inside("delta")
    if known == "baseline" and delta is not None:
        fields.refuse("delta", "should be null for the baseline")
    return Row(
        row=fields.text("row"),
        title=fields.text("title"),
        table4_row=None if fields.get("table4_row") is None else fields.text("table4_row"),
        role=known,
        encoder=fields.text("encoder"),
        head=fields.text("head"),
        dim=fields.integer("dim", 1),
        codec=fields.text("codec"),
        bytes_per_video=fields.integer("bytes_per_video", 1),
        parameters=parameters_in(fields.inside("parameters")),
        figures=figures_in(fields.inside("figures"), low=0.0),
        baseline=None if delta is None else delta.text("baseline"),
        delta=None if delta is None else figures_in(delta, low=-1.0),
        joint=_joint(fields.optional_inside("joint")),
        retrieval=_retrieval(fields.optional_inside("retrieval")),
        head_training=_head_training(fields.inside("head_training")),
        data=data_in(fields.inside("data")),
        command=fields.text("command"),
        notes=fields.texts("notes"),
        encoder_bytes=fields.optional_integer("encoder_bytes"),
    )


def _estimate(fields: Fields, low: float) -> Interval:
    found = Interval(*(fields.number(name, low, 1.0) for name in ("value", "low", "high")))
    if found.low > found.high:
        fields.refuse("low", f"is above high ({found.low!r} > {found.high!r})")
    return found


def figures_in(fields: Fields, low: float) -> Figures:
    """The four figures, each an interval in [low, 1]."""
    as_zero = fields.optional_inside("map_with_empty_as_zero")
    return Figures(
        **{name: _estimate(fields.inside(name), low) for name in METRICS},
        map_with_empty_as_zero=None if as_zero is None else _estimate(as_zero, low),
    )


def parameters_in(fields: Fields) -> dict[str, int]:
    """Numbers of parameters, by part of the model."""
    return {name: fields.integer(name) for name in sorted(fields.value)}


def _joint(fields: Fields | None) -> dict[str, float]:
    """The joint head's figures; each is a plain number or an interval, of which the value is kept."""
    if fields is None:
        return {}
    found = {}
    for name in METRICS:
        value = fields.value.get(name)
        if isinstance(value, dict):
            found[name] = fields.inside(name).number("value", 0.0, 1.0)
        elif value is not None:
            found[name] = fields.number(name, 0.0, 1.0)
    return found


def _retrieval(fields: Fields | None) -> Retrieval | None:
    if fields is None:
        return None
    names = ("label_precision_at_10", "map_at_10", "ndcg_at_10", "neighbour_recall_at_10")
    return Retrieval(fields.integer("queries"), *(fields.optional_number(name, 0.0, 1.0) for name in names))


def _head_training(fields: Fields) -> HeadTraining:
    # Rows of before heads could be trained on blends say nothing of it.
    mixup = fields.optional_number("mixup", 0.0, math.inf) or 0.0
    epochs, seed, batch = (
        fields.number("epochs", 0.0),
        fields.integer("seed"),
        fields.integer("batch_size", 1),
    )
    return HeadTraining(epochs, seed, batch, mixup)


def data_in(fields: Fields) -> Data:
    """What a row was measured on."""
    return Data(
        train_videos=fields.integer("train_videos"),
        validate_videos=fields.integer("validate_videos", 1),
        num_classes=fields.integer("num_classes", 1),
        fingerprint=fields.text("fingerprint"),
        synthetic_frames=fields.flag("synthetic_frames"),
        source=fields.text("source"),
    )

"""One measured model (a run, or the mean of several), as evaluation/models/<name>.json holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.artifacts.sealed import write_sealed
from compress.errors import DataError
from compress.evaluation.fields import Fields
from compress.evaluation.intervals import intervals_in
from compress.evaluation.row import SCHEMA_VERSION, Data, map_full_in, plain, with_baseline
from compress.evaluation.row_file import read_fields
from compress.metrics import Intervals


@dataclass(frozen=True)
class ModelTraining:
    """How a run was trained; `videos`: how many it was trained on; `seconds`: None when not recorded."""

    epochs: int
    best_epoch: int
    videos: int
    seconds: float | None
    seed: int

    @classmethod
    def from_json(cls, found: Fields) -> ModelTraining:
        """The object "training" of a row."""
        return cls(
            epochs=found.integer("epochs"),
            best_epoch=found.integer("best_epoch"),
            videos=found.integer("videos"),
            seconds=found.optional_number("seconds", 0.0),
            seed=found.integer("seed"),
        )


@dataclass(frozen=True)
class ModelRow:
    """One measured model.

    Args:
        runs: more than one in an ensemble, which has neither `dim` nor `training`.
        parameters: number of parameters, by part of the model; of an ensemble, summed.
        baseline, delta: the row minus this baseline on the same resampled videos; None without a baseline.
        model_bytes: size of all weight files; None when not measured.
        precision: of each run's computation; None in older rows, from before it could be chosen.
        map_full: MAP over all scores, by the name of the metric; None when not measured.
    """

    name: str
    runs: tuple[str, ...]
    title: str
    encoders: tuple[str, ...]
    head: str
    level: str
    dim: int | None
    parameters: Mapping[str, int]
    figures: Intervals
    training: ModelTraining | None
    data: Data
    model_sha256: tuple[str, ...]
    command: str
    notes: tuple[str, ...]
    model_bytes: int | None = None
    baseline: str | None = None
    delta: Intervals | None = None
    precision: tuple[str, ...] | None = None
    map_full: Mapping[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """What the file holds."""
        return {"schema_version": SCHEMA_VERSION, "kind": "model", **with_baseline(plain(self))}

    def write(self, path: Path) -> None:
        """Replace the file by this row."""
        write_sealed(path, self.to_json())

    @classmethod
    def from_json(cls, found: Fields) -> ModelRow:
        """The row that a file holds; CorruptArtifactError names a field that is missing or wrong."""
        training, delta = found.optional_inside("training"), found.optional_inside("delta")
        return cls(
            name=found.text("name"),
            runs=found.texts("runs"),
            title=found.text("title"),
            encoders=found.texts("encoders"),
            head=found.text("head"),
            level=found.text("level"),
            dim=None if found.get("dim") is None else found.integer("dim", 1),
            parameters=found.inside("parameters").integers(),
            figures=intervals_in(found.inside("figures"), 0.0),
            training=None if training is None else ModelTraining.from_json(training),
            data=Data.from_json(found.inside("data")),
            model_sha256=found.texts("model_sha256"),
            command=found.text("command"),
            notes=found.texts("notes"),
            model_bytes=found.optional_integer("model_bytes"),
            baseline=None if delta is None else delta.text("baseline"),
            delta=None if delta is None else intervals_in(delta, -1.0),
            precision=None if found.value.get("precision") is None else found.texts("precision"),
            map_full=map_full_in(found),
        )


def read_model(path: Path) -> ModelRow:
    """The model that one file holds.

    Raises:
        CorruptArtifactError: not JSON, or a field is missing or wrong; names the file and the field.
        DataError: written with a schema version that this code does not know.
        StorageError: the file cannot be read.
    """
    return ModelRow.from_json(read_fields(path))


def load_models(folder: Path) -> list[ModelRow]:
    """Every model that `compress evaluate --run` measured, in the order of file names; none is no error.

    Args:
        folder: evaluation/models/ of a workspace.

    Raises:
        CorruptArtifactError, StorageError: as `read_model`.
        DataError: a file of another version, or one that holds another model than its name says.
    """
    return [_named(path) for path in sorted(folder.glob("*.json"))]


def _named(path: Path) -> ModelRow:
    model = read_model(path)
    if model.name != path.stem:
        # Two files of one name would otherwise answer one row of a table.
        raise DataError(f"holds the model {model.name!r}", where=path, hint="name the file as its model")
    return model

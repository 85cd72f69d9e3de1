"""evaluation/models/*.json -> ModelRow; every field is checked, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

from compress.errors import DataError
from compress.reports.fields import Fields
from compress.reports.models.row import ModelRow, ModelTraining
from compress.reports.parsing import data_in, figures_in, known_fields, parameters_in


def load_models(folder: Path) -> list[ModelRow]:
    """Every model that `compress evaluate --run` measured, in the order of file names; none is no error.

    Args:
        folder: evaluation/models/ of a workspace.

    Raises:
        CorruptArtifactError: a file is not JSON or a field is wrong; names the file.
        DataError: a file of another version, or one that holds another model than its name says.
        StorageError: a file cannot be read.
    """
    return [_named(path) for path in sorted(folder.glob("*.json"))]


def read_model(path: Path) -> ModelRow:
    """The model that one file holds; raises as `load_models`."""
    fields = known_fields(path)
    training = fields.optional_inside("training")
    return ModelRow(
        name=fields.text("name"),
        runs=fields.texts("runs"),
        title=fields.text("title"),
        encoders=fields.texts("encoders"),
        head=fields.text("head"),
        level=fields.text("level"),
        dim=None if fields.get("dim") is None else fields.integer("dim", 1),
        parameters=parameters_in(fields.inside("parameters")),
        figures=figures_in(fields.inside("figures"), low=0.0),
        training=None if training is None else _training(training),
        data=data_in(fields.inside("data")),
        model_sha256=fields.texts("model_sha256"),
        command=fields.text("command"),
        notes=fields.texts("notes"),
        model_bytes=fields.optional_integer("model_bytes"),
    )


def _named(path: Path) -> ModelRow:
    model = read_model(path)
    if model.name != path.stem:
        # Two files of one name would otherwise answer one row of a table.
        raise DataError(f"holds the model {model.name!r}", where=path, hint="name the file as its model")
    return model


def _training(fields: Fields) -> ModelTraining:
    return ModelTraining(
        epochs=fields.integer("epochs"),
        best_epoch=fields.integer("best_epoch"),
        videos=fields.integer("videos"),
        seconds=fields.optional_number("seconds", 0.0),
        seed=fields.integer("seed"),
    )

"""The runs that are measured together, alone or as an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.datasets.schema import FeatureSchema, Level
from compress.errors import SchemaError, UsageError
from compress.training.precision import Precision, Wanted, choose_precision
from compress.training.run import WEIGHTS, load_model, model_manifest
from compress.workspace import Workspace
from encoders import Model


@dataclass(frozen=True)
class Member:
    """One finished run: its name and folder, the metadata of its model, and the sha256 of its weights."""

    name: str
    folder: Path
    facts: Mapping[str, Any]
    sha256: str

    @property
    def schema(self) -> FeatureSchema:
        """Schema of its training data."""
        return FeatureSchema.from_json(self.facts["schema"])

    @property
    def level(self) -> Level:
        """Level of its inputs."""
        return self.schema.level

    @property
    def dim(self) -> int:
        """Its embedding size."""
        return int(self.facts["model_config"]["encoder_options"]["dim"])

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Its TrainConfig as JSON."""
        recipe: Mapping[str, Any] = self.facts["train_config"]
        return recipe

    @property
    def trained_in(self) -> Precision:
        """The precision of its training."""
        precision: Precision = self.recipe["precision"]
        return precision

    def load(self) -> Model:
        """Its model, on the CPU, in evaluation mode."""
        return load_model(self.folder)[0]


def load_members(workspace: Workspace, runs: Sequence[str]) -> list[Member]:
    """The runs of an ensemble, or the only one; no weights are loaded.

    Raises:
        UsageError: no run, one of them twice, or one without a head.
        NotFoundError: a run that is not there or has not finished.
        CorruptArtifactError: a checksum does not match.
        SchemaError: they know different numbers of classes, or read other features at one level.
    """
    if not runs:
        raise UsageError("no run to evaluate", where="--run")
    repeated = sorted({name for name in runs if runs.count(name) > 1})
    if repeated:
        raise UsageError(f"{repeated[0]!r} is named twice", where="--run", hint="each run counts once")
    members = [_member(workspace, name) for name in runs]
    _check_alike(members)
    return members


def precisions_of(members: Sequence[Member], wanted: Wanted, device: str) -> list[Precision]:
    """The precision of each run when `wanted` was asked for."""
    return [choose_precision(wanted, member.trained_in, device) for member in members]


def _member(workspace: Workspace, name: str) -> Member:
    folder = workspace.run(name)
    manifest = model_manifest(folder)
    if manifest.metadata["model_config"]["head"] is None:
        raise UsageError(
            f"the run {name!r} was fitted without a head, so it gives no scores",
            where=folder,
            hint=f"encode it, then `compress evaluate --name {name}` trains a fresh head on the embeddings",
        )
    return Member(name, folder, manifest.metadata, manifest.files[WEIGHTS].sha256)


def _check_alike(members: Sequence[Member]) -> None:
    first = members[0]
    same_level = {first.level: first}
    for other in members[1:]:
        if other.schema.num_classes != first.schema.num_classes:
            raise SchemaError(
                f"{first.name!r} knows {first.schema.num_classes} classes, "
                f"{other.name!r} {other.schema.num_classes}",
                where=other.folder,
                hint="average models of the same classes",
            )
        known = same_level.setdefault(other.level, other)
        if _features(known) != _features(other):
            raise SchemaError(
                f"{known.name!r} reads {_features(known)}, {other.name!r} {_features(other)}",
                where=other.folder,
                hint="average models of the same features",
            )


def _features(member: Member) -> str:
    schema = member.schema
    sizes = ", ".join(f"{name} ({dim})" for name, dim in zip(schema.names, schema.dims, strict=True))
    cut = "" if schema.max_frames is None else f" of {schema.max_frames} frames at most"
    return f"{sizes}{cut} with the id key {schema.id_key!r}"

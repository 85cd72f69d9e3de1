"""The runs that stores are made from: those that exist, and those whose name tells how to make them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from compress.datasets.schema import FeatureSchema
from compress.errors import CorruptArtifactError, NotFoundError
from compress.jobs.names import STEMS
from compress.pipeline.maker import Training
from compress.training.recipes import CLOSED_FORM, default_encoder
from compress.training.run import Run, model_manifest, model_sha256
from compress.workspace import Workspace
from encoders import build_model, encoder_level, list_encoders, model_config

USUAL_DIM, USUAL_PREFIXES = 320, (32, 64, 128, 256)
"""Of the run that is trained where there is none."""

_SEED = re.compile(r"(.+)-seed[1-9][0-9]*")
_BY_SIZE = re.compile(r"(.+)-([1-9][0-9]*)")
_ENCODERS = {stem: encoder for encoder, stem in STEMS.items()}


@dataclass(frozen=True)
class RunFacts:
    """One run.

    Args:
        name: of the run.
        encoder: by its name for `compress train`.
        dim: embedding size.
        prefixes: sizes below `dim` that it was trained for too.
        learned: it is trained with a head, not computed in closed form.
        model_sha256: of its weights; None until it is made.
    """

    name: str
    encoder: str
    dim: int
    prefixes: tuple[int, ...] = ()
    learned: bool = False
    model_sha256: str | None = None

    def training(self, preset: str = "best") -> Training:
        """What makes it: one model for all its sizes."""
        dim = None if self.encoder == "identity" else self.dim
        return Training(self.encoder, dim, self.name, preset, nested=self.prefixes or None)


class Runs:
    """The runs of a workspace, each read once."""

    def __init__(self, workspace: Workspace, schema: FeatureSchema, dims: tuple[int, ...] = ()) -> None:
        self._workspace, self._schema, self._dims = workspace, schema, dims or USUAL_PREFIXES
        self._known: dict[str, RunFacts | None] = {}

    def known(self, name: str) -> bool:
        """Whether there is a run of this name, or one can be made."""
        return self._find(name) is not None

    def facts(self, name: str) -> RunFacts:
        """What a run is.

        Raises:
            NotFoundError: it is not there, or not finished, and its name does not tell how to make it.
        """
        found = self._find(name)
        if found is None:
            made = (
                "`original`, `pca-<dim>`, `random-<dim>` and `<encoder>-<dim>` are made when they are missing"
            )
            hint = f"`compress train` makes one; {made}"
            raise NotFoundError(f"no finished run {name!r}", where=self._workspace.runs, hint=hint)
        return found

    def learned(self) -> list[RunFacts]:
        """Every finished encoder that was trained, by name; of runs that differ by the seed, the first.

        Where there is none, the one that `compress train --dim 320` makes.
        """
        names = sorted(path.name for path in self._workspace.runs.glob("*") if Run(path).finished)
        seeds = {name for name in names if (base := _SEED.fullmatch(name)) and self.known(base[1])}
        found = [self.facts(name) for name in names if name not in seeds]
        usual = f"{default_encoder(USUAL_DIM)}-{USUAL_DIM}"
        return [run for run in found if run.learned] or [self.facts(usual)]

    def _find(self, name: str) -> RunFacts | None:
        if name not in self._known:
            folder = self._workspace.run(name)
            self._known[name] = finished_run(folder) if Run(folder).finished else self._new(name)
        return self._known[name]

    def _new(self, name: str) -> RunFacts | None:
        if name == STEMS["identity"]:
            return RunFacts(name, "identity", self._schema.dim)
        found = _BY_SIZE.fullmatch(name)
        encoder, dim = (_ENCODERS.get(found[1], found[1]), int(found[2])) if found else ("", 0)
        if encoder in CLOSED_FORM:
            possible = encoder != "identity" and dim <= self._schema.dim
            return RunFacts(name, encoder, dim) if possible else None
        if encoder not in list_encoders() or encoder_level(encoder) != self._schema.level:
            return None
        return RunFacts(name, encoder, dim, tuple(d for d in self._dims if d < dim), learned=True)


def finished_run(folder: Path) -> RunFacts:
    """What a finished run is; CorruptArtifactError where its model does not tell."""
    facts = model_manifest(folder).metadata
    try:
        recipe, model = facts["train_config"], facts["model_config"]
        dim = _dim(model, facts["schema"])
        nested = tuple(size for size in model.get("nested_dims") or () if size < dim)
        learned = recipe["head"] is not None and recipe["encoder"] != "identity"
        return RunFacts(folder.name, recipe["encoder"], dim, nested, learned, model_sha256(folder))
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptArtifactError(f"its model does not tell what it is ({error})", where=folder) from error


def _dim(model: Mapping[str, Any], schema: Mapping[str, Any]) -> int:
    if model["encoder"] == "identity":
        return FeatureSchema.from_json(schema).dim
    if dim := model["encoder_options"].get("dim"):
        return int(dim)
    with torch.device("meta"):  # some encoders take it from their other options; no weights are made
        return build_model(model_config(model)).dim

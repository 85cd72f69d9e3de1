"""The projection of each kind of feature of one extraction, as a folder that later videos use again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from compress.artifacts.folder import commit_folder, load_folder
from compress.artifacts.manifest import Manifest
from compress.doors.tensors import read_safetensors_arrays
from compress.errors import CorruptArtifactError, SchemaError
from compress.extract.projection import Projection

KIND = "projection"
_FILE = "projection.safetensors"
_ARRAYS = ("mean", "components", "eigenvalues")


@dataclass(frozen=True)
class Projections:
    """Fitted projections and what their features were made by.

    Args:
        parts: by feature name, "rgb" and perhaps "audio".
        backbones: JSON facts of the backbone of each feature; see `Backbone.facts`.
        fingerprint: sha256 of all numbers (64 hex digits).
    """

    parts: dict[str, Projection]
    backbones: dict[str, Any]
    fingerprint: str


def keep(folder: Path, parts: dict[str, Projection], backbones: dict[str, Any]) -> Projections:
    """Write projections as a folder.

    Raises:
        UsageError: the folder holds something else.
        StorageError: the disk refused.
    """
    arrays = {f"{name}.{each}": getattr(part, each) for name, part in parts.items() for each in _ARRAYS}
    content = save({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())})
    facts = {
        name: {
            "input_dim": len(part.mean),
            "dim": part.dim,
            "videos": part.videos,
            "frames": part.frames,
            "added": part.added,
            "factor": part.factor,
        }
        for name, part in parts.items()
    }
    commit_folder(folder, KIND, {_FILE: content}, {"features": facts, "backbones": backbones})
    return Projections(parts, backbones, hashlib.sha256(content).hexdigest())


def load(folder: Path) -> Projections:
    """What `keep` wrote.

    Raises:
        NotFoundError: nothing was kept there.
        CorruptArtifactError: damaged.
    """
    return load_folder(folder, KIND, _projections)


def _projections(manifest: Manifest) -> Projections:
    try:
        arrays, _ = read_safetensors_arrays(manifest.path(_FILE), error=CorruptArtifactError)
        parts = {
            name: Projection(
                mean=arrays[f"{name}.mean"],
                components=arrays[f"{name}.components"],
                eigenvalues=arrays[f"{name}.eigenvalues"],
                added=facts["added"],
                factor=facts["factor"],
                videos=facts["videos"],
                frames=facts["frames"],
            )
            for name, facts in manifest.metadata["features"].items()
        }
        return Projections(parts, manifest.metadata["backbones"], manifest.files[_FILE].sha256)
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptArtifactError("is not a projection of this program", where=manifest.folder) from error


def check_fits(projections: Projections, backbones: dict[str, Any], folder: Path) -> None:
    """SchemaError unless the features that the projections expect are those of these backbones."""
    for name, facts in projections.backbones.items():
        if name not in backbones:
            what = f"was fitted with {name} as well (backbone {facts['name']})"
            raise SchemaError(
                what, where=folder, hint=f"give --{name}-backbone FILE, the same that it was fitted with"
            )
    for name, facts in backbones.items():
        if name not in projections.backbones:
            what = f"was fitted without {name}"
            raise SchemaError(
                what, where=folder, hint=f"leave out --{name}-backbone, or fit a projection of its own"
            )
        fitted = projections.backbones[name]
        if differing := [key for key in facts if facts[key] != fitted.get(key)]:
            key = differing[0]
            what = f"was fitted on other features: {key} is {fitted.get(key)}, here {facts[key]}"
            raise SchemaError(
                what, where=folder, hint=f"use the backbone {fitted['name']} with the same weights"
            )

"""A trained encoder in one file, without its heads: what an embedding needs, and nothing else.

It is a safetensors file. Its header holds, as JSON under "compress", the facts of the run and a sha256 of
them and of every tensor; under "README.md" its model card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from compress.artifacts.atomic import write_bytes
from compress.doors.tensors import read_safetensors_arrays
from compress.errors import CorruptArtifactError, NewerVersionError, UsageError
from compress.training.run import WEIGHTS, read_model, read_tensors
from compress.training.weights import ENCODER, part_of, unpack
from encoders import Model, build_model, model_config

CARD = "README.md"
_KEY, _KIND, _VERSION = "compress", "encoder", 1
_FACTS = ("epoch", "model_config", "parameters", "schema", "train_config", "train_videos", "figures")
_AGAIN = "copy it again, or run `compress pack` again"


def encoder_parts(run: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The tensors of a finished run that its embeddings need, and the facts to build them from.

    Raises:
        NotFoundError: no finished training. CorruptArtifactError: a checksum does not match.
    """
    tensors, facts = read_model(
        run, lambda manifest: (read_tensors(manifest.path(WEIGHTS)), dict(manifest.metadata))
    )
    kept = {name: facts[name] for name in _FACTS if name in facts}
    kept["parameters"] = {ENCODER: facts["parameters"][ENCODER]}
    if (description := facts.get("weights")) is not None:
        ours = {
            name: [one for one in description[name] if part_of(one) == ENCODER]
            for name in ("matrices", "left_out")
        }
        kept["weights"] = {**description, **ours}
    return {
        name: np.ascontiguousarray(tensor.numpy())
        for name, tensor in tensors.items()
        if part_of(name) == ENCODER
    }, kept


def write_packed(
    path: Path, tensors: Mapping[str, np.ndarray], facts: Mapping[str, Any], name: str, card: str
) -> None:
    """Write the file in one step; `tensors` and `facts` as `encoder_parts` gives them."""
    from safetensors.numpy import save

    told = {"kind": _KIND, "version": _VERSION, "name": name, "facts": dict(facts)}
    told["sha256"] = _digest(tensors, told, card)
    write_bytes(path, save(dict(tensors), {_KEY: json.dumps(told, sort_keys=True), CARD: card}))


def read_packed(path: Path) -> tuple[Model, dict[str, Any], str]:
    """(model in evaluation mode on the CPU, facts, name of the run) of a file that `write_packed` wrote.

    The model has no heads, so it gives embeddings and no labels.

    Raises:
        NotFoundError: no such file.
        CorruptArtifactError: damaged, or not a packed encoder.
        NewerVersionError: written by a newer version of compress.
    """
    hint = "compress.load reads the folder of a run, or a file of `compress pack`"
    arrays, header = read_safetensors_arrays(path, error=CorruptArtifactError, hint=hint)
    told = _parsed(header.get(_KEY, ""))
    if told.get("kind") != _KIND:
        raise CorruptArtifactError("is not a packed encoder", where=path, hint=hint)
    if told.get("version") != _VERSION:
        what = f"is a packed encoder of version {told.get('version')}, this program reads {_VERSION}"
        raise NewerVersionError(what, where=path, hint="update compress")
    seal = told.pop("sha256", None)
    if header.keys() != {_KEY, CARD} or seal != _digest(arrays, told, header[CARD]):
        what = "does not match its own sha256: it was changed after it was written"
        raise CorruptArtifactError(what, where=path, hint=_AGAIN)
    try:
        facts, name = told["facts"], told["name"]
        return _built(arrays, facts), facts, name
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        what = f"holds an encoder that this version cannot build ({str(error).splitlines()[0]})"
        raise CorruptArtifactError(what, where=path, hint=_AGAIN) from error


def check_whole(model: Model, name: str) -> None:
    """UsageError for a model of a packed file: without its heads it is no run."""
    if model.head is None and model.config.head is not None:
        what = f"{name} was packed without its classifier, and is no whole run"
        raise UsageError(what, hint="copy the packed file, or take the run that it was made from")


def _built(arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> Model:
    config = model_config(facts["model_config"])
    model = build_model(replace(config, num_classes=1))  # heads of one class are small, and go
    model.head = model.readout = None
    model.nested_heads, model.side_heads = nn.ModuleDict(), nn.ModuleDict()
    model.config = replace(model.config, num_classes=config.num_classes)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    description = facts.get("weights")
    model.load_state_dict(
        tensors if description is None else unpack(tensors, description, model.state_dict())
    )
    return model.eval()


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(tensors: Mapping[str, np.ndarray], told: Mapping[str, Any], card: str) -> str:
    found = hashlib.sha256(json.dumps([told, card], sort_keys=True).encode())
    for name, array in sorted(tensors.items()):
        found.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()

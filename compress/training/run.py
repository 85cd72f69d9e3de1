"""The folder of one training (a run): its files, and the finished model.

runs/<name>/config.json    the recipe and the data it was started on
runs/<name>/log.jsonl      one line per epoch
runs/<name>/checkpoint/    while it runs: weights, optimiser, position, random state (artifact "checkpoint")
runs/<name>/best/          while it runs: the best epoch before the checkpoint (artifact "model")
runs/<name>/limit/         if it has not converged: the state to go on from (artifact "checkpoint")
runs/<name>/model/         when it is finished: the model (artifact "model")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from compress.artifacts.atomic import read_bytes, write_bytes
from compress.artifacts.disk import fsync, storage_errors
from compress.artifacts.folder import commit_folder, read_folder
from compress.artifacts.manifest import Manifest
from compress.doors.tensors import read_safetensors
from compress.errors import CorruptArtifactError, NotFoundError, SchemaError
from compress.training.config import TrainConfig
from compress.training.inputs import Table
from compress.training.weights import unpack
from encoders import Model, build_model, model_config

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Run:
    """Paths of a training."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def limit(self) -> Path:
        return self.folder / "limit"

    @property
    def best(self) -> Path:
        return self.folder / "best"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def finished(self) -> bool:
        """Whether there is a finished model."""
        return (self.model / "manifest.json").exists()


def tensors_file(tensors: Mapping[str, Tensor]) -> bytes:
    """Tensors, of any device, as the bytes of a safetensors file."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; CorruptArtifactError if it is not one."""
    return read_safetensors(path, error=CorruptArtifactError)


def save_model(folder: Path, weights: Mapping[str, Tensor], metadata: dict[str, Any]) -> None:
    """Commit a model: its weights, and `metadata` in the manifest."""
    commit_folder(folder, "model", {WEIGHTS: tensors_file(weights)}, metadata)


def model_facts(model: Model, config: TrainConfig, table: Table, epoch: int) -> dict[str, Any]:
    """Metadata of a model besides its figures; epoch: the kept one, from 1; 0 for a closed-form encoder."""
    return {
        "epoch": epoch,
        "model_config": model.config.to_dict(),
        "parameters": model.parameter_counts(),
        "schema": table.schema.to_json(),
        "train_config": config.to_json(),
        "train_videos": len(table),
    }


def load_model(folder: str | Path) -> tuple[Model, dict[str, Any]]:
    """The model of a finished training, in evaluation mode on the CPU.

    Args:
        folder: runs/<name>.

    Returns:
        The model and the manifest's metadata: model_config, schema, train_config, figures, parameters.

    Raises:
        NotFoundError: there is no training, or it has not finished.
        CorruptArtifactError: a checksum does not match, or the weights do not fit the config.
    """
    manifest = model_manifest(folder)
    metadata = manifest.metadata
    try:
        model = build_model(model_config(metadata["model_config"]))
        tensors, description = read_tensors(manifest.path(WEIGHTS)), metadata.get("weights")
        # `compress shrink` stores weights in fewer bits, and says how.
        model.load_state_dict(
            tensors if description is None else unpack(tensors, description, model.state_dict())
        )
    except (KeyError, RuntimeError, ValueError) as error:
        what = f"holds a model that this version cannot build ({str(error).splitlines()[0]})"
        raise CorruptArtifactError(what, where=manifest.folder, hint="train it again with --fresh") from error
    return model.eval(), metadata


def model_manifest(folder: str | Path) -> Manifest:
    """The verified manifest of a finished training; raises as `load_model`."""
    run = Run(Path(folder))
    if run.finished:
        return read_folder(run.model, "model")
    if run.config.exists():
        hint = "run the same `compress train` command again to continue it"
        raise NotFoundError("training has not finished", where=folder, hint=hint)
    raise NotFoundError("no trained encoder here", where=folder, hint="`compress train` makes one")


def model_sha256(folder: str | Path) -> str:
    """sha256 of the weights of a finished training."""
    return model_manifest(folder).files[WEIGHTS].sha256


def check_fits(metadata: Mapping[str, Any], schema: Any, where: str | Path) -> None:
    """SchemaError unless the model of `metadata` can read data of `schema`; `where` is the run."""
    trained = metadata["schema"]
    if schema.level != trained["level"]:
        raise SchemaError(
            f"the encoder reads {trained['level']}-level data, these shards are {schema.level}-level",
            where=where,
            hint="give shards of the other level, or train another encoder",
        )
    if schema.dim != sum(trained["dims"]):
        raise SchemaError(
            f"the encoder reads {sum(trained['dims'])} dimensions, these shards have {schema.dim}",
            where=where,
        )


def append_log(path: Path, line: Mapping[str, Any]) -> None:
    """Add one JSON line. It is on disk after `keep_log`: until then it is not needed."""
    with storage_errors(path), path.open("ab") as file:
        file.write(json.dumps(line, sort_keys=True).encode() + b"\n")


def keep_log(path: Path) -> None:
    """Wait until the log is on disk, before a checkpoint or a model that counts on it."""
    if path.exists():
        with storage_errors(path), path.open("rb") as file:
            fsync(file.fileno())


def truncate_log(path: Path, epochs: int) -> None:
    """Keep the lines of the first `epochs` epochs: a killed training logged more since its checkpoint."""
    if path.exists():
        # A kill may leave half a line at the end.
        kept = [line for line in read_bytes(path).splitlines(keepends=True) if line.endswith(b"\n")]
        write_bytes(path, b"".join(kept[:epochs]))

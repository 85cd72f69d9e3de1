"""The folder of one training (a run): its files, and the finished model.

runs/<name>/config.json    the recipe and the data it was started on (sealed)
runs/<name>/log.jsonl      one line per epoch (sealed)
runs/<name>/checkpoint/    while it runs: weights, optimiser, position, random state (artifact "checkpoint")
runs/<name>/best/          while it runs: the best epoch before the checkpoint (artifact "model")
runs/<name>/limit/         if it has not converged: the state to go on from (artifact "checkpoint")
runs/<name>/model/         when it is finished: the model (artifact "model")
runs/<name>/tuning/        while a run is made smaller by training: that training, a run of its own
runs/<name>/thresholds.json  the thresholds that `compress predict` chose
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from safetensors.torch import save
from torch import Tensor

from compress.artifacts.disk import remove, remove_if_empty, storage_errors
from compress.artifacts.folder import commit_folder, load_folder, remove_folder
from compress.artifacts.manifest import Manifest
from compress.artifacts.ownership import refuse_link
from compress.doors.tensors import read_safetensors
from compress.errors import CorruptArtifactError, NotFoundError, SchemaError
from compress.training.config import TrainConfig
from compress.training.inputs import Table
from compress.training.weights import unpack
from encoders import Model, build_model, model_config

WEIGHTS = "model.safetensors"
Loaded = TypeVar("Loaded")


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
    def tuning(self) -> Path:
        return self.folder / "tuning"

    @property
    def thresholds(self) -> Path:
        return self.folder / "thresholds.json"

    @property
    def finished(self) -> bool:
        """Whether there is a finished model."""
        return (self.model / "manifest.json").exists()


def remove_run(folder: str | Path) -> None:
    """Remove what a training wrote into a run, and its folder if it is empty then; a person's files stay.

    Raises:
        UsageError: the run or a folder in it is a symbolic link.
        LockedError, StorageError: see `remove_folder`.
    """
    run = Run(Path(folder))
    refuse_link(run.folder)
    if not run.folder.is_dir():
        return
    # If this is killed halfway, an old model must not stay beside a new config: the model goes first.
    for part in (run.model, run.checkpoint, run.best, run.limit):
        remove_folder(part)
    if run.tuning.exists():
        remove_run(run.tuning)
    with storage_errors(run.folder):
        for file in (run.log, run.thresholds, run.config):
            remove(file)
        remove_if_empty(run.folder)


def remove_runs(folder: Path) -> None:
    """`remove_run` of every run in a folder, and the folder itself if nothing else is in it."""
    refuse_link(folder)
    if folder.is_dir():
        for run in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
            remove_run(run)
        with storage_errors(folder):
            remove_if_empty(folder)


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
    model, manifest = open_model(folder)
    return model, manifest.metadata


def open_model(folder: str | Path) -> tuple[Model, Manifest]:
    """As `load_model`, with the manifest that the weights were read by: it has their sha256."""
    return read_model(
        folder, lambda manifest: (built_model(manifest.metadata, manifest.path(WEIGHTS)), manifest)
    )


def built_model(metadata: Mapping[str, Any], weights: Path) -> Model:
    """The model of some `metadata` with the weights in a file, in evaluation mode on the CPU.

    Raises:
        CorruptArtifactError: the two do not belong together.
    """
    try:
        model = build_model(model_config(metadata["model_config"]))
        tensors, description = read_tensors(weights), metadata.get("weights")
        # `compress shrink` stores weights in fewer bits, and says how.
        model.load_state_dict(
            tensors if description is None else unpack(tensors, description, model.state_dict())
        )
    except (KeyError, RuntimeError, ValueError) as error:
        what = f"holds a model that this version cannot build ({str(error).splitlines()[0]})"
        raise CorruptArtifactError(what, where=weights.parent, hint="train it again with --fresh") from error
    return model.eval()


def read_model(folder: str | Path, load: Callable[[Manifest], Loaded]) -> Loaded:
    """What `load` makes of the verified files of a finished training, all of one; raises as `load_model`."""
    run = Run(Path(folder))
    try:
        return load_folder(run.model, "model", load)
    except NotFoundError as error:
        if run.finished:
            raise
        if run.config.exists():
            hint = "run the same `compress train` command again to continue it"
            raise NotFoundError("training has not finished", where=folder, hint=hint) from error
        hint = "`compress train` makes one"
        raise NotFoundError("no trained encoder here", where=folder, hint=hint) from error


def model_manifest(folder: str | Path) -> Manifest:
    """The verified manifest of a finished training; raises as `load_model`."""
    return read_model(folder, lambda manifest: manifest)


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

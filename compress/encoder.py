"""A trained encoder in Python: load a run, or fit one on arrays; then arrays in, embeddings out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.arrays import as_features, as_frames, as_labels, as_path, is_frames, whole_number
from compress.datasets.schema import FeatureSchema
from compress.datasets.table import FrameTable, VideoTable
from compress.encoding.vectors import embed, score
from compress.errors import NotFoundError, SchemaError, UsageError
from compress.labels import Labels
from compress.machine import choose_device
from compress.training.inputs import Table, take_videos
from compress.training.loop import train
from compress.training.packed import check_whole, read_packed
from compress.training.precision import Wanted, choose_precision
from compress.training.recipes import train_config
from compress.training.run import load_model, save_model
from compress.training.set_aside import set_aside
from encoders import Model

MOST_DIMENSIONS = 65_536
"""Largest embedding that is trained; what is typed beyond it would fill the memory with weights."""


class Encoder:
    """An encoder that was trained: features or frames in, embeddings out.

    Made by `compress.load` or `Encoder.fit`. Its numbers are those that `compress encode` stores.

    Args:
        model: in evaluation mode.
        facts: what is kept with a run's model: schema, train_config, figures, parameters.
        name: of the run.
        device: "cpu" or "cuda".

    Example:
        >>> X = np.random.default_rng(0).normal(size=(200, 16))
        >>> encoder = Encoder.fit("pca", X, dim=4)
        >>> encoder
        Encoder('pca-4', dim=4, reads features (n, 16))
        >>> encoder.encode(X[:3]).shape
        (3, 4)
    """

    def __init__(self, model: Model, facts: Mapping[str, Any], name: str, device: str) -> None:
        self._model, self.name, self.device = model, name, device
        self._facts = {key: value for key, value in facts.items() if key != "weights"}  # these are packed

    @classmethod
    def fit(
        cls,
        encoder: str,
        X: Any,
        Y: Any = None,
        *,
        dim: int = 320,
        validation: tuple[Any, Any] | None = None,
        epochs: int | None = None,
        settings: Mapping[str, Any] | None = None,
        seed: int = 0,
        device: str = "auto",
        folder: str | Path | None = None,
    ) -> Encoder:
        """Train an encoder on arrays, by the recipe of `compress train`.

        Args:
            encoder: as `compress train --encoder` takes it: "linear", "mlp", "residual_cnn", "lstm" ...;
                "pca" and "random_projection" need no labels.
            X: features (n, D) of any number type; for an encoder of frames a list of
                (t, D) arrays, all uint8 codes of YouTube-8M or all numbers.
            Y: labels, in any form that `compress.arrays.as_labels` takes; None where none are needed.
            dim: embedding size.
            validation: (X, Y) for the figures of the run. None takes those that the number of epochs is
                chosen on: a tenth of the videos, of fewer than 5,000 a fifth, of fewer than 20 none
                (`compress.training.set_aside`).
            epochs: the most passes over the data; None for the recipe's, whose epochs of few videos visit
                each of them several times (at least 80 steps).
            settings: anything that `compress train --set` takes, by name, but dim, seed and epochs.
            seed: of weights and order.
            device: "cpu", "cuda" or "auto".
            folder: where the run is kept, for `compress.load` and the command line; None keeps nothing.

        Raises:
            UsageError: no such encoder or setting, or labels are needed and there are none.
            SchemaError, DataError: arrays that are none, or do not fit the encoder or each other.
        """
        dim = whole_number(dim, "dim", least=1, most=MOST_DIMENSIONS)
        seed, device = whole_number(seed, "seed"), choose_device(device)
        settings = _checked_settings(settings)
        if epochs is not None:
            epochs = whole_number(epochs, "epochs", least=1)
        chosen = {"seed": seed, **settings, **({} if epochs is None else {"epochs": epochs})}
        config = train_config(encoder, dim, overrides=chosen)
        if config.head is not None and Y is None:
            raise UsageError(
                f"encoder {encoder!r} learns from labels, and there are none",
                where="Y",
                hint="pass Y, or choose 'pca' or 'random_projection', which need none",
            )
        table = table_of(X, Y)
        if config.head is None:
            training = held_out = table
        elif validation is None:
            training, held_out = _divided(table)
            chosen = {"set_aside": 0.0, **chosen}
        else:
            names = as_labels(Y).names or None
            training = table
            if not isinstance(validation, tuple | list) or len(validation) != 2:
                raise UsageError("validation is not a pair", hint="pass validation=(X_val, Y_val)")
            held_out = table_of(*validation, num_classes=table.labels.num_classes, names=names, prefix="v")
        config = train_config(encoder, dim, overrides=chosen, videos=len(training))
        run = as_path(folder, "folder") if folder is not None else None
        with tempfile.TemporaryDirectory(prefix="compress-") as scratch:
            target = run or Path(scratch, f"{encoder}-{config.encoder_options.get('dim', dim)}")
            train(config, training, held_out, target, device=device)
            return load(target, device=device)

    @property
    def dim(self) -> int:
        """Embedding size."""
        return self._model.dim

    @property
    def dims(self) -> tuple[int, ...]:
        """The embedding sizes that it was trained for, ascending; several with `--nested`."""
        return self._model.dims

    @property
    def input_dim(self) -> int:
        """The dimensions D of the features, or of a frame, that it reads."""
        return self._model.input_norm.config.dim

    @property
    def level(self) -> str:
        """Whether it reads features ("video") or frames ("frame")."""
        return self._model.encoder.level

    @property
    def num_classes(self) -> int:
        """The number of classes that it was trained on."""
        return self._model.config.num_classes

    def encode(
        self,
        X: Any,
        *,
        dim: int | None = None,
        any_dim: bool = False,
        batch_size: int | None = None,
        precision: Wanted = "auto",
    ) -> np.ndarray:
        """Embeddings float32 (n, dim).

        Args:
            X: features (n, D), list, array or tensor of any number type; for an encoder of frames a list of
                (t, D) arrays, or one (n, T, D) array: uint8 codes of YouTube-8M, or numbers.
            dim: a smaller embedding size that the run was trained for (`--nested`); None for all.
            any_dim: also a `dim` that it was not trained for: embeddings are cut to it.
            batch_size: videos at once, which affects rounding; None for what suits the device.
            precision: "fp32", "bf16", or "auto": as it was trained, but fp32 where the device has no bf16.

        Raises:
            SchemaError: another D, or frames where features are read and the other way round.
            DataError: NaN or infinity.
            UsageError: an embedding size that it was not trained for.
        """
        if dim is not None:
            dim = whole_number(dim, "dim", least=1)
        if batch_size is not None:
            batch_size = whole_number(batch_size, "batch_size", least=1)
        used = choose_precision(precision, self._facts["train_config"]["precision"], self.device)
        videos: Any = as_frames(X) if is_frames(X) else as_features(X)
        return embed(
            self._model,
            videos,
            dim=dim,
            any_dim=any_dim,
            batch_size=batch_size,
            precision=used,
            device=self.device,
        )

    def predict_proba(
        self, X: Any, *, batch_size: int | None = None, precision: Wanted = "auto"
    ) -> np.ndarray:
        """The probability of each class by its own head, float32 (n, C); arguments as of `encode`.

        `compress predict` writes the most probable ones of any number of videos.

        Raises:
            UsageError: it was fitted without a head ("pca", "random_projection").
            SchemaError, DataError: as `encode`.
        """
        if batch_size is not None:
            batch_size = whole_number(batch_size, "batch_size", least=1)
        used = choose_precision(precision, self._facts["train_config"]["precision"], self.device)
        videos: Any = as_frames(X) if is_frames(X) else as_features(X)
        return score(self._model, videos, batch_size=batch_size, precision=used, device=self.device)

    def save(self, folder: str | Path) -> None:
        """Keep it as a run, in place of an older one; UsageError where it is of a packed file."""
        check_whole(self._model, self.name)
        save_model(as_path(folder, "folder") / "model", self._model.state_dict(), dict(self._facts))

    def parts(self) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """What is kept of it elsewhere: name, sizes and facts as JSON, and its tensors; raises as `save`."""
        check_whole(self._model, self.name)
        about = {"name": self.name, "dim": self.dim, "input_dim": self.input_dim, "level": self.level}
        return {**about, "facts": dict(self._facts)}, self._model.state_dict()

    def __repr__(self) -> str:
        reads = f"{'frames (t' if self.level == 'frame' else 'features (n'}, {self.input_dim})"
        nested = f", nested={list(self.dims[:-1])}" if len(self.dims) > 1 else ""
        return f"Encoder({self.name!r}, dim={self.dim}{nested}, reads {reads})"


def load(run: str | Path, *, device: str = "auto") -> Encoder:
    """The encoder of a finished run.

    Args:
        run: folder of the run, e.g. "runs/linear-320"; or a file of `compress pack`, which has no classifier.
        device: "cpu", "cuda", or "auto" for a GPU where there is one.

    Raises:
        NotFoundError: no such folder, or no finished training in it.
        CorruptArtifactError: a checksum does not match.
        UnavailableError: "cuda" without a GPU.
    """
    folder = as_path(run, "a run")
    if folder.is_file() and folder.suffix != ".safetensors":
        hint = "compress.open_store reads a store" if folder.suffix == ".h5" else "name its folder"
        raise NotFoundError("is a file, not the folder of a run", where=folder, hint=hint)
    if folder.is_file():
        return Encoder(*read_packed(folder), choose_device(device))
    model, facts = load_model(folder)
    return Encoder(model, facts, folder.resolve().name, choose_device(device))


def table_of(
    X: Any,
    Y: Any = None,
    *,
    num_classes: int | None = None,
    names: tuple[str, ...] | None = None,
    prefix: str = "",
) -> Table:
    """Arrays as the table that training reads; ids are the row numbers behind `prefix`.

    Raises:
        SchemaError, DataError: as `as_features`, `as_frames` and `as_labels`; frames of both types.
    """
    frames = as_frames(X) if is_frames(X) else None
    features = as_features(X) if frames is None else None
    videos = len(X)
    labels = Labels.empty(videos, num_classes or 1)
    if Y is not None:
        labels = as_labels(Y, videos, num_classes=num_classes, names=names)
    ids = np.array([f"{prefix}{row}".encode() for row in range(videos)])
    if features is not None:
        schema = FeatureSchema("video", ("features",), (features.shape[1],), labels.num_classes, "id")
        return VideoTable(ids, features, labels, schema)
    assert frames is not None
    types = {video.dtype for video in frames}
    if len(types) > 1:
        what = "some frames are uint8 codes and some are floating point"
        raise SchemaError(what, hint="give all in one type")
    schema = FeatureSchema("frame", ("frames",), (frames[0].shape[1],), labels.num_classes, "id")
    schema = replace(schema, float_frames=np.dtype(np.uint8) not in types)
    ends = np.concatenate([[0], np.cumsum([len(video) for video in frames])]).astype(np.int64)
    return FrameTable(ids, np.concatenate(frames), ends, labels, schema)


def _checked_settings(settings: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if settings is None:
        return {}
    if not isinstance(settings, Mapping) or not all(isinstance(name, str) for name in settings):
        what = f"settings are {settings!r:.60}, not a dict of names and values"
        raise UsageError(what, hint="settings={'learning_rate': 0.001}")
    for name in ("dim", "seed", "epochs"):
        if name in settings:
            hint = f"pass {name}={settings[name]!r}"
            raise UsageError(f"{name!r} is an argument of its own", where="settings", hint=hint)
    return settings


def _divided(table: Table) -> tuple[Table, Table]:
    """The videos to train on, and those to choose on; where these are too few, the same under other ids."""
    chosen = set_aside(table.ids)
    if not chosen.any():
        return table, take_videos(table, np.arange(len(table)), "v")
    return take_videos(table, np.flatnonzero(~chosen)), take_videos(table, np.flatnonzero(chosen))

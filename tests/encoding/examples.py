"""Small shards and encoders that are made at once: a random matrix, the features as they are, an LSTM."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compress.datasets.formats.examples import serialize_frames, serialize_video
from compress.datasets.formats.framing import write_records
from compress.datasets.record import FrameRecord, VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.datasets.source import Source, open_source
from compress.encoding import EncodeResult, encode
from compress.training.config import TrainConfig
from compress.training.run import Run, save_model
from encoders import InputNormConfig, ModelConfig, build_model

DIM, CLASSES = 12, 7
VIDEO = FeatureSchema("video", ("mean",), (DIM,), CLASSES, "id")
FRAME = FeatureSchema("frame", ("rgb",), (DIM,), CLASSES, "id")


def videos(count: int, first: int = 0, *, dim: int = DIM, labelled: bool = True) -> list[VideoRecord]:
    """Videos `first` to `first + count`; one to three labels each. Each depends on its number alone."""
    return [
        VideoRecord(
            f"v{number:05d}".encode(),
            np.unique(np.arange(number, 3 * number + 1, number + 1) % CLASSES * labelled).astype(np.int32)[
                : 3 * labelled
            ],
            np.random.default_rng(number).standard_normal(dim).astype(np.float32),
        )
        for number in range(first, first + count)
    ]


def clips(lengths: Sequence[int]) -> list[FrameRecord]:
    """Videos of so many frames each."""
    random = np.random.default_rng(1)
    return [
        FrameRecord(
            f"f{number:03d}".encode(),
            np.array([number % CLASSES], dtype=np.int32),
            random.integers(0, 256, (length, DIM)).astype(np.uint8),
        )
        for number, length in enumerate(lengths)
    ]


def shards(
    folder: Path,
    name: str,
    records: Sequence[Any],
    sizes: Sequence[int] | None = None,
    classes: int = CLASSES,
) -> Source:
    """A source of TFRecord shards of the given sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    start = 0
    for number, size in enumerate(sizes or (len(records),)):
        part = records[start : start + size]
        start += size
        write_records(folder / f"{name}{number}.tfrecord", map(_serialised, part))
    assert start == len(records)
    return open_source([str(folder / f"{name}*.tfrecord")], num_classes=classes)


def _serialised(record: VideoRecord | FrameRecord) -> bytes:
    if isinstance(record, FrameRecord):
        return serialize_frames(record, FRAME)
    schema = FeatureSchema("video", ("mean",), (len(record.features),), CLASSES, "id")
    return serialize_video(record, schema)


def encoder_run(
    folder: Path,
    name: str = "linear",
    options: Mapping[str, Any] | None = None,
    *,
    precision: str = "fp32",
    seed: int = 0,
    poison: bool = False,
    head: str | None = None,
    nested_dims: tuple[int, ...] = (),
) -> Path:
    """A run as a training leaves it, with random weights, or with one that is not a number."""
    torch.manual_seed(seed)
    own = {"dim": 5} if name != "identity" else {}
    options = {**own, **(options or {}), "input_dim": DIM}
    config = ModelConfig(name, CLASSES, options, head, {}, InputNormConfig(DIM, "none"), nested_dims)
    model = build_model(config)
    if poison:
        with torch.no_grad():
            model.encoder.weight[0, 0] = float("nan")
    schema = FRAME if model.encoder.level == "frame" else VIDEO
    recipe = TrainConfig(name, {}, head=head, precision=precision, nested_dims=nested_dims)  # type: ignore[arg-type]
    facts = {
        "epoch": 0,
        "figures": {},
        "model_config": model.config.to_dict(),
        "parameters": model.parameter_counts(),
        "schema": schema.to_json(),
        "train_config": recipe.to_json(),
        "train_videos": 0,
    }
    save_model(Run(folder).model, model.state_dict(), facts)
    return folder


def files(folder: Path) -> list[str]:
    """What lies there."""
    return sorted(os.listdir(folder))


def encoded(root: Path, splits: Mapping[str, Source], run: Path, **options: Any) -> EncodeResult:
    """Encode to out/a.h5."""
    return encode(run, splits, root / "out" / "a.h5", **options)

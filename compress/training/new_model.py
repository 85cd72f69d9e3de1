"""The model that a training starts with: random weights, input statistics and class frequencies.

The features of YouTube-8M are whitened: Google projected the 2048 dimensions of Inception onto the 1024
largest principal components and divided each by sqrt(eigenvalue + 1e-4) (google/youtube-8m,
feature_extractor), which makes the last component, mostly noise, as large as the first. NeXtVLAD (Lin et al.
2018, section 4.1) undoes it. The file is Google's `inception_pca/eigenvals.npy`; it is not part of this
package.
"""

from __future__ import annotations

import hashlib
import io
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from compress.artifacts.atomic import read_bytes
from compress.datasets.schema import FeatureSchema
from compress.datasets.table import FrameTable, VideoTable
from compress.errors import CorruptArtifactError, SchemaError, UsageError
from compress.progress import check_interrupt
from compress.training.config import NormMode, TrainConfig
from compress.training.inputs import Table
from compress.training.readout import readout_weight
from compress.training.recipes import CLOSED_FORM
from encoders import InputNorm, InputNormConfig, Model, ModelConfig, build_model

_STATISTICS_ROWS = 4096  # rows or frames at once
_STATISTICS_FRAMES = 2_000_000  # spread evenly over all: enough for the statistics, since frames are alike
EPSILON = 1e-4  # what the extractor added to each eigenvalue
RGB = ("mean_rgb", "rgb")
_WHERE = "--set undo_whitening"


def build(config: TrainConfig, schema: FeatureSchema) -> Model:
    """A model with random weights for videos of a schema; UsageError for wrong options of encoder or head."""
    try:
        model = build_model(
            ModelConfig(
                CLOSED_FORM.get(config.encoder, config.encoder),
                schema.num_classes,
                {**config.encoder_options, "input_dim": schema.dim},
                config.head,
                config.head_options,
                input_norm_config(config.input_norm, schema.dim, bool(config.undo_whitening)),
                config.nested_dims,
                config.quantize,
                config.readout_weight,
            )
        )
        if config.warm_epochs:
            model.encoder.set_warm(True)
    except ValueError as error:
        raise UsageError(str(error), where=f"encoder {config.encoder!r}") from error
    return model


def new_model(config: TrainConfig, table: Table) -> Model:
    """`build`, with the input statistics and the head's class priors taken from the training videos."""
    model = build(config, table.schema)
    fit_input_norm(model.input_norm, config, table)
    if model.readout is not None:
        if not isinstance(table, VideoTable):
            raise UsageError("readout_weight needs video-level features, and these are frames", where="--set")
        model.readout.weight.copy_(readout_weight(model.input_norm, table, model.dim))
    if config.class_priors:
        counts = torch.from_numpy(table.labels.class_counts()).double()
        # Half a video more per class: a class without videos would start at minus infinity.
        model.set_class_priors(((counts + 0.5) / (len(table) + 1)).clamp(0, 1))
    return model


def input_norm_config(mode: NormMode, dim: int, undo_whitening: bool = False) -> InputNormConfig:
    """The input norm that a recipe names, for features of `dim` dimensions."""
    if mode == "l2_scaled":
        return InputNormConfig(dim, "l2", scale=math.sqrt(dim), undo_whitening=undo_whitening)
    return InputNormConfig(dim, mode, undo_whitening=undo_whitening)


def fit_input_norm(norm: InputNorm, config: TrainConfig, table: Table) -> None:
    """Set the whitening that the input norm undoes, and its statistics."""
    if norm.config.undo_whitening:
        norm.set_whitening(whitening(config.undo_whitening, table.schema))
    set_input_statistics(norm, table)


def set_input_statistics(norm: InputNorm, table: Table) -> None:
    """Set mean and deviation per dimension over the table's videos (or frames), if its mode needs them."""
    if norm.config.mode not in ("standardize", "l2_standardize"):
        return
    data = table.frames if isinstance(table, FrameTable) else table.features
    every = max(1, len(data) // _STATISTICS_FRAMES)
    count, total = 0, torch.zeros(norm.config.dim, dtype=torch.float64)
    squares = torch.zeros_like(total)
    for first in range(0, len(data), _STATISTICS_ROWS * every):
        check_interrupt()
        rows = np.array(data[first : first + _STATISTICS_ROWS * every : every])  # torch wants it writable
        block = norm.before_statistics(torch.from_numpy(rows)).double()
        count, total, squares = count + len(block), total + block.sum(0), squares + block.square().sum(0)
    # In float64 sums of squares are exact enough; rounding may still make a variance slightly negative.
    mean = total / count
    norm.set_statistics(mean.float(), (squares / count - mean.square()).clamp_min(0).sqrt().float())


def whitening(file: str, schema: FeatureSchema) -> Tensor:
    """The factor on each dimension that undoes whitening: float32 (dim,), 1 except for rgb.

    Args:
        file: npy of at least as many eigenvalues as rgb has dimensions, largest first; (n,) or (n, 1).
        schema: of the videos.

    Raises:
        SchemaError: the videos have no rgb, or it has more dimensions than there are eigenvalues.
        NotFoundError, CorruptArtifactError: no such file, or not one of eigenvalues.
    """
    name = next((name for name in schema.names if name in RGB), None)
    if name is None:
        what = f"only rgb of YouTube-8M is whitened; these videos have {', '.join(schema.names)}"
        raise SchemaError(what, where=_WHERE)
    at = schema.names.index(name)
    first, size = sum(schema.dims[:at]), schema.dims[at]
    eigenvalues = _read(Path(file))
    if len(eigenvalues) < size:
        raise SchemaError(f"{len(eigenvalues)} eigenvalues for the {size} dimensions of {name}", where=file)
    factors = torch.ones(schema.dim)
    factors[first : first + size] = torch.from_numpy(np.sqrt(eigenvalues[:size] + EPSILON)).float()
    return factors


def whitening_sha256(file: str) -> str:
    """Of the eigenvalues in a file, wherever it lies; raises as `whitening`."""
    return hashlib.sha256(_read(Path(file)).tobytes()).hexdigest()


def _read(path: Path) -> np.ndarray:
    """float64 (n,); not negative, largest first."""
    try:
        values = np.lib.format.read_array(io.BytesIO(read_bytes(path)), allow_pickle=False)
    except ValueError as error:
        raise CorruptArtifactError(f"not an npy file ({error})", where=path) from error
    if values.dtype.kind != "f" or values.shape[:1] != (values.size,):
        raise CorruptArtifactError("not one column of floating-point numbers", where=path)
    flat = np.ascontiguousarray(values.reshape(-1), dtype=np.float64)
    if not np.isfinite(flat).all() or (flat < 0).any() or (np.diff(flat) > 0).any():
        raise CorruptArtifactError(
            "eigenvalues must not be negative, and the largest must come first", where=path
        )
    return flat

"""Closed-form encoders, which are not trained: PCA, random projection, and the features as they are.

They are the baselines of every learned embedding, so they are kept as runs with a model, like any other.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from compress.datasets.table import VideoTable
from compress.errors import SchemaError, UsageError
from compress.progress import Note, Reporter, check_interrupt, silent, uninterrupted
from compress.training.config import TrainConfig
from compress.training.inputs import Table
from compress.training.new_model import fit_input_norm, input_norm_config
from compress.training.run import Run, model_facts, save_model
from encoders import InputNorm, ModelConfig, build_model
from encoders.linear import LinearEncoder

_ROWS = 4096  # videos at once


def fit_closed_form(config: TrainConfig, table: Table, run: Run, report: Reporter = silent) -> None:
    """Fit the encoder and commit it as the run's model, without a head.

    PCA to more dimensions than the training videos span is told: the rest are directions by chance.

    Raises:
        SchemaError: frame-level data.
        UsageError: more dimensions than the features have, or none given.
    """
    if not isinstance(table, VideoTable):
        raise SchemaError(f"{config.encoder} reads video-level data, these shards are frame-level")
    identity, size = config.encoder == "identity", table.schema.dim
    # identity stores the raw features: whatever reads them normalises them.
    undo = bool(config.undo_whitening) and not identity
    norm = input_norm_config("none" if identity else config.input_norm, size, undo)
    options = {**config.encoder_options, "input_dim": size}
    name = "identity" if identity else "linear"
    try:
        model = build_model(ModelConfig(name, table.labels.num_classes, options, None, {}, norm))
    except ValueError as error:
        raise UsageError(str(error), where=f"encoder {config.encoder!r}") from error
    fit_input_norm(model.input_norm, config, table)
    if isinstance(model.encoder, LinearEncoder):
        weight, bias = _projection(config, model.input_norm, table, model.encoder.dim, report)
        with torch.no_grad():
            model.encoder.weight.copy_(weight)
            if model.encoder.bias is not None:
                model.encoder.bias.copy_(bias)
    length = {"epochs_trained": 0, "steps": 0, "converged": None}
    facts = {"figures": {}, **length, **model_facts(model, config, table, 0)}
    save_model(run.model, model.state_dict(), facts)


def _projection(
    config: TrainConfig, norm: InputNorm, table: VideoTable, dim: int, report: Reporter
) -> tuple[Tensor, Tensor]:
    if config.encoder == "random_projection":
        weight = random_directions(dim, table.schema.dim, config.seed)
        return weight, torch.zeros(dim)
    mean, covariance = moments(norm, table)
    spectrum, weight = principal_directions(covariance, dim)
    # Rounding of the features to float32 gives variances of about 1e-14 where there are none.
    if (spanned := int((spectrum > 1e-11 * spectrum[0]).sum())) < dim:
        what = f"the {len(table):,} training videos span {spanned:,} dimensions: of --dim {dim} the last"
        report(Note(f"{what} {dim - spanned:,} are the same for all of them; --dim {spanned} keeps as much"))
    return weight, -(weight.double() @ mean).float()


def random_directions(dim: int, input_dim: int, seed: int) -> Tensor:
    """Gaussian directions (dim, input_dim), which keep lengths on average (Johnson-Lindenstrauss)."""
    from sklearn.random_projection import GaussianRandomProjection  # slow to import, and only needed here

    projection = GaussianRandomProjection(dim, random_state=seed).fit(np.zeros((1, input_dim)))
    return torch.from_numpy(projection.components_).float()


def principal_directions(covariance: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The eigenvalues (D,) and the first `dim` eigenvectors, as rows float32 (dim, D), largest first."""
    values, vectors = uninterrupted(lambda: torch.linalg.eigh(covariance))
    rows = vectors.flip(1)[:, :dim].T
    # An eigenvector's sign is arbitrary; with the largest entry positive, the same data gives the same
    # encoder.
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    return values.flip(0), (rows * largest.sign()).float()


def moments(norm: InputNorm, table: VideoTable) -> tuple[Tensor, Tensor]:
    """Mean (D,) and covariance (D, D) of the normalised features, float64, in one pass."""
    size = table.schema.dim
    total, products = torch.zeros(size, dtype=torch.float64), torch.zeros(size, size, dtype=torch.float64)
    for first in range(0, len(table), _ROWS):
        check_interrupt()
        rows = torch.from_numpy(table.features[first : first + _ROWS].copy())
        block = norm(rows).double()  # float32 sums over millions of videos would lose the small eigenvalues
        total += block.sum(0)
        products += block.T @ block
    mean = total / len(table)
    return mean, products / len(table) - torch.outer(mean, mean)

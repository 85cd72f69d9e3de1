"""The fixed weight of a linear readout: what a linear model of the features says about the labels.

Reduced-rank regression (Izenman 1975, "Reduced-rank regression for the multivariate linear model"): of all
sets of `dim` directions in the space of the labels, those that keep most of the fitted values.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from compress.datasets.table import VideoTable
from compress.progress import check_interrupt, uninterrupted
from encoders import InputNorm

PENALTY = 1e-4  # as a share of the mean variance of a dimension: enough for dimensions that never vary
_ROWS = 4096


def readout_weight(norm: InputNorm, table: VideoTable, dim: int) -> Tensor:
    """Weight W of the readout: float32 (C, dim).

    The fitted values of the ridge regression of the labels on the normalised features are W z plus their
    mean, as nearly as `dim` numbers z allow, for z of mean 0 and covariance 1. Columns that the features
    cannot fill are 0.

    Args:
        norm: of the features, fitted.
        table: videos to learn from.
        dim: of the embedding.
    """
    size, classes = norm.config.dim, table.schema.num_classes
    squares = torch.zeros(size, size, dtype=torch.float64)
    crossed = torch.zeros(size, classes, dtype=torch.float64)
    features, labels = torch.zeros(size, dtype=torch.float64), torch.zeros(classes, dtype=torch.float64)
    for first in range(0, len(table), _ROWS):
        check_interrupt()
        rows, hot = table.batch(np.arange(first, min(first + _ROWS, len(table))))
        x, y = norm(torch.from_numpy(np.array(rows))).float(), torch.from_numpy(hot).float()
        # Sums of at most _ROWS float32 products are exact enough.
        squares, crossed = squares + (x.T @ x).double(), crossed + (x.T @ y).double()
        features, labels = features + x.sum(0).double(), labels + y.sum(0).double()
    mean, frequency = features / len(table), labels / len(table)
    covariance = squares / len(table) - torch.outer(mean, mean)
    crossed = crossed / len(table) - torch.outer(mean, frequency)
    values, axes = uninterrupted(lambda: torch.linalg.eigh(covariance))
    values = values.clamp_min(0)
    ridge = values + PENALTY * values.mean() + torch.finfo(torch.float64).tiny
    # Fitted values of whitened features: root of the covariance times the solution.
    fitted = (values.sqrt() / ridge)[:, None] * (axes.T @ crossed)
    strength, directions = uninterrupted(lambda: torch.linalg.eigh(fitted @ fitted.T))
    found = fitted.T @ directions[:, strength.argsort(descending=True)][:, :dim]
    weight = torch.zeros(classes, dim)
    weight[:, : found.shape[1]] = found.float()
    return weight

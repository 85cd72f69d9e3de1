"""Ridge regression: how much of the labels is linear in the embedding. Closed form, so without a seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compress.datasets.table import VideoTable
from compress.evaluation.judges.names import title_of
from compress.evaluation.judges.opinion import Opinion
from compress.evaluation.judges.question import Judge, Question, Search, answer
from compress.progress import Progress, Reporter, check_interrupt, silent, uninterrupted
from compress.training.scoring import accumulate

PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 3e-1, 1.0, 10.0)
"""Tried penalties, as a share of the mean variance of a dimension."""
_ROWS = 4096  # videos at once
_SHARPNESS = 8.0  # turns targets 0 and 1 into probabilities 0.02 and 0.98; it changes no order


@dataclass(frozen=True)
class Ridge(Judge):
    """W of smallest |X W - Y|^2 + penalty |W|^2 over embeddings X of unit length and multi-hot labels Y."""

    name: str = "ridge"
    title: str = title_of("ridge")

    def recipe(self, search: Search, videos: int) -> dict[str, Any]:
        return {"penalties": list(PENALTIES), "videos": videos}

    def ask(self, question: Question, folder: Path, report: Reporter = silent) -> Opinion:
        sums = _sums(question.fit, report)
        tried = [_solved(sums, penalty).to(question.device) for penalty in PENALTIES]
        gaps = [accumulate(model, question.aside).figures().gap for model in tried]
        best = int(np.argmax(gaps))
        model = tried[best]
        return answer(
            question,
            model,
            settings={"penalty": PENALTIES[best]},
            converged=True,
            parameters=model.weight.numel() + model.bias.numel(),
            aside_gap=gaps[best],
            report=report,
        )


class LinearModel(nn.Module):
    """Logits of a linear regression on embeddings of unit length; `weight` (dim, C), `bias` (C,)."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight, False), nn.Parameter(bias, False)

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, dim) -> (B, C), float32."""
        return _SHARPNESS * (_unit(embedding) @ self.weight + self.bias - 0.5)


@dataclass(frozen=True)
class _Sums:
    """Over videos x (D,) with labels y (C,): their number, sums of x, y, x x^T and x y^T, float64."""

    videos: int
    features: Tensor
    labels: Tensor
    products: Tensor
    crossed: Tensor


def _sums(table: VideoTable, report: Reporter) -> _Sums:
    dim, classes = table.schema.dim, table.labels.num_classes
    features, labels = torch.zeros(dim, dtype=torch.float64), torch.zeros(classes, dtype=torch.float64)
    products = torch.zeros(dim, dim, dtype=torch.float64)
    crossed = torch.zeros(dim, classes, dtype=torch.float64)
    for first in range(0, len(table), _ROWS):
        check_interrupt()
        rows, multi_hot = table.batch(np.arange(first, min(first + _ROWS, len(table))))
        x = _unit(torch.from_numpy(np.array(rows)))
        features += x.sum(0, dtype=torch.float64)
        products += (x.T @ x).double()  # sums of at most _ROWS float32 products are exact enough
        hot = torch.from_numpy(multi_hot)
        labels += hot.sum(0)
        crossed += _by_class(x, table.labels.take(np.arange(first, first + len(x))), classes)
        report(Progress("ridge regression", first + len(x), len(table), "videos"))
    return _Sums(len(table), features, labels, products, crossed)


def _by_class(x: Tensor, labels: Any, classes: int) -> Tensor:
    """Sum of x over the videos of each class, float64 (D, C): labels are few, so it costs little."""
    videos = torch.repeat_interleave(torch.arange(len(x)), torch.from_numpy(labels.counts()))
    sums = torch.zeros(classes, x.shape[1], dtype=torch.float64)
    sums.index_add_(0, torch.from_numpy(np.array(labels.indices)).long(), x[videos].double())
    return sums.T


def _solved(sums: _Sums, penalty: float) -> LinearModel:
    mean, frequency = sums.features / sums.videos, sums.labels / sums.videos
    covariance = sums.products / sums.videos - torch.outer(mean, mean)
    crossed = sums.crossed / sums.videos - torch.outer(mean, frequency)
    dim = len(mean)
    scale = float(covariance.diagonal().mean()) or 1.0
    regular = covariance + penalty * scale * torch.eye(dim, dtype=torch.float64)
    weight = uninterrupted(lambda: torch.linalg.solve(regular, crossed))
    return LinearModel(weight.float(), (frequency - mean @ weight).float())


def _unit(x: Tensor) -> Tensor:
    return nn.functional.normalize(x.float(), dim=1)

"""k nearest neighbours: do videos with similar embeddings have the same labels? Nothing is trained."""

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
from compress.labels import Labels
from compress.progress import Reporter, silent
from compress.training.inputs import take_videos
from compress.training.scoring import accumulate

COUNTS = (10, 30, 100)
TEMPERATURES = (0.02, 0.05, 0.1, 0.2)
"""Tried numbers of neighbours, and tried widths of the weights exp(cosine / temperature)."""
MOST_VIDEOS = 100_000
"""Training videos that vote; of more, as many are drawn, since each query is compared with all of them."""


@dataclass(frozen=True)
class NearestNeighbours(Judge):
    """The nearest training videos by cosine vote for their labels, the nearer the more."""

    name: str = "knn"
    title: str = title_of("knn")

    def recipe(self, search: Search, videos: int) -> dict[str, Any]:
        return {"counts": list(COUNTS), "temperatures": list(TEMPERATURES), "most_videos": MOST_VIDEOS}

    def ask(self, question: Question, folder: Path, report: Reporter = silent) -> Opinion:
        voters = _drawn(question.fit, question.search.seed)
        tried = [(count, width) for count in COUNTS if count <= len(voters) for width in TEMPERATURES]
        model = Voting([voters], *tried[0]) if tried else Voting([voters], len(voters), TEMPERATURES[1])
        gaps = []
        for count, width in tried:
            model.count, model.temperature = count, width
            gaps.append(accumulate(model, question.aside).figures().gap)
        chosen = tried[int(np.argmax(gaps))] if tried else (len(voters), TEMPERATURES[1])
        aside_gap = max(gaps) if gaps else accumulate(model, question.aside).figures().gap
        everyone = Voting([voters, question.aside], *chosen).to(question.device)
        return answer(
            question,
            everyone,
            settings={"neighbours": chosen[0], "temperature": chosen[1], "voters": len(everyone.labels)},
            converged=True,
            parameters=0,
            aside_gap=aside_gap,
            report=report,
        )


class Voting(nn.Module):
    """Logits from the votes of the `count` nearest of some labelled videos."""

    def __init__(self, tables: list[VideoTable], count: int, temperature: float) -> None:
        super().__init__()
        rows = np.concatenate([np.asarray(table.features[:]) for table in tables])
        self.base = nn.Parameter(_unit(torch.from_numpy(rows)), False)
        self.labels = Labels.concatenate([table.labels for table in tables])
        hot = self.labels
        # Parameters, so that they move to the device with the rest.
        self.indptr = nn.Parameter(torch.from_numpy(np.array(hot.indptr)), False)
        self.classes = nn.Parameter(torch.from_numpy(np.array(hot.indices)).long(), False)
        self.count, self.temperature = count, temperature

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, dim) -> logits (B, C), float32: of the share of the votes that a class gets."""
        near = torch.topk(_unit(embedding) @ self.base.T, self.count, dim=1)
        weights = torch.softmax(near.values / self.temperature, dim=1)
        starts, stops = self.indptr[near.indices], self.indptr[near.indices + 1]
        lengths = (stops - starts).flatten()
        owners = torch.repeat_interleave(torch.arange(len(lengths), device=lengths.device), lengths)
        within = torch.arange(len(owners), device=lengths.device) - (lengths.cumsum(0) - lengths)[owners]
        classes = self.classes[starts.flatten()[owners] + within]
        votes = torch.zeros(len(embedding), self.labels.num_classes, device=embedding.device)
        places = owners // self.count * self.labels.num_classes + classes
        votes.view(-1).index_add_(0, places, weights.flatten()[owners])
        return torch.logit(votes, eps=1e-6)


def _drawn(table: VideoTable, seed: int) -> VideoTable:
    if len(table) <= MOST_VIDEOS:
        return table
    rows = np.random.default_rng(seed).permutation(len(table))[:MOST_VIDEOS]
    drawn = take_videos(table, np.sort(rows))
    assert isinstance(drawn, VideoTable)
    return drawn


def _unit(x: Tensor) -> Tensor:
    return nn.functional.normalize(x.float(), dim=1)

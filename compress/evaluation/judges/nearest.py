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
        tried = {"counts": list(COUNTS), "temperatures": list(TEMPERATURES)}
        return tried | {"videos": min(videos, MOST_VIDEOS)}

    def ask(self, question: Question, folder: Path, report: Reporter = silent) -> Opinion:
        voters = _drawn(question.fit, question.search.seed)
        counts = [count for count in COUNTS if count <= len(voters)] or [len(voters)]
        tried = [(count, width) for count in counts for width in TEMPERATURES]
        model = Voting(voters, *tried[0]).to(question.device)
        gaps = []
        for count, temperature in tried:
            model.count, model.temperature = count, temperature
            gaps.append(accumulate(model, question.aside).figures().gap)
        best = int(np.argmax(gaps))
        model.count, model.temperature = tried[best]
        return answer(
            question,
            model,
            settings={"neighbours": model.count, "temperature": model.temperature, "voters": len(voters)},
            converged=True,
            parameters=0,
            aside_gap=gaps[best],
            report=report,
        )


class Voting(nn.Module):
    """Logits from the votes of the `count` nearest of some labelled videos."""

    def __init__(self, voters: VideoTable, count: int, temperature: float) -> None:
        super().__init__()
        self.base = nn.Parameter(_unit(torch.from_numpy(np.array(voters.features[:]))), False)
        self.num_classes = voters.labels.num_classes
        hot = voters.labels
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
        votes = torch.zeros(len(embedding), self.num_classes, device=embedding.device)
        places = owners // self.count * self.num_classes + classes
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

"""The head that was trained with an encoder, on the embeddings that a store holds."""

from __future__ import annotations

from pathlib import Path

import torch

from compress.evaluation.splits import split_table
from compress.metrics import TopScores
from compress.store.reader import Store
from compress.training.run import load_model
from compress.training.scoring import accumulate


@torch.no_grad()
def score_joint_head(store: Store, encoder_run: Path, device: str) -> TopScores | None:
    """Its scores of the validation videos; None without a head.

    A prefix store is scored by the head of its size. The head reads the decoded embeddings.
    """
    model, _ = load_model(encoder_run)
    if model.head is None or store.dim not in model.dims:
        return None
    return accumulate(_HeadOnly(model.head_of(store.dim)).to(device), split_table(store, "validate")).top()


class _HeadOnly(torch.nn.Module):
    def __init__(self, head: torch.nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(embedding)
        return logits

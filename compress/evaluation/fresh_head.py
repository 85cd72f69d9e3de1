"""Can somebody who has only the stored embeddings train a good classifier on them?

The head is the paper's MoE (mixture of experts), trained from random weights on the decoded embeddings. Every
row of a report gets the same recipe (compress/training/recipes.py), epochs, seed and videos.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

from compress.artifacts.atomic import read_json
from compress.artifacts.lock import exclusive
from compress.evaluation.full_map import model_full_map
from compress.evaluation.splits import split_table
from compress.metrics import TopScores
from compress.progress import Reporter, silent
from compress.store.reader import Store
from compress.training.config import TrainConfig
from compress.training.identity import identity_of, same_training
from compress.training.inputs import Table
from compress.training.loop import train
from compress.training.run import load_model
from compress.training.scoring import accumulate


def train_fresh_head(
    table: Table,
    validation: Table,
    run: Path,
    config: TrainConfig,
    *,
    device: str,
    threads: int,
    report: Reporter = silent,
) -> tuple[TopScores, int]:
    """Train a head on embeddings and score others.

    Args:
        table: embeddings and labels to learn from; of a store, `split_table(store, "train")`.
        validation: to score.
        run: folder of the head's training; resumable like any other.
        config: `fresh_head_config(...)`.

    Returns:
        Top scores of the validation videos, in their order, and the head's number of parameters.
    """
    with exclusive(run):
        _drop_other_head(run, identity_of(config, table, validation, device))
        train(config, table, validation, run, device=device, threads=threads, report=report)
        model, facts = load_model(run)
    top = accumulate(model.to(device), validation, precision=config.precision).top()
    return top, facts["parameters"]["head"]


def fresh_head_full_map(
    store: Store, run: Path, *, device: str, report: Reporter = silent
) -> dict[str, float]:
    """MAP over all scores of a trained head on the `validate` split; as `full_map`."""
    model, facts = load_model(run)
    precision = facts["train_config"]["precision"]
    return model_full_map(model.to(device), split_table(store, "validate"), precision, report)


def _drop_other_head(run: Path, identity: dict[str, Any]) -> None:
    """Remove a head of another store or recipe: unlike an encoder, it is a by-product."""
    config = run / "config.json"
    if config.exists() and not same_training(read_json(config), identity):
        shutil.rmtree(run)


@torch.no_grad()
def score_joint_head(store: Store, encoder_run: Path, device: str) -> TopScores | None:
    """Scores of the head that was trained with the encoder, on the stored embeddings; None without a head.

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

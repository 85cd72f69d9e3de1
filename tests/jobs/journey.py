"""The jobs of a video's way from shards to a report, each as one call on the workspace of tiny_videos.py."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from compress.datasets.source import open_source
from compress.encoding import EncodeResult
from compress.index import Index, open_index
from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_runs, evaluate_store
from compress.jobs.index import index_store
from compress.jobs.names import store_name
from compress.jobs.search import Answer, search_store
from compress.jobs.train import Trained, train_run
from compress.store.reader import Store, open_store
from compress.training.run import load_model
from compress.workspace import Workspace
from tests.encoders.examples import OPTIONS
from tests.jobs.tiny_videos import CLASSES, TRAIN

HEADS = ("ridge",)


def trained(
    workspace: Workspace, name: str, encoder: str, dim: int | None = None, *settings: str, epochs: int = 1
) -> Trained:
    """A small encoder, for an epoch; without `dim` as wide as it is by itself. "original" learns nothing."""
    small = [f"{key}={json.dumps(value)}" for key, value in OPTIONS.get(encoder, {}).items()]
    return train_run(
        workspace,
        dim=dim,
        encoder=encoder,
        epochs=None if name == "original" else epochs,
        batch_size=None if name == "original" else 16,
        settings=(*small, *settings),
        name=name,
        threads=1,
        device="cpu",
    )


def encoded(workspace: Workspace, run: str, codec: str = "float32") -> EncodeResult:
    """The store of a run, all videos in one batch."""
    return encode_store(workspace, name=run, codec=codec, device="cpu")


def stored(workspace: Workspace, run: str, codec: str = "float32") -> Store:
    """That store, every byte of it checked."""
    return open_store(workspace.store(store_name(run, codec)), verify=True)


def indexed(workspace: Workspace, store: str) -> Index:
    """The index of a store, opened as belonging to it."""
    done = index_store(workspace, name=store, recall_queries=TRAIN, device="cpu")
    return open_index(done.folder, store=open_store(workspace.store(store)))


def searched(workspace: Workspace, store: str, video_id: str, k: int) -> Answer:
    """The videos most like one of the store."""
    answer = search_store(workspace, name=store, video_ids=[video_id], k=k)
    assert isinstance(answer, Answer)
    return answer


def measured(workspace: Workspace, store: str) -> dict[str, Any]:
    """A store's row, by a fresh head and its neighbours."""
    return evaluate_store(workspace, name=store, heads=HEADS, threads=1, device="cpu")


def scored(workspace: Workspace, *runs: str) -> dict[str, Any]:
    """The figures of runs by their own heads."""
    return evaluate_runs(workspace, runs=runs, threads=1, device="cpu")


@torch.no_grad()
def embedded_one_by_one(workspace: Workspace, run: str) -> dict[bytes, np.ndarray]:
    """The embedding (dim,) of each video by its id, computed in memory, without batch mates or padding."""
    model, facts = load_model(workspace.run(run))
    found = {}
    for split in ("train", "validate"):
        source = open_source(workspace.patterns(split, model.encoder.level), num_classes=CLASSES)
        for record in source.read(source.shards[0]):
            with torch.autocast("cpu", torch.bfloat16, enabled=facts["train_config"]["precision"] == "bf16"):
                if model.encoder.level == "frame":
                    frames = torch.tensor(record.frames)[None]
                    embedding = model.embed((frames, torch.tensor([frames.shape[1]])))
                else:
                    embedding = model.embed(torch.tensor(record.features)[None])
            found[record.video_id] = embedding[0].float().numpy()
    return found

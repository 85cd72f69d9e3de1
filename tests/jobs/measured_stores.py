"""A workspace whose stores were measured, with invented scores: nothing is trained or encoded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compress.codecs.float32 import Float32
from compress.evaluation.judges.opinion import Opinion
from compress.evaluation.promises import Scores
from compress.evaluation.scores import save_scores
from compress.evaluation.splits import fingerprint
from compress.labels import Labels
from compress.metrics import METRICS, TopScores, figures
from compress.store.reader import open_store
from compress.store.writer import open_writer
from compress.workspace import Workspace
from tests.evaluation.promises.worlds import World, world

NAMES = [metric.name for metric in METRICS]

# Name of each store: its bytes per video, and how much noise its scores have.
STORES = {"fine": (100, 0.0), "good": (50, 0.05), "bad": (10, 3.0)}
BASELINE_BYTES = 400


def measured_stores(root: Path) -> Workspace:
    """`original` and STORES, measured alike on 600 videos; every store holds them."""
    workspace = Workspace(root)
    made = world(1, [noise for _, noise in STORES.values()], videos=600)
    write_store(workspace, "original", made)
    measure(workspace, "original", BASELINE_BYTES, made.baseline)
    for (name, (size, _)), scores in zip(STORES.items(), made.stores, strict=True):
        write_store(workspace, name, made)
        measure(workspace, name, size, scores)
    return workspace


def write_store(workspace: Workspace, name: str, of: World, seed: int = 0) -> None:
    """A store of the world's videos, in another order than that of their ids."""
    order = np.random.default_rng(5).permutation(len(of.ids))
    top = of.baseline.top
    labels = Labels(top.label_indptr, top.label_classes.astype(np.int32), top.num_classes)
    with open_writer(
        workspace.store(name),
        ids=of.ids[order],
        labels=labels.take(order),
        codec=Float32(2),
        splits={"validate": (0, len(order))},
        metadata={"name": name},
    ) as writer:
        writer.write(np.random.default_rng(seed).normal(size=(len(order), 2)).astype(np.float32))
        writer.finish()


def measure(
    workspace: Workspace,
    name: str,
    size: int,
    scores: Scores,
    facts: Mapping[str, Any] | None = None,
    *,
    ridge: TopScores | None = None,
    converged: bool = True,
) -> None:
    """What `compress evaluate` leaves of a store.

    Args:
        workspace, name, size: the store and its bytes per video.
        scores: of its best judge, which is moe.
        facts: replace what its scores depend on.
        ridge: scores of a second judge; the same ones where not given.
        converged: whether the best judge has.
    """
    store = open_store(workspace.store(name))
    known = {
        "head": {"epochs": 1},
        "train": "the training videos",
        "validate": fingerprint(store, "validate"),
        "store_sha256": store.sha256,
        **(facts or {}),
    }
    judges = {
        "moe": Opinion(scores.top, 0.6, {"epochs": [9]}, converged, 1, (figures(scores.top),)),
        "ridge": Opinion(
            ridge or scores.top, 0.5, {"penalty": 0.1}, True, 1, (figures(ridge or scores.top),)
        ),
    }
    folder, precision = workspace.evaluation / "scores" / name, scores.precision
    save_scores(folder, scores.top, known, label_precision=precision, opinions=judges)
    row = _row(name, size, len(scores.top), known["validate"]) | {
        "judges": [_judged(judge, opinion, name) for judge, opinion in judges.items()]
    }
    (workspace.evaluation / f"{name}.json").write_text(json.dumps(row))


FIGURES = {metric: {"value": 0.5, "low": 0.4, "high": 0.6} for metric in NAMES}


def _judged(judge: str, opinion: Opinion, store: str) -> dict[str, Any]:
    return {
        "name": judge,
        "figures": FIGURES,
        "delta": None if store == "original" else FIGURES,
        "aside_gap": opinion.aside_gap,
        "settings": opinion.settings,
        "seeds": 1,
        "converged": opinion.converged,
        "parameters": 1,
    }


def _row(name: str, size: int, videos: int, validate: str) -> dict[str, Any]:
    train, encode = "compress train --name a_run", f"compress encode --name a_run --codec {name}"
    return {
        "schema_version": 1,
        "row": name,
        "title": name.title(),
        "table4_row": None,
        "role": "baseline" if name == "original" else "encoder",
        "encoder": "linear",
        "head": "fresh moe",
        "dim": 2,
        "codec": "float32",
        "bytes_per_video": size,
        "parameters": {"encoder": 1, "head": 1},
        "figures": FIGURES,
        "delta": None if name == "original" else {"baseline": "original", **FIGURES},
        "joint": None,
        "retrieval": None,
        "head_training": {"epochs": 1, "seed": 0, "batch_size": 256},
        "data": {
            "train_videos": 100,
            "validate_videos": videos,
            "num_classes": 25,
            "fingerprint": validate,
            "synthetic_frames": False,
            "source": "invented",
        },
        "command": f"{train} && {encode} && compress evaluate --name {name}",
        "notes": ["Its epoch was chosen on validation videos."],
    }

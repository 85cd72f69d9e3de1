"""Files of evaluation/models/ as `compress evaluate --run` writes them, with realistic figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from compress.papers import catalogue

METRICS = ("gap", "map", "map_with_empty_as_zero", "perr", "hit_at_one")
FULL = {"train_videos": 3_840_000, "validate_videos": 1_130_000, "num_classes": 3862}


def model_json(name: str, gap: float, **changes: Any) -> dict[str, Any]:
    """One evaluation, of the row of that name if there is one, else of an LSTM of 1024.

    `changes` replace fields, those of "data" and "training" one by one.
    """
    row = next((row for row in catalogue().rows if row.run == name), None)
    figures = {m: {"value": gap, "low": gap - 0.006, "high": gap + 0.006} for m in METRICS}
    value: dict[str, Any] = {
        "schema_version": 1,
        "kind": "model",
        "name": name,
        "runs": [name],
        "title": f"Model {name}",
        "encoders": [row.encoder if row else "lstm"],
        "head": row.head if row else "moe",
        "level": row.level if row else "frame",
        "dim": (row and row.dim) or 1024,
        "parameters": {"encoder": 8_916_992, "head": 19_781_164},
        "model_bytes": 114_792_624,
        "figures": figures,
        "delta": None,
        "training": {"epochs": 2, "best_epoch": 1, "videos": 20_000, "seconds": 4000.0, "seed": 0},
        "data": {
            "train_videos": 20_000,
            "validate_videos": 5_000,
            "num_classes": 3862,
            "fingerprint": "3f9a1c55b2d07e64",
            "synthetic_frames": False,
            "source": "shards of yt8m-2018",
        },
        "model_sha256": ["ab" * 32],
        "command": f"compress evaluate --run {name}",
        "notes": [],
    }
    for key in ("data", "training"):
        if isinstance(changes.get(key), dict):
            changes[key] = {**value[key], **changes[key]}
    return {**value, **changes}


def write_models(folder: Path, *models: dict[str, Any]) -> Path:
    """The folder with one file a model."""
    folder.mkdir(parents=True, exist_ok=True)
    for model in models:
        (folder / f"{model['name']}.json").write_text(json.dumps(model))
    return folder

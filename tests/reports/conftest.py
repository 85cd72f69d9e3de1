"""Evaluation files as `compress evaluate` writes them, with realistic figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compress.evaluation.row import Row
from compress.reports import Document, load_rows
from compress.reports.document import Block, Figure

PAPER = {
    "residual_cnn-320": "ResidualCNN-320, Max Pooling",
    "residual_cnn-512": "ResidualCNN-512, Max Pooling",
    "lstm-640": "LSTM 2 layer, (1280,640)",
}
# name: title, role, encoder, dim, codec; GAP, MAP, PERR, Hit@1
ROWS: dict[str, tuple[tuple[str, str, str, int, str], tuple[float, float, float, float]]] = {
    "original": (
        ("Original features", "baseline", "identity", 1152, "float32"),
        (0.675, 0.270, 0.648, 0.781),
    ),
    "original-int8": (
        ("Original features, 8 bits", "control", "identity", 1152, "int8"),
        (0.6745, 0.2696, 0.6476, 0.7806),
    ),
    "pca-320": (("PCA to 320 dimensions", "control", "linear", 320, "float32"), (0.661, 0.247, 0.637, 0.771)),
    "pca-512": (("PCA to 512 dimensions", "control", "linear", 512, "float32"), (0.668, 0.258, 0.643, 0.776)),
    "pca-640": (("PCA to 640 dimensions", "control", "linear", 640, "float32"), (0.671, 0.262, 0.645, 0.778)),
    "random-320": (
        ("Random projection, 320", "control", "linear", 320, "float32"),
        (0.618, 0.198, 0.6, 0.74),
    ),
    "linear-320": (
        ("Linear bottleneck, 320", "control", "linear", 320, "float32"),
        (0.683, 0.262, 0.654, 0.786),
    ),
    "residual_cnn-320": (
        ("ResidualCNN-320, max pooling", "encoder", "residual_cnn", 320, "float32"),
        (0.679, 0.251, 0.65, 0.782),
    ),
    "residual_cnn-512": (
        ("ResidualCNN-512, max pooling", "encoder", "residual_cnn", 512, "float32"),
        (0.688, 0.266, 0.657, 0.788),
    ),
    "lstm-640": (("LSTM 1280, 640", "encoder", "lstm", 640, "float32"), (0.67, 0.239, 0.643, 0.776)),
    "mlp-320-int8": (("MLP 2048-320, 8 bits", "encoder", "mlp", 320, "int8"), (0.6785, 0.255, 0.65, 0.782)),
}


def estimate(value: float, half_width: float) -> dict[str, float]:
    """An interval around a value, rounded as no reader would care."""
    return {
        name: round(value + sign * half_width, 6) for name, sign in (("value", 0), ("low", -1), ("high", 1))
    }


def row_json(name: str) -> dict[str, Any]:
    """The evaluation file of one of ROWS."""
    (title, role, encoder, dim, codec), values = ROWS[name]
    original = ROWS["original"][1]
    metrics = ("gap", "map", "perr", "hit_at_one")
    delta = {m: estimate(v - o, 0.004) for m, v, o in zip(metrics, values, original, strict=True)}
    return {
        "schema_version": 1, "row": name, "title": title, "table4_row": PAPER.get(name), "role": role,
        "encoder": encoder, "head": "fresh moe", "dim": dim, "codec": codec,
        "bytes_per_video": dim * {"float32": 4, "int8": 1}[codec],
        "parameters": {"encoder": 8_280_000 if role == "encoder" else 0, "head": 19310 * dim + 7724},
        **({"encoder_bytes": 33_120_000} if role == "encoder" else {}),
        "figures": {m: estimate(v, 0.006) for m, v in zip(metrics, values, strict=True)}
        | {"map_with_empty_as_zero": estimate(values[1] * 0.61, 0.006)},
        "delta": None if role == "baseline" else {"baseline": "original", **delta},
        "joint": {"gap": estimate(values[0] + 0.003, 0.006)} if role == "encoder" else None,
        "retrieval": {"queries": 1000, "label_precision_at_10": values[0] - 0.1,
                      "map_at_10": values[0] - 0.05, "ndcg_at_10": values[0] - 0.02,
                      "neighbour_recall_at_10": None if role == "baseline" else values[0] - 0.2},
        "head_training": {"epochs": 8, "seed": 0, "batch_size": 512},
        "data": {"train_videos": 20_000, "validate_videos": 5_000, "num_classes": 3862,
                 "fingerprint": "3f9a1c55b2d07e64",
                 "synthetic_frames": name == "lstm-640", "source": "YouTube-8M 2018, video level"},
        "command": f"compress evaluate --name {name}", "notes": [],
        "judges": [judged_json(judge, values, None if role == "baseline" else delta) for judge in JUDGES],
    }  # fmt: skip


JUDGES = ("moe", "ridge")
"""Of each row, the best one first; both say the same."""


def judged_json(judge: str, values: tuple[float, ...], delta: dict[str, Any] | None) -> dict[str, Any]:
    """What one judge says of a row with these figures."""
    metrics = ("gap", "map", "perr", "hit_at_one")
    return {
        "name": judge,
        "figures": {m: estimate(v, 0.006) for m, v in zip(metrics, values, strict=True)},
        "delta": None if delta is None else dict(delta),
        "aside_gap": values[0],
        "settings": {"epochs": [9, 8, 9], "mixup": 0.4} if judge == "moe" else {"penalty": 0.01},
        "seeds": 3 if judge == "moe" else 1,
        "converged": True,
        "parameters": 1000,
    }


def judge_of(row: dict[str, Any], name: str) -> dict[str, Any]:
    """One of the judges of a row's JSON, to be changed."""
    return next(one for one in row["judges"] if one["name"] == name)


Writer = Callable[..., Path]


def undrawn(document: Document) -> Document:
    """The document with empty charts, for tests that look at its texts: drawing takes most of the time."""

    def empty(block: Block) -> Block:
        if not isinstance(block, Figure):
            return block
        charts = tuple(replace(one, draw_wide=str, draw_narrow=str) for one in block.charts)
        return replace(block, charts=charts)

    sections = (replace(one, blocks=tuple(map(empty, one.blocks))) for one in document.sections)
    return replace(document, sections=tuple(sections))


@pytest.fixture
def evaluation(tmp_path: Path) -> Writer:
    """Writes rows of ROWS (all, or the named ones) into a folder; `change` edits each file's JSON before."""

    def write(*names: str, change: Callable[[dict[str, Any]], Any] = lambda value: None) -> Path:
        folder = tmp_path / "evaluation"
        folder.mkdir(exist_ok=True)
        for name in names or ROWS:
            value = row_json(name)
            change(value)
            (folder / f"{name}.json").write_text(json.dumps(value))
        return folder

    return write


@pytest.fixture
def rows(evaluation: Writer) -> list[Row]:
    """All of ROWS, read back."""
    return load_rows(evaluation())

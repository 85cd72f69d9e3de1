"""`compress report`: from evaluation/*.json to Table 4 on screen and in three files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

METRICS = ("gap", "map", "map_with_empty_as_zero", "perr", "hit_at_one")


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def row(name: str, dim: int, role: str, gap: float) -> dict[str, Any]:
    """One measured row as `compress evaluate` writes it."""
    delta = {"baseline": "original", **{metric: estimate(gap - 0.68) for metric in METRICS}}
    return {
        "schema_version": 1,
        "row": name,
        "title": name,
        "table4_row": "ResidualCNN-320, Max Pooling" if dim == 320 else None,
        "role": role,
        "encoder": name.split("-")[0],
        "head": "fresh moe",
        "dim": dim,
        "codec": "float32",
        "bytes_per_video": 4 * dim,
        "parameters": {"encoder": 1, "head": 1},
        "figures": {metric: estimate(gap) for metric in METRICS},
        "delta": None if role == "baseline" else delta,
        "joint": None,
        "retrieval": None,
        "head_training": {"epochs": 1, "seed": 0, "batch_size": 512},
        "data": {
            "train_videos": 100,
            "validate_videos": 20,
            "num_classes": 20,
            "fingerprint": "ab" * 32,
            "synthetic_frames": False,
            "source": "a sample",
        },
        "command": f"compress evaluate --name {name}",
        "notes": [],
    }


@pytest.fixture
def measured(here: Path) -> Path:
    (here / "evaluation").mkdir()
    for item in (row("original", 1152, "baseline", 0.68), row("residual_cnn-320", 320, "encoder", 0.70)):
        (here / "evaluation" / f"{item['row']}.json").write_text(json.dumps(item))
    return here


def test_the_table_is_shown_and_three_files_are_written(compress, measured: Path):
    ended = compress("report")

    assert ended.code == 0, ended.err
    assert "0.700" in ended.out
    assert "\x1b" not in ended.out
    assert sorted(path.name for path in (measured / "reports").iterdir()) == [
        "report.html",
        "report.json",
        "report.md",
    ]


def test_a_machine_is_told_where_the_files_are(compress, measured: Path):
    files = compress("report", "--output", "elsewhere", "--json").json

    assert files == {kind: f"elsewhere/report.{suffix}" for kind, suffix in
                     (("markdown", "md"), ("json", "json"), ("html", "html"))}  # fmt: skip
    assert all(Path(path).is_file() for path in files.values())


def test_a_damaged_row_is_named(compress, measured: Path):
    (measured / "evaluation" / "original.json").write_text("{")
    ended = compress("report")

    assert ended.code == 65
    assert "original.json" in ended.err

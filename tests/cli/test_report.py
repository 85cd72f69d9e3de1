"""`compress report`: from evaluations to the tables on screen and in files; --run makes what is missing."""

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


TABLE_FILES = [f"table-2.{suffix}" for suffix in ("html", "json", "md")]


def test_a_table_of_models_is_shown_and_written_before_anything_is_measured(compress, here: Path):
    ended = compress("report", "--table", "2")

    assert ended.code == 0, ended.err
    assert "0 of 14 printed rows measured" in ended.out
    assert "compress train --name lstm-1x1024 --encoder lstm --dim 1024" in ended.out
    assert sorted(path.name for path in (here / "reports").iterdir()) == TABLE_FILES


def test_all_tables_are_written_and_a_machine_is_told_where(compress, measured: Path):
    tables = compress("report", "--table", "all", "--json").json["tables"]

    assert list(tables) == ["2", "3", "qrnn", "4"]
    assert tables["4"]["markdown"].endswith("report.md")
    assert all(Path(path).is_file() for files in tables.values() for path in files.values())


def test_of_all_tables_the_fourth_is_left_out_while_it_is_empty(compress, here: Path):
    ended = compress("report", "--table", "all")

    assert ended.code == 0, ended.err
    assert "Table 4 has no measured rows yet" in ended.out
    assert compress("report").code == 66


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rows", "moe"), "need --run"),
        (("--table", "3", "--epochs", 1), "need --run"),
        (("--run", "--rows", "pca-7"), "no row 'pca-7'"),
        (("--table", "3", "--run", "--rows", "nextvlad"), "no row 'nextvlad'"),
        (("--run", "--rows", ""), "names nothing"),
        (("--dry-run", "--rows", " , "), "names nothing"),
        (("--table", "5"), "'5'"),
    ],
)
def test_options_that_do_not_fit_are_refused(compress, inside: Path, words: tuple[Any, ...], said: str):
    ended = compress("report", *words)

    assert ended.code == 2
    assert said in ended.err


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.pipeline.paper_tables.TIMING_SECONDS", 0.01)


@pytest.mark.usefixtures("_quick")
def test_a_dry_run_only_tells(compress, inside: Path):
    before = sorted(inside.rglob("*"))
    ended = compress("report", "--table", "3", "--dry-run", "--rows", "moe,fc-320")
    facts = compress("report", "--table", "3", "--dry-run", "--rows", "moe,fc-320", "--json").json

    assert ended.code == 0, ended.err
    assert "0 of 2 rows measured, 2 to do, about" in ended.out
    assert [row["row"] for row in facts["rows"]] == ["moe", "fc-320"]
    assert all(row["seconds"] > 0 and row["weights_bytes"] > 0 for row in facts["rows"])
    assert sorted(inside.rglob("*")) == before


@pytest.mark.usefixtures("_quick")
def test_a_row_of_table_4_that_fails_is_told_though_nothing_is_measured(compress, inside: Path):
    for measured in (inside / "evaluation").glob("*.json"):
        measured.unlink()
    (inside / "runs" / "random-320").mkdir()
    (inside / "runs" / "random-320" / "config.json").write_text("{}")
    ended = compress("report", "--run", "--rows", "random-320")

    assert ended.code == 65
    assert "Table 4 has no measured rows yet" in ended.out
    assert "Failed: random-320, " in ended.out


@pytest.mark.usefixtures("_quick")
def test_what_is_timed_is_progress_on_stderr(compress, inside: Path):
    ended = compress("report", "--table", "3", "--dry-run", "--rows", "moe")

    assert "timing moe" in ended.err
    assert "timing" not in ended.out
    assert "timing" not in compress("report", "--table", "3", "--dry-run", "--rows", "moe", "--quiet").err


@pytest.mark.usefixtures("_quick")
def test_missing_rows_are_made_and_a_failed_one_is_the_exit_code(compress, inside: Path):
    (inside / "runs" / "fc-320").mkdir()
    (inside / "runs" / "fc-320" / "config.json").write_text("{}")
    words = ("report", "--table", "3", "--run", "--rows", "logistic,fc-320", "--epochs", 1, "--json")
    ended = compress(*words)

    assert ended.code == 65
    assert [(failed["row"], failed["exit_code"]) for failed in ended.json["failed"]] == [("fc-320", 65)]
    assert "Failed: " in Path(ended.json["tables"]["3"]["markdown"]).read_text()
    again = compress("report", "--table", "3", "--dry-run", "--rows", "logistic", "--json").json
    assert again["rows"][0]["state"] == "measured"

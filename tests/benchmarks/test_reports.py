"""The same results as a table, as Markdown and as JSON, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import json_report, markdown, table, words
from benchmarks.row import Goal
from compress.errors import DataError, NotFoundError
from tests.benchmarks.examples import ABSENT, MEASURED, REPORT


def test_figures_follow_from_the_rounds():
    assert MEASURED.our_rate == 1_000_000
    assert MEASURED.rival_rate == pytest.approx(1000 / 0.012)
    assert MEASURED.rounds.ratio == pytest.approx(10)
    assert MEASURED.share == pytest.approx(4e6 / 0.001 / 8e9)


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal("ratio", 10.0), True),
        (Goal("ratio", 10.5), False),
        (Goal("share", 0.5), True),
        (Goal("share", 0.6), False),
        (Goal("rate", 1e6), True),
        (Goal("rate", 2e6), False),
        (None, None),
    ],
)
def test_a_goal_is_a_ratio_a_share_or_a_rate(goal: Goal | None, reached: bool | None):
    assert replace(MEASURED, goal=goal).reached is reached


def test_what_was_not_measured_reaches_no_goal():
    assert ABSENT.reached is None


def test_the_table_shows_rates_ratio_interval_goal_and_share():
    lines = table.render(REPORT).splitlines()
    row = next(line for line in lines if line.startswith("read-videos"))

    for cell in ("1.00M videos/s", "83.3k videos/s", "10.00x", "[10.00..12.00]", "8x yes", "50% memory copy"):
        assert cell in row
    assert "gpu-encode: not measured: no GPU" in lines


def test_the_page_names_the_machine_what_was_checked_and_the_arithmetic():
    page = markdown.render(REPORT)

    assert "Example CPU, 2 cores" in page
    assert "2026-11-22" in page
    assert (
        "| read-videos | ours: 1.00M videos/s | theirs: 83.3k videos/s | **10.00x** [10.00..12.00] |" in page
    )
    assert "not measured: no GPU" in page
    assert "checked: everything exactly equal" in page
    assert "1,000 videos x 4,000 B = 4.00 MB; in 1.00 ms: 4.00 GB/s of 8.00 GB/s (memory copy) = 50%" in page


def test_json_gives_back_the_same_report(tmp_path: Path):
    json_report.save(REPORT, tmp_path / "deep" / "speed.json")

    assert json_report.load(tmp_path / "deep" / "speed.json") == REPORT


def test_json_holds_every_rounds_raw_times_and_what_follows():
    entry = json.loads(json_report.render(REPORT))["results"][0]

    assert entry["rounds"]["rival"] == [0.01, 0.02, 0.012]
    assert entry["follows"]["ratio"] == pytest.approx(10)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99}', '{"version": 1}', "null"])
def test_other_json_is_refused(text: str):
    with pytest.raises(DataError):
        json_report.parse(text, "speed.json")


def test_a_missing_file_is_said_so(tmp_path: Path):
    with pytest.raises(NotFoundError, match="no such file"):
        json_report.load(tmp_path / "speed.json")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (461_000, "videos", "461k videos/s"),
        (2.17e9, "bytes", "2.17 GB/s"),
        (12.34, "rows", "12.3 rows/s"),
        (0.5, "rows", "0.50 rows/s"),
    ],
)
def test_rates_have_three_digits_and_a_prefix(value: float, unit: str, text: str):
    assert words.rate(value, unit) == text

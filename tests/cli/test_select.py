"""`compress select`: options, what is shown, and the exit code when nothing was confirmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.measured_stores import measured_stores


@pytest.fixture
def stores(here: Path) -> Path:
    measured_stores(here)
    return here


def test_the_choice_is_shown_with_the_command_that_makes_it(compress, stores: Path):
    ended = compress("select", "--max-gap-drop", 10, "--max-map-drop", 20)
    assert ended.code == 0
    assert "good takes 50 bytes per video, 8.0 times smaller than original (400)" in ended.out
    assert "compress encode --name a_run --codec good" in ended.out
    assert (stores / "reports" / "select.md").is_file()


def test_json_is_one_value_with_everything_in_it(compress, stores: Path):
    ended = compress("select", "--max-gap-drop", 10, "--json", "--output", "elsewhere")
    assert ended.code == 0
    assert ended.json["chosen"]["store"] == "good"
    assert ended.json["files"]["json"].endswith("elsewhere/select.json")
    assert (stores / "elsewhere" / "select.json").is_file()


def test_judges_are_named_with_commas_and_told(compress, stores: Path):
    ended = compress("select", "--max-gap-drop", 10, "--heads", "moe,ridge")
    assert ended.code == 0
    assert "under each of mixture of experts and ridge regression" in " ".join(ended.out.split())


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_where_nothing_is_confirmed_the_nearest_miss_is_shown_and_the_exit_code_is_its_own(
    compress, stores: Path, as_json
):
    ended = compress("select", "--max-gap-drop", "-5", *as_json)
    assert ended.code == 72
    said = " ".join(ended.json["verdict"]) if as_json else ended.out
    assert "No store was confirmed" in said
    assert "The nearest, " in said


@pytest.mark.parametrize(
    ("words", "code", "telling"),
    [
        ([], 2, "--max-gap-drop"),
        (["--max-gap-drop", 200], 2, "within 100 points"),
        (["--max-gap-drop", "nan"], 2, "not a finite number"),
        (["--max-gap-drop", 1, "--confidence", 1], 2, "--confidence"),
        (["--max-gap-drop", 1, "--baseline", "nothing"], 66, "compress evaluate --name nothing"),
        (["--max-gap-drop", 1, "--baseline", "../x"], 2, "not a valid name"),
        (["--max-gap-drop", 1, "--heads", "knn"], 68, "compress evaluate --name original"),
        (["--max-gap-drop", 1, "--heads", "svm"], 2, "choose from moe"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(compress, stores: Path, words, code, telling):
    ended = compress("select", *words)
    assert ended.code == code
    assert telling in ended.err
    assert len(ended.err.strip().splitlines()) == 1

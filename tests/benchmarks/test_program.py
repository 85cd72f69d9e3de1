"""The command line: what it lists, what it refuses, and that one row going wrong ends no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import json_report, program
from benchmarks.paths import ROWS
from benchmarks.results import Result
from benchmarks.row import Contest, Row, Settings, WrongAnswer, at_least
from benchmarks.run import apart, measure, run
from compress.errors import UnavailableError


def _good(settings: Settings) -> Contest:
    return Contest(lambda: None, lambda: sum(range(1000)), 1, "nothing to compare")


def _wrong(settings: Settings) -> Contest:
    raise WrongAnswer("rows differ")


def _missing(settings: Settings) -> Contest:
    raise UnavailableError("tfrecord is not installed")


def _row(name: str, prepare) -> Row:  # type: ignore[no-untyped-def]
    return Row(name, "Examples", "ours", "theirs", "calls", prepare, at_least(1))


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch):
    rows = (_row("wrong", _wrong), _row("missing", _missing), _row("good", _good))
    monkeypatch.setattr("benchmarks.paths.ROWS", rows)
    monkeypatch.setattr("benchmarks.run.apart", measure)


def test_every_row_has_a_name_of_its_own_that_begins_no_other_paths_name():
    names = [row.name for row in ROWS]

    assert len(set(names)) == len(names)


def test_every_path_of_the_goals_has_a_row():
    wanted = (
        "read-",
        "encode-",
        "train-",
        "moe-",
        "qrnn-",
        "lstm-",
        "metrics",
        "search-",
        "index-",
        "store-",
        "gpu-",
    )

    assert [start for start in wanted if not any(row.name.startswith(start) for row in ROWS)] == []


def test_list_names_every_row_and_runs_none(capsys: pytest.CaptureFixture[str]):
    assert program.main(["--list", "--quick"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [row.name for row in ROWS]


def test_only_takes_beginnings_of_names_and_keeps_the_order_of_the_table():
    chosen = program.choose(["store-read", "read-videos"], ROWS)

    assert [row.name for row in chosen] == [
        "read-videos",
        "read-videos-protobuf",
        "store-read-all",
        "store-read-rows",
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--only", "red-videos"], 2, "no row 'red-videos'"),
        (["--rounds", "0"], 2, "must be a whole number, at least 1"),
        (["--fast"], 2, "unrecognized arguments: --fast"),
        (["--data", "nowhere"], 66, "nowhere: no such folder"),
        (["--scratch", "nowhere"], 2, "no such folder: 'nowhere'"),
        (["--json", "."], 2, "is a folder, not a file to write"),
        (["scale", "--largest", "10"], 2, "--largest: is 10, but must be at least 1000"),
        (["end-to-end"], 2, "--train and --validate are needed"),
        (["end-to-end", "--project", "."], 66, "is no checkout of this project"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_an_exit_code(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)

    assert program.main(words) == code
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.usefixtures("few_rows")
def test_a_row_that_disagrees_fails_the_run_after_the_others_were_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    kept = tmp_path / "speed.json"

    assert program.main(["--quick", "--rounds", "1", "--json", str(kept)]) == 70

    states = {entry["name"]: entry["state"] for entry in json.loads(kept.read_text())["results"]}
    assert states == {"wrong": "failed", "missing": "not measured", "good": "measured"}
    out = capsys.readouterr().out
    assert "wrong: failed: rows differ" in out
    assert "missing: not measured: tfrecord is not installed" in out


@pytest.mark.usefixtures("few_rows")
def test_a_run_of_good_rows_writes_a_page_to_keep(tmp_path: Path):
    page = tmp_path / "results" / "speed.md"

    assert program.main(["--only", "good", "--rounds", "2", "--markdown", str(page)]) == 0
    assert "checked: nothing to compare" in page.read_text()


@pytest.mark.gpu
def test_rows_for_a_gpu_are_measured_where_there_is_one(capsys: pytest.CaptureFixture[str]):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this machine has no GPU")

    assert program.main(["--quick", "--only", "gpu", "--rounds", "1"]) == 0
    assert "not measured" not in capsys.readouterr().out


def test_rows_for_a_gpu_say_so_where_there_is_none(capsys: pytest.CaptureFixture[str]):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")

    assert program.main(["--quick", "--only", "gpu"]) == 0
    assert "gpu-encode: not measured: no GPU" in capsys.readouterr().out


def test_results_keep_the_order_of_the_rows_and_each_row_gets_a_folder_of_its_own(tmp_path: Path):
    folders: list[Path] = []

    def one(row: Row, settings: Settings) -> Result:
        folders.append(settings.scratch)
        return measure(row, settings)

    rows = [_row("first", _good), _row("second", _good)]
    report = run(rows, Settings(True, tmp_path, rounds=1), lambda row, result: None, one)

    assert [result.name for result in report.results] == ["first", "second"]
    assert len({folder.parent for folder in folders}) < len(set(folders)) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_crashes_in_its_own_process_fails_alone(tmp_path: Path):
    result = apart(_row("no-such-row", _good), Settings(True, tmp_path, rounds=1))

    assert result.state == "failed"
    assert "StopIteration" in result.reason


def test_settings_reach_another_process_as_they_are(tmp_path: Path):
    settings = Settings(True, tmp_path, data=tmp_path / "videos", rounds=2, cores=3)

    assert json_report.parse_settings(json_report.settings_text(settings)) == settings

"""Progress: bars on a terminal, a line every two seconds elsewhere, nothing with --quiet."""

from __future__ import annotations

import io

import pytest

from cli.progress import Bars, Lines, duration, figures, line, reporter
from compress.progress import Note, Progress, silent


class Clock:
    """Seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def written(clock: Clock) -> tuple[Lines, list[str]]:
    lines: list[str] = []
    return Lines(clock, lines.append), lines


def test_the_first_and_the_last_step_of_each_stage_are_shown(written):
    report, lines = written
    for stage in ("read", "train"):
        for done in range(1, 101):
            report(Progress(stage, done, 100))

    assert [text.split(" ")[:2] for text in lines] == [
        ["read", "1/100"],
        ["read", "100/100"],
        ["train", "1/100"],
        ["train", "100/100"],
    ]


def test_between_them_there_is_a_line_every_two_seconds(written, clock):
    report, lines = written
    for done in range(1, 1001):
        clock.now += 0.01
        report(Progress("train", done, 2000))

    assert len(lines) == 5


def test_a_note_is_always_shown(written):
    report, lines = written
    report(Note("resumed at video 4,096"))
    report(Note("left out one record"))

    assert lines == ["resumed at video 4,096", "left out one record"]


def test_a_line_has_figures_rate_and_time_left():
    event = Progress("train", 500, 2000, figures={"loss": 3.14159, "GAP": 0.70123})

    assert line(event, 500, 10.0) == (
        "train 500/2,000 videos (25 %), loss 3.142, GAP 0.7012, 50 videos/s, 30 s left"
    )


def test_a_resumed_run_counts_only_what_it_did_itself():
    assert "10 videos/s, 1 min 40 s left" in line(Progress("encode", 9000, 10000), 100, 10.0)


def test_a_rate_that_the_work_gives_itself_is_not_doubled():
    text = line(Progress("train", 500, 500, figures={"videos/s": 812.4}), 500, 10.0)

    assert text.count("/s") == 1
    assert "812 videos/s" in text


def test_work_of_no_size_is_shown_without_a_share():
    assert line(Progress("scan", 0, 0, "shards"), 0, 0.0) == "scan 0/0 shards"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (245, "4 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations(seconds: float, text: str):
    assert duration(seconds) == text


def test_figures_keep_their_order():
    assert figures({"loss": 1234567.0, "epoch": 3.0, "GAP": 0.5}) == "loss 1,234,567, epoch 3, GAP 0.5"


def test_bars_show_stage_unit_and_figures():
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TextColumn

    out = io.StringIO()
    columns = [TextColumn("{task.description} {task.completed} {task.fields[unit]} {task.fields[figures]}")]
    with RichProgress(*columns, console=Console(file=out, width=120, force_terminal=True)) as rich:
        report = Bars(rich)
        report(Progress("train", 1, 10, figures={"GAP": 0.5}))
        report(Note("a [note] as it is"))
        report(Progress("train", 10, 10))
        report(Progress("validate", 3, 10, "batches"))
        shown = [(task.description, task.completed, task.total) for task in rich.tasks]

    assert shown == [("train", 10, 10), ("validate", 3, 10)]
    assert "a [note] as it is" in out.getvalue()


def test_silence_shows_nothing(capsys):
    with reporter(silent=True) as report:
        assert report is silent


def test_where_stderr_is_no_terminal_lines_go_to_stderr(capsys):
    with reporter(silent=False) as report:
        report(Progress("train", 1, 10))

    assert capsys.readouterr() == ("", "train 1/10 videos (10 %)\n")

"""Progress: bars on a terminal, a few lines elsewhere, nothing with --quiet."""

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


def test_short_stages_are_no_lines(written):
    report, lines = written
    for stage in ("read", "train"):
        for done in range(1, 101):
            report(Progress(stage, done, 100))

    assert lines == []


def test_long_work_is_a_line_soon_then_rarer_down_to_one_each_half_minute(written, clock):
    report, lines = written
    shown = []
    for done in range(1, 1001):
        clock.now += 0.125
        report(Progress(f"epoch {done // 20}", done % 20, 20))
        if len(lines) > len(shown):
            shown.append(round(clock.now - 100))

    assert shown == [2, 6, 14, 30, 60, 90, 120]


def test_a_long_stage_says_its_end_and_its_rate(written, clock):
    report, lines = written
    for done in range(0, 41, 2):
        report(Progress("load", done, 40))
        clock.now += 2

    assert lines[-1] == "load 40/40 videos (100 %), 1 videos/s"


def test_a_stage_that_begins_again_counts_its_rate_anew(written, clock):
    report, lines = written
    for done in (0, 100, 0, 10):
        clock.now += 31
        report(Progress("neighbours", done, 100))

    assert lines[-1] == "neighbours 10/100 videos (10 %), 0.32 videos/s, 4 min 39 s left"


def test_a_note_is_always_shown(written):
    report, lines = written
    report(Note("resumed at video 4,096"))
    report(Note("left out one record"))

    assert lines == ["resumed at video 4,096", "left out one record"]


def test_of_passing_notes_the_newest_is_shown_every_ten_seconds_and_the_last(written, clock):
    report, lines = written
    for epoch in range(1, 31):
        report(Note(f"epoch {epoch}", passing=True))
        clock.now += 1
    report.close()

    assert lines == ["epoch 1", "epoch 11", "epoch 21", "epoch 30"]


def test_a_passing_note_that_waits_is_old_after_another_note(written, clock):
    report, lines = written
    report(Note("epoch 1", passing=True))
    report(Note("epoch 2", passing=True))
    report(Note("[2/2] lstm"))
    clock.now += 20
    report(Progress("scan", 1, 4))
    report.close()

    assert lines == ["epoch 1", "[2/2] lstm", "scan 1/4 videos (25 %)"]


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
        report(Note("epoch 1", passing=True))
        report(Note("epoch 2", passing=True))
        assert capsys.readouterr() == ("", "epoch 1\n")

    assert capsys.readouterr() == ("", "epoch 2\n")

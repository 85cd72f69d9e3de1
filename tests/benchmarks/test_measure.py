"""Two calls are timed in turn, and the ratio is that of rounds side by side."""

from __future__ import annotations

import time

import pytest

from benchmarks import measure
from benchmarks.measure import Rounds, interleave, median_seconds


@pytest.fixture(autouse=True)
def _no_repeats(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "SHORTEST", 0.0)


def test_both_sides_are_warmed_up_and_then_called_in_turn_with_the_first_place_alternating():
    called: list[str] = []

    interleave(lambda: called.append("A"), lambda: called.append("B"), rounds=4)

    assert called == ["A", "B", *"AB", *"BA", *"AB", *"BA"]


def test_every_round_keeps_the_time_of_both_sides():
    rounds = interleave(lambda: None, lambda: None, rounds=3)

    assert len(rounds.ours) == len(rounds.rival) == 3
    assert min(rounds.ours + rounds.rival) >= 0


def test_a_short_call_is_repeated_within_a_round(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "SHORTEST", 0.005)
    called: list[int] = []

    median_seconds(lambda: called.append(1), rounds=1)

    assert len(called) > 10


def test_a_call_that_sleeps_costs_time_on_the_wall_and_none_of_the_cpu():
    def sleep() -> None:
        time.sleep(0.01)

    wall, cpu = median_seconds(sleep, 1, "wall"), median_seconds(sleep, 1, "cpu")

    assert wall >= 0.01
    assert cpu < wall


def test_the_ratio_is_the_median_of_the_rounds_and_the_interval_its_extremes():
    rounds = Rounds(ours=(1.0, 2.0, 1.0), rival=(4.0, 4.0, 3.0))

    assert rounds.ratios == (4.0, 2.0, 3.0)
    assert rounds.ratio == 3.0
    assert rounds.interval == (2.0, 4.0)

"""Two calls, timed in turn: what disturbs the one disturbs the other, and falls out of the ratio."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.row import Clock

SHORTEST = 0.02  # seconds; calls that take less are repeated within a round
MOST_REPEATS = 10_000

Call = Callable[[], object]
_CLOCKS: dict[Clock, Callable[[], float]] = {"cpu": time.process_time, "wall": time.perf_counter}


@dataclass(frozen=True)
class Rounds:
    """Seconds a call, round by round; `ours[i]` and `rival[i]` were measured side by side."""

    ours: tuple[float, ...]
    rival: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times faster ours was, round by round."""
        return tuple(rival / ours for ours, rival in zip(self.ours, self.rival, strict=True))

    @property
    def ratio(self) -> float:
        """Median over the rounds."""
        return statistics.median(self.ratios)

    @property
    def interval(self) -> tuple[float, float]:
        """Smallest and largest ratio of a round."""
        return min(self.ratios), max(self.ratios)


def interleave(ours: Call, rival: Call, rounds: int, clock: Clock = "cpu") -> Rounds:
    """Time two calls in turn; who goes first alternates.

    Args:
        ours, rival: what to time; each is called once before, to warm up.
        rounds: >= 1.
        clock: "cpu" (this process, all threads) or "wall".
    """
    now = _CLOCKS[clock]
    calls = (ours, rival)
    repeats = tuple(_repeats(call, now) for call in calls)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            times[side].append(_timed(calls[side], repeats[side], now))
    return Rounds(tuple(times[0]), tuple(times[1]))


def median_seconds(call: Call, rounds: int, clock: Clock = "cpu") -> float:
    """Seconds a call, the median of some rounds after a warm one."""
    now = _CLOCKS[clock]
    repeats = _repeats(call, now)
    return statistics.median(_timed(call, repeats, now) for _ in range(rounds))


def _repeats(call: Call, now: Callable[[], float]) -> int:
    """How often to call it in a round; the call that finds out warms it up."""
    if _timed(call, 1, now) >= SHORTEST:
        return 1
    seconds = _timed(call, 1, now)
    return max(1, min(MOST_REPEATS, round(SHORTEST / max(seconds, 1e-9))))


def _timed(call: Call, repeats: int, now: Callable[[], float]) -> float:
    # A collection that falls into one side's time would count what both have left behind.
    gc.collect()
    gc.disable()
    try:
        start = now()
        for _ in range(repeats):
            call()
        return (now() - start) / repeats
    finally:
        gc.enable()

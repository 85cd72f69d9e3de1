"""What was measured, and what follows from it; everything that the reports need and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.machine import Machine
from benchmarks.measure import Rounds
from benchmarks.row import Clock, Goal, Work

State = Literal["measured", "not measured", "failed"]


NO_ROUNDS = Rounds((), ())


@dataclass(frozen=True)
class Result:
    """One row.

    Args:
        name, path, ours, rival, unit, clock, goal: as in `row.Row`.
        state: "not measured" where something is missing here, "failed" where the two sides disagree or broke.
        reason: why it was not measured or failed; else "".
        units, checked, work, notes: as in `row.Contest`.
        limit: rate of the resource that `work` names, FLOP/s or bytes/s; 0 without.
        rounds: every time that was taken.
    """

    name: str
    path: str
    ours: str
    rival: str
    unit: str
    clock: Clock
    goal: Goal | None
    state: State
    reason: str = ""
    units: float = 0.0
    checked: str = ""
    work: Work | None = None
    limit: float = 0.0
    rounds: Rounds = NO_ROUNDS
    notes: tuple[str, ...] = ()

    @property
    def our_seconds(self) -> float:
        """Of a call, the median over the rounds."""
        return _median(self.rounds.ours)

    @property
    def our_rate(self) -> float:
        """Units a second, the median over the rounds."""
        return self.units / self.our_seconds

    @property
    def rival_rate(self) -> float:
        """Units a second, the median over the rounds."""
        return self.units / _median(self.rounds.rival)

    @property
    def share(self) -> float | None:
        """Achieved rate of the work over the limit; None where no work was named."""
        return None if self.work is None else self.work.amount / self.our_seconds / self.limit

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without a goal or without figures."""
        if self.goal is None or self.state != "measured":
            return None
        figure = {"ratio": self.rounds.ratio, "share": self.share, "rate": self.our_rate}[self.goal.kind]
        return figure is not None and figure >= self.goal.at_least


@dataclass(frozen=True)
class Report:
    """All rows of one run.

    Args:
        machine: where.
        quick: small sizes.
        data: what was read, in words.
        limits: rates by resource, those that were asked for.
        results: the rows.
    """

    machine: Machine
    quick: bool
    data: str
    limits: dict[str, float]
    results: tuple[Result, ...]


def _median(values: tuple[float, ...]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

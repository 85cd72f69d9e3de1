"""What a row of the table is, before it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from compress.errors import DataError

Clock = Literal["cpu", "wall"]


class WrongAnswer(DataError):
    """Ours and the rival disagree: there is nothing to time."""


@dataclass(frozen=True)
class Settings:
    """How to run.

    Args:
        quick: sizes at which all rows together take less than 5 minutes on 2 cores.
        scratch: folder for what has to lie on the disk; the caller removes it.
        data: folder of video-level shards; None: invented videos.
        frames: folder of frame-level shards; None: invented frames.
        rounds: times both sides are run.
        cores: what a row that uses several may use.
    """

    quick: bool
    scratch: Path
    data: Path | None = None
    frames: Path | None = None
    rounds: int = 5
    cores: int = 1

    def size(self, quick: int, full: int) -> int:
        """One of two sizes."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Goal:
    """What a row has to reach: a ratio to the rival, a share of the limit, or units a second."""

    kind: Literal["ratio", "share", "rate"]
    at_least: float


@dataclass(frozen=True)
class Work:
    """What one call cannot do without, and what limits it.

    Args:
        amount: floating point operations, or bytes.
        resource: a name of `limits.RESOURCES`, whose rate is the limit.
        formula: how the amount comes about, for a reader who wants to do it again.
    """

    amount: float
    resource: str
    formula: str


@dataclass(frozen=True)
class Contest:
    """The two sides of a row, ready to be called as often as one likes.

    Args:
        ours, rival: one call each; what is returned is dropped.
        units: how many units a call does, the same on both sides.
        checked: in what the two agreed, before any was timed; exact, or with the error.
        work: what one call of ours cannot do without.
        notes: what a reader of the figure has to know.
    """

    ours: Callable[[], object]
    rival: Callable[[], object]
    units: float
    checked: str
    work: Work | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        name: what --only takes.
        path: the hot path it belongs to.
        ours, rival: what is compared, in a few words.
        unit: what is counted.
        prepare: makes the contest; raises WrongAnswer when the sides disagree.
        goal: None where none was set.
        clock: "cpu": time of this process on all its threads, for what runs on one; "wall" for the rest.
        needs_gpu: a CUDA device.
        long_run: it is part of `compress train` or `encode`, which keep freed memory; then both sides do.
    """

    name: str
    path: str
    ours: str
    rival: str
    unit: str
    prepare: Callable[[Settings], Contest] = field(repr=False)
    goal: Goal | None = None
    clock: Clock = "cpu"
    needs_gpu: bool = False
    long_run: bool = False


def at_least(ratio: float) -> Goal:
    """A goal in times the rival's speed."""
    return Goal("ratio", ratio)

"""Plans targets and makes the missing ones."""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from compress.errors import ITEM_FAILURES, DivergedError, Interrupted, SchemaError, reason_and_exit_code
from compress.progress import Note, Reporter, check_interrupt

if TYPE_CHECKING:
    from compress.pipeline.costs import Costs


class Step(Protocol):
    """One job of a target; it keeps what it has done when it is stopped, and continues when called again."""

    def __call__(self, *, report: Reporter) -> object:
        """Do it."""


class State(StrEnum):
    """How far a target is; the words are part of the JSON output."""

    MEASURED = "measured"
    # Rows of the papers' tables.
    TRAINED = "trained"
    PARTLY_TRAINED = "partly trained"
    TO_DO = "to do"
    DOES_NOT_FIT = "does not fit"
    ANOTHER_MODEL = "another model"
    # Stores judged by a fresh head, by the first thing that is missing.
    TO_TRAIN = "to train"
    TO_COMPUTE = "to compute"
    TO_ENCODE = "to encode"
    TO_INDEX = "to index"
    TO_EVALUATE = "to evaluate"


@dataclass(frozen=True)
class Status:
    """The state of a target, the epochs that are trained, and why it does not fit or is another model."""

    state: State
    epochs_done: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Work:
    """One thing that is left to make.

    Targets that share `what`, for example "runs/moe", pay for it once; `weights_bytes` is memory for weights,
    their average and the optimiser.
    """

    what: str
    seconds: float
    weights_bytes: int = 0


class Target(ABC):
    """Something that a pipeline makes and measures."""

    tells: ClassVar[tuple[str, ...]] = ("state", "seconds")
    """Which keys of `Planned.facts` its plan has, besides `facts`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called."""

    @property
    @abstractmethod
    def facts(self) -> Mapping[str, Any]:
        """What a plan lists about it, JSON values by key."""

    @property
    def label(self) -> str:
        """The progress line before it is made."""
        return self.name

    @property
    def key(self) -> Mapping[str, str]:
        """What a failure lists about it; after one failed, others of the same key are not tried."""
        return {"name": self.name}

    @property
    def essential(self) -> bool:
        """Whether the other targets are pointless without it, so that its failure ends the pipeline."""
        return False

    @abstractmethod
    def status(self) -> Status:
        """How far it is, from what lies in the workspace."""

    @abstractmethod
    def work(self, status: Status, costs: Costs) -> Iterable[Work]:
        """What is left to make; CompressError where it cannot be made."""

    @abstractmethod
    def steps(self, status: Status) -> Iterable[Step]:
        """The jobs that make it, in order."""


T = TypeVar("T", bound=Target)


@dataclass(frozen=True)
class Failure:
    """A target that cannot be made, why in one line, and the exit code of that error."""

    target: Target
    reason: str
    exit_code: int

    @property
    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.target.key, "reason": self.reason, "exit_code": self.exit_code}


@dataclass(frozen=True)
class Planned(Generic[T]):
    """One target of a plan."""

    target: T
    status: Status
    work: tuple[Work, ...] | None = None
    refusal: Failure | None = None

    @property
    def missing(self) -> bool:
        """Whether there is something to do, and data to do it with."""
        return self.status.state not in (State.MEASURED, State.DOES_NOT_FIT)

    @property
    def seconds(self) -> float | None:
        """What is left, roughly; None where it is not known."""
        if not self.missing:
            return 0.0
        return None if self.work is None else sum((work.seconds for work in self.work), 0.0)

    @property
    def facts(self) -> dict[str, Any]:
        """For JSON; seconds and bytes are null where they are not known."""
        known: dict[str, Any] = {
            "state": str(self.status.state),
            "epochs_done": self.status.epochs_done,
            "seconds": self.seconds,
            "weights_bytes": None if self.work is None else sum(work.weights_bytes for work in self.work),
            "reason": self.refusal.reason if self.refusal else self.status.reason,
        }
        return {**self.target.facts, **{key: known[key] for key in self.target.tells}}


def plan(targets: Iterable[T], costs: Callable[[], Costs] | None = None) -> list[Planned[T]]:
    """The status of every target and, with `costs`, what each missing one will cost.

    Raises:
        CompressError: an essential target cannot be made.
        Interrupted: on request.
    """
    found = []
    for target in targets:
        check_interrupt()
        status = target.status()
        refused = status.state is State.ANOTHER_MODEL
        refusal = Failure(target, status.reason, SchemaError.exit_code) if refused else None
        found.append(Planned(target, status, refusal=refusal))
    if costs is None or not any(one.missing and one.refusal is None for one in found):
        return found
    measured, paid = costs(), set[str]()
    for place, one in enumerate(found):
        if one.missing and one.refusal is None:
            check_interrupt()
            found[place] = _with_work(one, measured, paid)
    return found


def _with_work(one: Planned[T], costs: Costs, paid: set[str]) -> Planned[T]:
    try:
        work = tuple(part for part in one.target.work(one.status, costs) if part.what not in paid)
    except Interrupted:
        raise
    except DivergedError:
        return one  # the first steps were timed at the full learning rate, without a warm-up
    except ITEM_FAILURES as error:
        if one.target.essential:
            raise
        # Whatever it is (an option that does not exist, a model that does not fit the GPU's memory), training
        # would end in the same way; the other targets do not depend on it.
        return replace(one, refusal=Failure(one.target, *reason_and_exit_code(error)))
    paid.update(part.what for part in work)
    return replace(one, work=work)


def make_missing(planned: Sequence[Planned[T]], report: Reporter) -> list[Failure]:
    """Make what is missing, in order; when one fails, the others go on.

    Everything is kept as it is done: a call after a stop continues where that was, within a target too.

    Returns: the failures, in order.

    Raises:
        Interrupted: on request.
        CompressError: an essential target failed.
    """
    missing = [one for one in planned if one.missing]
    failures: list[Failure] = []
    for number, one in enumerate(missing, 1):
        check_interrupt()
        target = one.target
        if any(failure.target.key == target.key for failure in failures):
            continue
        report(Note(f"[{number}/{len(missing)}] {target.label}"))
        if one.refusal:
            failures.append(one.refusal)  # not tried: a training that is refused late leaves a folder behind
            continue
        try:
            for step in target.steps(one.status):
                check_interrupt()
                step(report=report)
        except Interrupted:
            raise
        except ITEM_FAILURES as error:
            if target.essential:
                raise
            # Also an error that is not ours, such as a GPU without memory: one target of many must not end a
            # night's work. Nothing is hidden: it is reported now, in the pages, and by the exit code.
            failures.append(Failure(target, *reason_and_exit_code(error)))
            report(Note(f"{target.name} failed: {failures[-1].reason}"))
        gc.collect()  # a model in a reference cycle would stay beside the next one
    return failures

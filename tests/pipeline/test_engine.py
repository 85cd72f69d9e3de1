"""The engine of the pipelines, on targets that make nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from compress.errors import DivergedError, Interrupted, UsageError
from compress.pipeline.engine import State, Status, Step, Target, Work, make_missing, plan
from compress.progress import Event, Note, clear_interrupt, request_interrupt, silent

COSTS: Any = None


@dataclass
class Thing(Target):
    """A target of two steps; `first` may raise, `parts` may be an error of the costs."""

    called: str
    done: list[str]
    state: State = State.TO_DO
    first: Callable[[], object] = lambda: None
    parts: list[Work] | Exception = field(default_factory=list)
    needed: bool = False

    @property
    def name(self) -> str:
        return self.called

    @property
    def facts(self) -> dict[str, Any]:
        return {"thing": self.called}

    @property
    def essential(self) -> bool:
        return self.needed

    def status(self) -> Status:
        return Status(self.state, reason="it is red")

    def work(self, status: Status, costs: Any) -> Iterable[Work]:
        if isinstance(self.parts, Exception):
            raise self.parts
        return self.parts

    def steps(self, status: Status) -> Iterator[Step]:
        def one(*, report: Any) -> None:
            self.first()
            self.done.append(f"{self.called}1")

        def two(*, report: Any) -> None:
            self.done.append(f"{self.called}2")

        yield from (one, two)


def fails(error: BaseException) -> Callable[[], object]:
    def step() -> None:
        raise error

    return step


@pytest.fixture(autouse=True)
def not_stopped() -> Iterator[None]:
    clear_interrupt()
    yield
    clear_interrupt()


def test_what_is_missing_is_made_in_order() -> None:
    done: list[str] = []
    notes: list[str] = []

    def report(event: Event) -> None:
        notes.extend([event.text] if isinstance(event, Note) else [])

    states = {"a": State.TO_DO, "b": State.MEASURED, "c": State.DOES_NOT_FIT, "d": State.TO_TRAIN}
    assert make_missing(plan(Thing(name, done, state) for name, state in states.items()), report) == []
    assert done == ["a1", "a2", "d1", "d2"]
    assert notes == ["[1/2] a", "[2/2] d"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("no"), 2), (RuntimeError("no\nmemory"), 70), (OSError("no"), 70), (MemoryError(), 69)],
    ids=lambda value: type(value).__name__,
)
def test_the_others_are_made_after_one_failed_and_it_is_not_tried_again(error: Exception, code: int) -> None:
    done: list[str] = []
    things = [Thing("a", done, first=fails(error)), Thing("b", done), Thing("a", done)]
    (failure,) = make_missing(plan(things), silent)
    assert done == ["b1", "b2"]
    assert failure.facts["name"] == "a"
    assert failure.facts["exit_code"] == code
    assert "no" in failure.reason  # "not enough memory" too
    assert "\n" not in failure.reason


def test_a_failure_of_what_is_essential_and_a_mistake_in_the_code_end_it() -> None:
    with pytest.raises(UsageError, match="no"):
        make_missing(plan([Thing("a", [], first=fails(UsageError("no")), needed=True)]), silent)
    with pytest.raises(AttributeError):
        make_missing(plan([Thing("a", [], first=fails(AttributeError("no")))]), silent)
    with pytest.raises(UsageError, match="no"):
        plan([Thing("a", [], parts=UsageError("no"), needed=True)], lambda: COSTS)


def test_it_stops_between_two_steps() -> None:
    done: list[str] = []
    with pytest.raises(Interrupted):
        make_missing(plan([Thing("a", done, first=lambda: request_interrupt(2)), Thing("b", done)]), silent)
    assert done == ["a1"]


def test_what_targets_share_is_paid_once() -> None:
    shared = Work("runs/r", 5.0, 100)
    things = [Thing("a", [], parts=[shared, Work("a", 1.0)]), Thing("b", [], parts=[shared, Work("b", 2.0)])]
    things += [
        Thing("c", [], State.MEASURED, parts=[Work("c", 9.0)]),
        Thing("d", [], parts=DivergedError("nan")),
    ]
    assert [one.seconds for one in plan(things, lambda: COSTS)] == [6.0, 2.0, 0.0, None]
    assert [one.seconds for one in plan(things)] == [None, None, 0.0, None]


def test_what_cannot_be_made_is_refused_with_the_plan_and_not_tried() -> None:
    done: list[str] = []
    things = [
        Thing("a", done, parts=UsageError("no")),
        Thing("b", done, State.ANOTHER_MODEL),
        Thing("c", done),
    ]
    planned = plan(things, lambda: COSTS)
    assert [one.facts for one in planned] == [
        {"thing": "a", "state": "to do", "seconds": None},
        {"thing": "b", "state": "another model", "seconds": None},
        {"thing": "c", "state": "to do", "seconds": 0},
    ]
    failures = make_missing(planned, silent)
    assert [(failure.target.name, failure.reason) for failure in failures] == [
        ("a", "no"),
        ("b", "it is red"),
    ]
    assert done == ["c1", "c2"]

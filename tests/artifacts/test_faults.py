"""Fault points: inert by default, exact when asked for."""

from __future__ import annotations

import errno

import pytest

from compress.artifacts.disk import FAULT_VARIABLE, armed, fault_point, recorded_steps, reset_steps
from compress.errors import ConfigError
from tests.artifacts.faulty import KILLED, SUCCEEDED, run_under_fault


@pytest.fixture(autouse=True)
def _from_step_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FAULT_VARIABLE, raising=False)
    reset_steps()


def failing_steps(count: int) -> list[int]:
    failed = []
    for step in range(1, count + 1):
        try:
            fault_point("write")
        except OSError:
            failed.append(step)
    return failed


def test_without_the_variable_nothing_fails() -> None:
    assert not armed()
    assert failing_steps(100) == []


@pytest.mark.parametrize(("plan", "failed"), [("eio@3", [3]), ("enospc@2", [2]), ("eio@4+", [4, 5, 6])])
def test_the_named_step_fails_once_or_from_then_on(plan: str, failed: list[int], monkeypatch) -> None:
    monkeypatch.setenv(FAULT_VARIABLE, plan)
    assert armed()
    assert failing_steps(6) == failed


@pytest.mark.parametrize(("kind", "number"), [("enospc", errno.ENOSPC), ("eio", errno.EIO)])
def test_a_fault_looks_like_the_systems_own(kind: str, number: int, monkeypatch) -> None:
    monkeypatch.setenv(FAULT_VARIABLE, f"{kind}@1")
    with pytest.raises(OSError, match="injected at step 1, rename") as caught:
        fault_point("rename")
    assert caught.value.errno == number


def test_kill_kills_at_its_step() -> None:
    assert run_under_fault(lambda: fault_point("write"), "kill@1") == KILLED
    assert run_under_fault(lambda: fault_point("write"), "kill@2") == SUCCEEDED


@pytest.mark.parametrize("plan", ["", "kill", "kill@0", "kill@-1", "kill@x", "boom@1", "kill@1 "])
def test_a_plan_that_makes_no_sense_is_refused(plan: str, monkeypatch) -> None:
    monkeypatch.setenv(FAULT_VARIABLE, plan)
    with pytest.raises(ConfigError, match=FAULT_VARIABLE):
        fault_point("write")


def test_nested_recordings_both_see_the_inner_steps() -> None:
    with recorded_steps() as outer:
        fault_point("write")
        with recorded_steps() as inner:
            fault_point("fsync")
        fault_point("rename")
    assert (outer, inner) == (["write", "fsync", "rename"], ["fsync"])

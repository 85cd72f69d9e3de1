"""However often a training is killed, the same command again ends in the same bytes (R2, R4)."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from compress.artifacts.disk import recorded_steps
from compress.progress import Event
from compress.run_config import read_run_config
from compress.training import train
from compress.training.run import load_model
from tests.artifacts.faulty import KILLED, SUCCEEDED, complete_or_none, run_under_fault
from tests.training.examples import LINEAR, contents, tables

TABLES = tables(LINEAR)


def fit(run: Path, pause: float = 0.0) -> None:
    """A training that keeps a checkpoint after each of its nine steps."""

    def report(event: Event) -> None:
        time.sleep(pause)

    train(LINEAR, *TABLES, run, report=report, checkpoint_seconds=0)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int]:
    """The finished run's files, and how many commit steps it took."""
    run = tmp_path_factory.mktemp("wanted") / "run"
    with recorded_steps() as steps:
        fit(run)
    return contents(run), len(steps)


def read_before_the_rerun(run: Path) -> None:
    """Nothing yet, or a whole model; the settings of the run, if they were written."""
    complete_or_none(lambda: load_model(run))
    complete_or_none(lambda: read_run_config(run))


def assert_same(run: Path, wanted: dict[str, bytes]) -> None:
    found = contents(run)
    assert sorted(found) == sorted(wanted), "nothing is left over; names hold the sha256 of the contents"
    assert found == wanted


@pytest.mark.parametrize("step", range(1, 21))
def test_a_kill_at_each_of_the_first_commit_steps(tmp_path: Path, uninterrupted: tuple, step: int) -> None:
    assert run_under_fault(lambda: fit(tmp_path / "run"), f"kill@{step}") == KILLED
    read_before_the_rerun(tmp_path / "run")
    fit(tmp_path / "run")
    assert_same(tmp_path / "run", uninterrupted[0])


@pytest.mark.parametrize("share", range(20))
def test_a_kill_at_commit_steps_all_over_the_training(
    tmp_path: Path, uninterrupted: tuple, share: int
) -> None:
    wanted, total = uninterrupted
    step = 21 + round((total - 21) * share / 19)  # the last is the last of the training
    assert run_under_fault(lambda: fit(tmp_path / "run"), f"kill@{step}") == KILLED
    read_before_the_rerun(tmp_path / "run")
    fit(tmp_path / "run")
    assert_same(tmp_path / "run", wanted)


@pytest.mark.slow
def test_a_kill_at_every_commit_step(tmp_path: Path, uninterrupted: tuple) -> None:
    wanted, total = uninterrupted
    for step in range(1, total + 1):
        run = tmp_path / f"run{step}"
        assert run_under_fault(lambda: fit(run), f"kill@{step}") == KILLED  # noqa: B023 (forked at once)
        read_before_the_rerun(run)
        fit(run)
        assert_same(run, wanted)


def test_a_training_that_is_killed_again_and_again_gets_to_the_same_end(
    tmp_path: Path, uninterrupted: tuple
) -> None:
    kills = 0
    while run_under_fault(lambda: fit(tmp_path / "run"), f"kill@{40 + 7 * kills}") == KILLED:
        read_before_the_rerun(tmp_path / "run")
        kills += 1
    assert kills >= 3
    fit(tmp_path / "run")
    assert_same(tmp_path / "run", uninterrupted[0])


@pytest.mark.parametrize("kind", ["enospc", "eio"])
def test_a_disk_that_refuses_is_a_clean_error_and_loses_nothing(
    tmp_path: Path, uninterrupted: tuple, kind: str
) -> None:
    wanted, total = uninterrupted
    for step in range(3, total, total // 6):
        assert run_under_fault(lambda: fit(tmp_path / "run"), f"{kind}@{step}") in (74, SUCCEEDED)
        read_before_the_rerun(tmp_path / "run")
    fit(tmp_path / "run")
    assert_same(tmp_path / "run", wanted)


MANY = [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 40))]


@pytest.mark.parametrize("seed", MANY)
def test_a_kill_at_a_random_time(tmp_path: Path, uninterrupted: tuple, seed: int) -> None:
    run, chance = tmp_path / "run", random.Random(seed)
    child = os.fork()
    if child == 0:
        try:
            fit(run, pause=0.02)
        finally:
            os._exit(0)
    while not (run / "log.jsonl").exists():  # the first epoch of three
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.2))
    os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == -signal.SIGKILL, "finished before it was killed: the test shows nothing"
    read_before_the_rerun(run)
    fit(run)
    assert_same(run, uninterrupted[0])

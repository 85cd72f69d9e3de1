"""One writer at a time, named; a dead one holds nothing up; no litter."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from compress.artifacts.lock import exclusive
from compress.errors import LockedError, StorageError
from tests.artifacts.faulty import run_under_fault


def test_the_second_writer_is_told_who_is_first(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HDF5_USE_FILE_LOCKING", "FALSE")
    with exclusive(tmp_path / "store"):
        with pytest.raises(LockedError, match=rf"process {os.getpid()} on .+ since 20") as caught:  # noqa: SIM117
            with exclusive(tmp_path / "store"):
                pytest.fail("two writers")
        assert caught.value.exit_code == 75
        assert run_under_fault(lambda: exclusive(tmp_path / "store").__enter__()) == 75


def test_a_lock_is_free_after_release_and_leaves_no_file(tmp_path: Path) -> None:
    for _ in range(3):
        with exclusive(tmp_path / "new" / "store"):
            assert os.listdir(tmp_path / "new") == ["store.lock"]
    assert os.listdir(tmp_path / "new") == []


def test_an_exception_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), exclusive(tmp_path / "store"):
        raise ValueError("stop")
    with exclusive(tmp_path / "store"):
        pass


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    def die() -> None:
        with exclusive(tmp_path / "store"):
            os.kill(os.getpid(), signal.SIGKILL)

    assert run_under_fault(die) == -signal.SIGKILL
    assert (tmp_path / "store.lock").exists()
    with exclusive(tmp_path / "store"):
        pass
    assert os.listdir(tmp_path) == []


def test_locks_of_different_files_do_not_meet(tmp_path: Path) -> None:
    with exclusive(tmp_path / "a"), exclusive(tmp_path / "b"):
        pass


def test_many_threads_never_hold_it_together(tmp_path: Path) -> None:
    inside, most, held, finished = 0, 0, 0, threading.Barrier(4)

    def work() -> None:
        nonlocal inside, most, held
        finished.wait()
        for _ in range(150):
            try:
                with exclusive(tmp_path / "store"):
                    inside += 1
                    most, held = max(most, inside), held + 1
                    inside -= 1
            except LockedError:
                continue

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert held > 4
    assert os.listdir(tmp_path) == []


def test_a_lock_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "store.lock").mkdir()
    with pytest.raises(StorageError, match=r"store\.lock"), exclusive(tmp_path / "store"):
        pass

"""One writer at a time, named; a dead one holds nothing up; no litter."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from compress.artifacts.lock import exclusive, made_once
from compress.errors import Interrupted, LockedError, StorageError
from compress.progress import Event, Note, clear_interrupt, request_interrupt
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
    assert os.listdir(tmp_path) == []


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


def test_who_waits_says_for_whom_once_and_takes_what_was_made(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("compress.artifacts.lock._BETWEEN_LOOKS", 0.01)
    path, waits = tmp_path / "cache" / "copy", threading.Event()
    locked, notes = threading.Event(), list[Event]()

    def make() -> str:
        locked.set()
        assert waits.wait(10)
        threading.Event().wait(0.05)  # so that the other looks several times
        path.write_text("made by the first")
        return path.read_text()

    def note(event: Event) -> None:
        notes.append(event)
        waits.set()

    def read() -> str | None:
        return path.read_text() if path.exists() else None

    first = threading.Thread(target=made_once, args=(path, "the copy", read, make, pytest.fail))
    first.start()
    assert locked.wait(10)
    assert made_once(path, "the copy", read, pytest.fail, note) == "made by the first"
    first.join()
    (said,) = notes
    assert isinstance(said, Note)
    assert said.text.startswith(f"waiting for process {os.getpid()} on ")
    assert said.text.endswith(", which is making the copy")
    assert os.listdir(path.parent) == ["copy"]
    path.with_name("copy.lock").touch()  # as a killed holder leaves it
    assert made_once(path, "the copy", read, pytest.fail, pytest.fail) == "made by the first"
    assert os.listdir(path.parent) == ["copy"]


def test_a_wait_can_be_stopped(tmp_path: Path) -> None:
    try:
        with exclusive(tmp_path / "store"), pytest.raises(Interrupted):  # noqa: SIM117
            with exclusive(tmp_path / "store", waits_for="it", report=lambda _: request_interrupt(2)):
                pytest.fail("two writers")
    finally:
        clear_interrupt()
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


def test_folders_made_for_a_lock_go_where_nothing_was_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for at in ("a/b/x", "there/x"):
        with exclusive(tmp_path / at):
            pass
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]
    with exclusive(tmp_path / "a/b/x"):
        (tmp_path / "a/y").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "there", "y"]

"""Killed, interrupted, refused by the disk, changed in between: the store ends the same, or as it should."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from compress.artifacts.disk import recorded_steps
from compress.datasets.source import Source
from compress.encoding import EncodeResult
from compress.errors import Interrupted, UsageError
from compress.progress import Event, Note, Progress, clear_interrupt, request_interrupt
from compress.store.reader import open_store
from tests.artifacts.faulty import KILLED, SUCCEEDED, complete_or_none, run_under_fault
from tests.encoding.examples import encoded, encoder_run, files, shards, videos


@pytest.fixture(autouse=True)
def blocks_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that 41 videos take six blocks."""
    monkeypatch.setattr("compress.encoding.filling.BLOCK_ROWS", 8)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return encoder_run(tmp_path / "run")


@pytest.fixture
def wanted(tmp_path: Path, splits: dict[str, Source], run: Path) -> bytes:
    """The store as it is without any stop."""
    return encoded(tmp_path / "elsewhere", splits, run, batch_size=4).path.read_bytes()


def again(root: Path, splits: dict[str, Source], run: Path, wanted: bytes, notes=None) -> EncodeResult:
    """The same call once more; it must end in the wanted bytes and leave nothing else."""
    done = encoded(root, splits, run, batch_size=4, **({} if notes is None else {"report": notes}))
    assert done.path.read_bytes() == wanted
    assert files(root / "out") == ["a.h5"]
    return done


@pytest.mark.parametrize("kind", ["kill", "enospc", "eio"])
def test_a_fault_at_any_commit_step(tmp_path: Path, splits, run: Path, wanted: bytes, kind: str):
    resumed = set()
    for step in range(1, 200):
        code = run_under_fault(lambda: encoded(tmp_path, splits, run, batch_size=4), f"{kind}@{step}")
        if code == SUCCEEDED:
            break
        assert code == (KILLED if kind == "kill" else 74)
        found = complete_or_none(lambda: open_store(tmp_path / "out" / "a.h5"))
        assert found is None or len(found) == 41
        resumed.add(again(tmp_path, splits, run, wanted).resumed_rows)
        (tmp_path / "out" / "a.h5").unlink()
    assert step > 30
    assert {0, 8, 16, 24, 32, 40, 41} <= resumed, "what was on the disk is not encoded again"


def test_kills_one_after_the_other(tmp_path: Path, splits, run: Path, wanted: bytes):
    kills = 0
    while run_under_fault(lambda: encoded(tmp_path, splits, run, batch_size=4), f"kill@{14 + kills}"):
        kills += 1
    assert kills >= 3
    again(tmp_path, splits, run, wanted)


def noted(said: list[str]):
    def report(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    return report


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("videos_done", [4, 20, 40])
def test_an_encoding_that_is_asked_to_stop_keeps_what_it_did(
    tmp_path, splits, run, wanted, number: int, videos_done: int
):
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "encode" and event.done == videos_done:
            request_interrupt(number)

    with pytest.raises(Interrupted) as stopped:
        encoded(tmp_path, splits, run, batch_size=4, report=stop)
    assert stopped.value.exit_code == 128 + number
    assert not (tmp_path / "out" / "a.h5").exists()
    clear_interrupt()
    said: list[str] = []
    assert again(tmp_path, splits, run, wanted, noted(said)).resumed_rows == videos_done
    assert f"continuing after {videos_done} of 41 videos" in said


def test_a_request_that_comes_with_the_last_video_loses_nothing(tmp_path, splits, run, wanted):
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "encode" and event.done == 41:
            request_interrupt(signal.SIGINT)

    with pytest.raises(Interrupted):
        encoded(tmp_path, splits, run, batch_size=4, report=stop)
    clear_interrupt()
    again(tmp_path, splits, run, wanted)


def test_a_finished_store_is_kept(tmp_path: Path, splits, run: Path, wanted: bytes):
    path = again(tmp_path, splits, run, wanted).path
    before, said = os.stat(path), []
    with recorded_steps() as steps:
        done = again(tmp_path, splits, run, wanted, noted(said))
    after = os.stat(path)
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert steps == []
    assert done.resumed_rows == 41
    assert any("up to date" in text for text in said)


@pytest.mark.parametrize("place", [100, 6000, -1])
def test_a_damaged_store_is_encoded_again_and_that_is_said(tmp_path, splits, run, wanted, place: int):
    path = again(tmp_path, splits, run, wanted).path
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    said: list[str] = []
    again(tmp_path, splits, run, wanted, noted(said))
    assert any(str(path) in text and "encoding it again" in text for text in said)


def test_another_model_of_the_same_name_is_encoded_anew(tmp_path: Path, splits, run: Path, wanted: bytes):
    path = again(tmp_path, splits, run, wanted).path
    encoder_run(run, seed=1)
    assert encoded(tmp_path, splits, run, batch_size=4).resumed_rows == 0
    assert path.read_bytes() != wanted
    encoder_run(run, seed=0)
    again(tmp_path, splits, run, wanted)


def test_another_model_does_not_continue_an_unfinished_store(tmp_path: Path, splits, run: Path, wanted):
    def work() -> None:
        encoded(tmp_path, splits, run, batch_size=4)

    assert run_under_fault(work, "kill@20") == KILLED
    encoder_run(run, seed=1)
    assert encoded(tmp_path, splits, run, batch_size=4).resumed_rows == 0
    assert files(tmp_path / "out") == ["a.h5"]


def test_shards_with_more_videos_are_encoded_anew(tmp_path: Path, splits, run: Path, wanted: bytes):
    path = again(tmp_path, splits, run, wanted).path
    more = {**splits, "validate": shards(tmp_path / "more", "validate", videos(12, 100))}
    encoded(tmp_path, more, run, batch_size=4)
    assert len(open_store(path)) == 42


def test_the_store_of_another_run_is_not_overwritten(tmp_path: Path, splits, run: Path, wanted: bytes):
    path = again(tmp_path, splits, run, wanted).path
    with pytest.raises(UsageError, match="embeddings of run 'run', not of 'other'"):
        encoded(tmp_path, splits, encoder_run(tmp_path / "other"))
    assert path.read_bytes() == wanted


def test_splits_in_another_order_are_another_store(tmp_path: Path, splits, run: Path, wanted: bytes):
    swapped = {name: splits[name] for name in ("validate", "train")}
    store = open_store(encoded(tmp_path, swapped, run, batch_size=4).path)
    original = tmp_path / "elsewhere" / "out" / "a.h5"
    assert store.splits == {"validate": range(11), "train": range(11, 41)}
    np.testing.assert_allclose(store.decode(0, 11), open_store(original).decode(30, 41), atol=1e-6)

"""Several workers: the same bytes whatever their number, also after a kill, a stop or an error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from compress.datasets.source import Source
from compress.encoding.embedder import BATCHES_PER_WINDOW
from compress.errors import Interrupted, RecordError
from compress.progress import Event, Progress, clear_interrupt, request_interrupt
from compress.store.reader import open_store
from tests.artifacts.faulty import KILLED, run_under_fault
from tests.encoding.examples import clips, encoded, encoder_run, files, shards, videos

WORKERS = [0, 1, 2, 4]
LENGTHS = [1 + 7 * number % 23 for number in range(41)]
ENCODERS: dict[str, dict[str, Any]] = {
    "linear": {},
    "residual_cnn": {"dim": 24, "width": 0.5},
    "lstm": {"sizes": [6, 5]},
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.encoding.filling.BLOCK_ROWS", 8)
    monkeypatch.setitem(BATCHES_PER_WINDOW, "frame", 3)


def made(root: Path, encoder: str, precision: str = "fp32") -> tuple[Path, dict[str, Source]]:
    """A run, and 41 videos in three shards: 30 to train, 11 to validate."""
    run = encoder_run(root / "run", encoder, ENCODERS[encoder], precision=precision)
    if encoder == "lstm":
        everything = clips(LENGTHS)
        train, validate = everything[:30], everything[30:]
    else:
        train, validate = videos(30), videos(11, 100)  # type: ignore[assignment]
    return run, {
        "train": shards(root / "shards", "train", train, (13, 17)),
        "validate": shards(root / "shards", "validate", validate),
    }


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("codec", ["float32", "int8"])
def test_the_bytes_of_a_store_do_not_depend_on_the_number_of_workers(
    tmp_path: Path, encoder: str, precision: str, codec: str
):
    run, splits = made(tmp_path, encoder)
    stores = set()
    for workers in WORKERS:
        options = {"codec": codec, "precision": precision, "batch_size": 4, "workers": workers}
        stores.add(encoded(tmp_path / str(workers), splits, run, **options).path.read_bytes())
    assert len(stores) == 1


def test_without_saying_there_are_as_many_workers_as_torch_has_threads(tmp_path: Path, monkeypatch):
    run, splits = made(tmp_path, "linear")
    names = set()
    start = threading.Thread.start

    def watched(self: threading.Thread) -> None:
        names.add(self.name.rstrip("0123456789_"))
        start(self)

    monkeypatch.setattr(threading.Thread, "start", watched)
    encoded(tmp_path / "one", splits, run, batch_size=4)
    assert not names & {"reader", "worker"}
    torch.set_num_threads(2)
    encoded(tmp_path / "two", splits, run, batch_size=4)
    assert names >= {"reader", "worker"}


@pytest.mark.parametrize("encoder", ["linear", "lstm"])
@pytest.mark.parametrize("workers", [0, 2])
def test_kills_one_after_the_other_end_in_the_same_bytes(tmp_path: Path, encoder: str, workers: int):
    run, splits = made(tmp_path, encoder)
    wanted = encoded(tmp_path / "elsewhere", splits, run, batch_size=4).path.read_bytes()

    def work() -> None:
        encoded(tmp_path, splits, run, batch_size=4, workers=workers)

    kills = 0
    while (code := run_under_fault(work, f"kill@{14 + 3 * kills}")) == KILLED:
        kills += 1
    assert code == 0
    assert kills >= 2
    assert (tmp_path / "out" / "a.h5").read_bytes() == wanted
    assert files(tmp_path / "out") == ["a.h5"]


@pytest.mark.parametrize(("workers", "asked_at"), [(0, 8), (2, 8), (2, 20), (4, 32)])
def test_a_stop_within_a_window_of_frames_keeps_the_whole_windows(tmp_path, workers: int, asked_at: int):
    run, splits = made(tmp_path, "lstm")
    wanted = encoded(tmp_path / "elsewhere", splits, run, batch_size=4).path.read_bytes()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "encode" and event.done == asked_at:
            request_interrupt(2)

    with pytest.raises(Interrupted):
        encoded(tmp_path, splits, run, batch_size=4, workers=workers, report=stop)
    assert threading.active_count() == 1
    clear_interrupt()
    again = encoded(tmp_path, splits, run, batch_size=4, workers=workers)
    assert again.resumed_rows == asked_at // 12 * 12
    assert again.path.read_bytes() == wanted


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_in_a_worker_surfaces_as_itself(tmp_path: Path, monkeypatch, workers: int):
    run, splits = made(tmp_path, "linear")

    def failing(*arguments: Any) -> Any:
        raise MemoryError("no room for this batch")

    monkeypatch.setattr("encoders.linear.LinearEncoder.forward", failing)
    with pytest.raises(MemoryError, match="no room"):
        encoded(tmp_path, splits, run, batch_size=4, workers=workers)
    assert threading.active_count() == 1


@pytest.mark.parametrize("workers", WORKERS)
def test_a_record_that_went_bad_after_the_scan_is_named_and_what_is_before_is_kept(
    tmp_path: Path, monkeypatch, workers: int
):
    run, splits = made(tmp_path, "linear")
    wanted = encoded(tmp_path / "elsewhere", splits, run, batch_size=4).path.read_bytes()
    read, times = Source.read_blocks, 0

    def fails_later(self: Source, shard: Path, size: int) -> Iterator[Any]:
        nonlocal times
        times += 1
        yield from read(self, shard, size)
        if times > 4:  # the scan reads three shards, then the first is read again
            raise RecordError("went bad", where=shard)

    with monkeypatch.context() as patch:
        patch.setattr(Source, "read_blocks", fails_later)
        with pytest.raises(RecordError, match="went bad"):
            encoded(tmp_path, splits, run, batch_size=4, workers=workers)
    again = encoded(tmp_path, splits, run, batch_size=4, workers=workers)
    assert again.resumed_rows > 0
    assert again.path.read_bytes() == wanted


def test_videos_of_like_length_share_a_batch(tmp_path: Path):
    run, splits = made(tmp_path, "lstm")
    stored = open_store(encoded(tmp_path, splits, run, batch_size=4).path)
    alone = open_store(encoded(tmp_path / "alone", splits, run, batch_size=1).path)
    assert stored.id_bytes.tolist() == alone.id_bytes.tolist()
    assert torch.allclose(torch.from_numpy(stored.decode(0, 41)), torch.from_numpy(alone.decode(0, 41)))

"""However often writing a store is killed or refused, the finished file is the same, byte for byte."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compress.artifacts.disk import recorded_steps
from compress.errors import StorageError
from compress.store.reader import open_store
from compress.store.writer import open_writer
from tests.artifacts.faulty import KILLED, SUCCEEDED, run_under_fault
from tests.store.examples import contents, embeddings, write_store


@pytest.fixture
def wanted(tmp_path: Path) -> bytes:
    return write_store(tmp_path / "wanted" / "a.h5").path.read_bytes()


def folder(tmp_path: Path) -> Path:
    return tmp_path / "work"


def write(tmp_path: Path) -> None:
    write_store(folder(tmp_path) / "a.h5")


def assert_finished(tmp_path: Path, wanted: bytes) -> None:
    assert os.listdir(folder(tmp_path)) == ["a.h5"]
    assert (folder(tmp_path) / "a.h5").read_bytes() == wanted


def assert_nothing_half_done(tmp_path: Path, wanted: bytes) -> None:
    finished = folder(tmp_path) / "a.h5"
    assert not finished.exists() or finished.read_bytes() == wanted


@pytest.mark.parametrize("kind", ["kill", "enospc", "eio"])
def test_a_fault_at_any_step_then_a_rerun_gives_the_same_bytes(
    tmp_path: Path, wanted: bytes, kind: str
) -> None:
    for step in range(1, 200):
        code = run_under_fault(lambda: write(tmp_path), f"{kind}@{step}")
        if code == SUCCEEDED:
            break
        assert code == (KILLED if kind == "kill" else 74)
        assert_nothing_half_done(tmp_path, wanted)
        write(tmp_path)
        assert_finished(tmp_path, wanted)
        (folder(tmp_path) / "a.h5").unlink()
    else:
        pytest.fail("never succeeded")
    assert step > 25
    assert_finished(tmp_path, wanted)


@pytest.mark.parametrize("step", range(1, 12, 2))
def test_kills_one_after_the_other_end_in_the_same_bytes(tmp_path: Path, wanted: bytes, step: int) -> None:
    # Every run dies again at its own step; each one that gets a block further counts.
    for kills in range(60):
        if run_under_fault(lambda: write(tmp_path), f"kill@{step + 5 * kills}") == SUCCEEDED:
            break
        assert_nothing_half_done(tmp_path, wanted)
    assert kills >= 2
    assert_finished(tmp_path, wanted)


def test_a_disk_that_stays_full_is_refused_at_every_step(tmp_path: Path, wanted: bytes) -> None:
    for step in (1, 4, 12, 24):
        assert run_under_fault(lambda: write(tmp_path), f"enospc@{step}+") == 74
        assert_nothing_half_done(tmp_path, wanted)
    write(tmp_path)
    assert_finished(tmp_path, wanted)


def test_committed_blocks_are_kept_and_not_written_again(tmp_path: Path, wanted: bytes) -> None:
    path = folder(tmp_path) / "a.h5"
    with open_writer(path, **contents()) as writer:
        writer.write(embeddings()[:4])
        writer.write(embeddings()[4:7])
    with open_writer(path, **contents()) as writer:
        assert writer.rows_done == 7
        writer.write(embeddings()[7:])
        assert writer.finish() == path
    assert_finished(tmp_path, wanted)


def unfinished(tmp_path: Path) -> tuple[Path, Path, Path]:
    path = folder(tmp_path) / "a.h5"
    with open_writer(path, **contents()) as writer:
        for start in (0, 3, 6):
            writer.write(embeddings()[start : start + 3])
    return path, path.with_name("a.h5.partial"), path.with_name("a.h5.partial.journal")


def resume(path: Path) -> int:
    with open_writer(path, **contents()) as writer:
        done = writer.rows_done
        writer.write(embeddings()[done:])
        writer.finish()
    return done


@pytest.mark.parametrize(("block", "kept"), [(0, 0), (1, 3), (2, 6)])
def test_a_block_that_fails_its_crc_is_written_again_and_all_after_it(tmp_path, wanted, block, kept) -> None:
    path, partial, _ = unfinished(tmp_path)
    data = bytearray(partial.read_bytes())
    position = data.index(embeddings()[block * 3 + 1].tobytes())
    data[position] ^= 1
    partial.write_bytes(data)
    assert resume(path) == kept
    assert_finished(tmp_path, wanted)


@pytest.mark.parametrize(
    ("tail", "kept"),
    [
        (b'{"start": 9, "stop": 10, "crc', 9),
        (b'{"start": 9, "stop": 10, "crc32c": 5}', 9),
        (b"nonsense\n", 9),
        (b"\n", 9),
        (b'{"start": 8, "stop": 9, "crc32c": 5}\n', 9),
        (b'{"start": 9, "stop": 11, "crc32c": 5}\n', 9),
        (b'{"start": 9, "stop": 9, "crc32c": 5}\n', 9),
        (b'{"start": 9, "stop": true, "crc32c": 5}\n', 9),
        (b'{"start": 9, "stop": 10, "crc32c": 5}\n', 9),
        (b"[9, 10, 5]\n", 9),
        (b"[" * 100_000 + b"\n", 9),
        (b"\xff\xfe\n", 9),
    ],
)
def test_a_torn_or_odd_last_line_of_the_journal_never_happened(tmp_path, wanted, tail, kept) -> None:
    path, _, journal = unfinished(tmp_path)
    with journal.open("ab") as file:
        file.write(tail)
    assert resume(path) == kept
    assert_finished(tmp_path, wanted)


def test_any_flipped_bit_of_the_journal_ends_in_the_same_bytes(tmp_path: Path, wanted: bytes) -> None:
    path, partial, journal = unfinished(tmp_path)
    sound, data, chance = journal.read_bytes(), partial.read_bytes(), random.Random(0)
    for _ in range(40):
        damaged = bytearray(sound)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        journal.write_bytes(damaged)
        partial.write_bytes(data)
        assert resume(path) in (0, 3, 6)
        assert_finished(tmp_path, wanted)
        path.unlink()


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"encoder": "lstm"}},
        {"codec": "float16"},
        {"labels": None},
        {"splits": {}},
        {"ids": contents()["ids"][::-1].copy()},
    ],
)
def test_other_arguments_start_over(tmp_path: Path, change: dict) -> None:
    path, _, _ = unfinished(tmp_path)
    with open_writer(path, **contents(**change)) as writer:
        assert writer.rows_done == 0
    direct = write_store(tmp_path / "direct.h5", **change)
    assert write_store(path, **change).sha256 == direct.sha256


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_partial_file_that_was_cut_starts_over(tmp_path: Path, wanted: bytes, size: int) -> None:
    path, partial, _ = unfinished(tmp_path)
    os.truncate(partial, size)
    assert resume(path) == 0
    assert_finished(tmp_path, wanted)


@pytest.mark.parametrize("missing", ["a.h5.partial", "a.h5.partial.journal"])
def test_half_a_pair_starts_over(tmp_path: Path, wanted: bytes, missing: str) -> None:
    path, _, _ = unfinished(tmp_path)
    (folder(tmp_path) / missing).unlink()
    assert resume(path) == 0
    assert_finished(tmp_path, wanted)


def test_each_step_is_on_the_disk_before_the_next_relies_on_it(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.h5", **contents()) as writer:
        with recorded_steps() as block:
            writer.write(embeddings())
        with recorded_steps() as finish:
            writer.finish()
    assert block == ["write", "fdatasync", "write", "fsync"], "data, then the journal's line about it"
    assert finish == [
        *("fsync", "write", "fsync"),
        *("rename", "fsync-folder"),
        *("unlink", "fsync-folder"),
    ]


def test_space_is_taken_before_the_first_embedding(tmp_path: Path) -> None:
    with recorded_steps() as steps, open_writer(tmp_path / "a.h5", **contents()):
        partial = tmp_path / "a.h5.partial"
        assert partial.stat().st_blocks * 512 >= partial.stat().st_size
    assert steps[:4] == ["unlink", "unlink", "write", "reserve"]
    assert steps[-4:] == ["write", "fsync", "rename", "fsync-folder"], "the journal is made last"


def test_a_disk_without_room_names_needed_and_free_bytes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("compress.artifacts.disk.free_bytes", lambda path: 1234)
    with pytest.raises(StorageError, match=r"needs [0-9,]+ bytes, 1,234 are free.*smaller codec") as caught:
        open_writer(tmp_path / "a.h5", **contents())
    assert caught.value.exit_code == 74
    assert os.listdir(tmp_path) == []
    monkeypatch.undo()
    write_store(tmp_path / "a.h5")


def test_a_file_size_limit_is_a_clean_refusal(tmp_path: Path, wanted: bytes) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        write(tmp_path)

    assert run_under_fault(limited) == 74
    assert not folder(tmp_path).exists()
    write(tmp_path)
    assert_finished(tmp_path, wanted)


SCRIPT = """
import sys
from pathlib import Path
from tests.store.examples import write_store
write_store(Path(sys.argv[1]), block=1)
"""


MANY_SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 50))]


@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_a_process_killed_at_a_random_time_is_continued(tmp_path: Path, wanted: bytes, seed: int) -> None:
    path, chance = folder(tmp_path) / "a.h5", random.Random(seed)
    command = [sys.executable, "-c", SCRIPT, str(path)]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    while not path.with_name("a.h5.partial").exists() and child.poll() is None:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.02))
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert_nothing_half_done(tmp_path, wanted)
    write(tmp_path)
    assert_finished(tmp_path, wanted)


def test_the_journal_says_what_is_done(tmp_path: Path) -> None:
    _, _, journal = unfinished(tmp_path)
    first, *lines = map(json.loads, journal.read_text().splitlines())
    assert len(first["identity"]) == 64
    assert [(line["start"], line["stop"]) for line in lines] == [(0, 3), (3, 6), (6, 9)]


def test_a_store_is_complete_when_it_has_its_name(tmp_path: Path) -> None:
    path, _, _ = unfinished(tmp_path)
    assert not path.exists()
    resume(path)
    assert len(open_store(path)) == 10

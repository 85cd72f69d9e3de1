"""A store that is there already: kept, written again, added to, or never lost unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress.artifacts.one_state import file_state
from compress.datasets.source import Source
from compress.encoding import EncodeResult
from compress.encoding.existing import check_unchanged
from compress.errors import CorruptArtifactError, LockedError, SchemaError, UsageError
from compress.progress import Event, Note
from compress.store.reader import open_store
from tests.artifacts.faulty import KILLED, SUCCEEDED, run_under_fault
from tests.encoding.examples import clips, encoded, encoder_run, files, shards, videos


def of(root: Path, name: str, first: int, count: int, **options: Any) -> dict[str, Source]:
    """The split "input" with some videos."""
    return {"input": shards(root / name, "s", videos(count, first, **options))}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return encoder_run(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "telling"),
    [
        (
            lambda root: {"splits": of(root, "b", 50, 6)},
            "30 of them not among the 6 to encode; add the new",
        ),
        (
            lambda root: {"splits": of(root, "b", 10, 6)},
            "24 of them not among the 6 to encode; replace it",
        ),
        (lambda root: {"codec": "int8"}, "holds float32 of 5 dimensions, not int8 of 5; replace it"),
        (
            lambda root: {"dim": 3, "any_dim": True},
            "holds float32 of 5 dimensions, not float32 of 3; replace",
        ),
        (lambda root: {"run": encoder_run(root / "other")}, "run 'run', not of 'other'; replace it"),
    ],
)
def test_what_would_be_lost_is_refused_with_both_counts_and_replaced_when_asked(
    tmp_path: Path, run: Path, change: Callable[[Path], dict[str, Any]], telling: str
):
    path = encoded(tmp_path, of(tmp_path, "a", 0, 30), run).path
    before = path.read_bytes()
    options = {"splits": of(tmp_path, "a", 0, 30), "run": run, **change(tmp_path)}
    with pytest.raises(UsageError) as refused:
        encoded(tmp_path, **options)
    assert telling in str(refused.value)
    assert refused.value.hint.endswith("replace it with --replace, or choose another --output")
    assert (path.read_bytes(), files(path.parent)) == (before, ["a.h5"])

    done = encoded(tmp_path, **options, replace=True)
    assert len(open_store(done.path)) == done.videos
    assert open_store(done.path).sha256 != before


def test_a_store_whose_videos_are_all_there_is_written_again_and_says_why(tmp_path: Path, run: Path):
    first = encoded(tmp_path, of(tmp_path, "a", 5, 10), run)
    told: list[Event] = []
    more = encoded(tmp_path, of(tmp_path, "b", 0, 20), run, report=told.append)
    assert (more.videos, more.added) == (20, None)
    assert any("holds 10 of 20 videos" in note.text for note in told if isinstance(note, Note))
    encoder_run(tmp_path / "run", seed=1)
    again = encoded(tmp_path, of(tmp_path, "b", 0, 20), run, report=told.append)
    assert again.resumed_rows == 0
    assert any("of an earlier training of this run" in note.text for note in told if isinstance(note, Note))
    assert first.path == again.path


@pytest.mark.parametrize("codec", ["float32", "int8", "pq2"])
def test_appended_videos_follow_those_of_their_split_and_old_rows_stay_bit_for_bit(
    tmp_path: Path, run: Path, codec: str
):
    splits = {
        "train": shards(tmp_path / "a", "train", videos(300), (280, 20)),
        "validate": shards(tmp_path / "a", "validate", videos(9, 700)),
    }
    old = open_store(encoded(tmp_path, splits, run, codec=codec).path)
    codes, ids = np.array(old.codes), old.ids
    # Four of the given videos are there already, and the first shard is left with none.
    given = {
        "train": shards(tmp_path / "b", "train", videos(2) + videos(10, 298), (2, 7, 3)),
        "input": shards(tmp_path / "b", "input", videos(4, 900, labelled=False)),
    }
    told: list[Event] = []
    done = encoded(tmp_path, given, run, codec=codec, append=True, report=told.append)
    new = open_store(done.path)
    assert (done.added, done.videos, done.resumed_rows) == (12, 321, 0)
    assert any("4 of 16 videos are in" in note.text for note in told if isinstance(note, Note))
    assert new.splits == {"train": range(308), "validate": range(308, 317), "input": range(317, 321)}
    added = [f"v{number:05d}" for number in range(300, 308)], [f"v{number:05d}" for number in range(900, 904)]
    assert new.ids == ids[:300] + added[0] + ids[300:] + added[1]
    kept = [*range(300), *range(308, 317)]
    assert np.asarray(new.codes)[kept].tobytes() == codes.tobytes()
    assert new.labels is not None
    assert [list(new.labels[row]) for row in (*range(308), *range(317, 321))] == [
        *(list(video.labels) for video in videos(308)),
        *([] for _ in range(4)),
    ]

    alone = open_store(encoded(tmp_path / "alone", {"input": given["input"]}, run).path)
    error = np.abs(new.decode(317, 321) - alone.decode(0, 4)).max()
    assert error < {"float32": 1e-6, "int8": 1.0, "pq2": 5.0}[codec]
    assert encoded(tmp_path, given, run, codec=codec, append=True).added == 0


def test_frames_are_appended_too(tmp_path: Path):
    run = encoder_run(tmp_path / "run", "lstm", {"sizes": [6, 5]})
    records = clips([3, 1, 4, 1, 5, 9, 2])
    old = encoded(tmp_path, {"input": shards(tmp_path / "a", "s", records[1:4])}, run)
    encoded(tmp_path, {"input": shards(tmp_path / "b", "s", records)}, run, append=True)
    whole = encoded(tmp_path / "whole", {"input": shards(tmp_path / "b", "s", records)}, run)
    new, wanted = open_store(old.path), open_store(whole.path)
    order = [wanted.ids.index(video_id) for video_id in new.ids]
    np.testing.assert_allclose(new.decode(0, 7), wanted.decode(0, 7)[order], atol=1e-6)


def test_a_kill_at_any_step_of_appending(tmp_path: Path, run: Path, monkeypatch):
    monkeypatch.setattr("compress.encoding.filling.BLOCK_ROWS", 4)
    monkeypatch.setattr("compress.encoding.appending.BLOCK_ROWS", 4)
    path = encoded(tmp_path, of(tmp_path, "a", 0, 6), run).path
    before, given = path.read_bytes(), of(tmp_path, "b", 4, 7)

    def append() -> EncodeResult:
        return encoded(tmp_path, given, run, append=True, batch_size=2, workers=0)

    append()
    wanted, resumed = path.read_bytes(), set()
    for step in range(1, 100, 3):  # every third: they take a fifth of a second each
        path.write_bytes(before)
        code = run_under_fault(append, f"kill@{step}")
        assert path.read_bytes() in (before, wanted)
        if code == SUCCEEDED:
            break
        assert code == KILLED
        resumed.add(append().resumed_rows)
        assert (path.read_bytes(), files(path.parent)) == (wanted, ["a.h5"])
    assert step > 20
    assert {0, 4, 6, 10} <= resumed


@pytest.mark.parametrize(
    ("options", "telling"),
    [
        ({"codec": "float16"}, "holds float32 of 5 dimensions, not float16 of 5"),
        ({"precision": "bf16"}, "was computed in fp32, not in bf16"),
        ({"replace": True}, "--append keeps the store and --replace does not"),
    ],
)
def test_other_embeddings_are_not_appended(tmp_path: Path, run: Path, options, telling: str):
    encoded(tmp_path, of(tmp_path, "a", 0, 5), run)
    with pytest.raises(UsageError, match=telling):
        encoded(tmp_path, of(tmp_path, "b", 5, 5), run, append=True, **options)


def test_neither_are_those_of_a_later_training_or_of_other_classes(tmp_path: Path, run: Path):
    encoded(tmp_path, of(tmp_path, "a", 0, 5), run)
    fewer = {"input": shards(tmp_path / "c", "s", videos(3, 30), classes=99)}
    with pytest.raises(SchemaError, match=r"different numbers of classes: \[7, 99\]"):
        encoded(tmp_path, fewer, run, append=True)
    encoder_run(tmp_path / "run", seed=1)
    with pytest.raises(UsageError, match="of an earlier training"):
        encoded(tmp_path, of(tmp_path, "b", 5, 5), run, append=True)


def test_nothing_is_added_to_a_damaged_store_and_it_stays(tmp_path: Path, run: Path):
    path = encoded(tmp_path, of(tmp_path, "a", 0, 5), run).path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptArtifactError, match="does not match its sha256"):
        encoded(tmp_path, of(tmp_path, "b", 5, 5), run, append=True)
    assert path.read_bytes() == data
    assert encoded(tmp_path, of(tmp_path, "b", 5, 5), run).videos == 5


def test_a_store_that_another_process_wrote_meanwhile_is_not_replaced(tmp_path: Path):
    path = tmp_path / "a.h5"
    check_unchanged(path, file_state(path))
    path.write_bytes(b"1")
    with pytest.raises(LockedError, match="was written by another process meanwhile"):
        check_unchanged(path, None)

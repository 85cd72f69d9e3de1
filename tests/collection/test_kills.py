"""Killed at any step of any write, a collection is in the old or the new state; the next write cleans up."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import compress
from compress.artifacts.disk import recorded_steps, reset_steps
from compress.errors import StorageError
from tests.artifacts.faulty import KILLED, run_under_fault

DIM = 4


def rows(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)


def names(count, start=0):
    return [f"video-{number:02}" for number in range(start, start + count)]


def contents(folder):
    """Everything that a collection answers, as one value."""
    videos = compress.Collection.open(folder)
    return {
        name: (videos.embeddings(name).tobytes(), videos.video(name).metadata, videos.video(name).labels)
        for name in videos.ids()
    }


def add(folder):
    compress.Collection.open(folder).add(
        rows(3, 5), names(3, 50), metadata={"n": [7, 8, 9]}, labels=["x", "y", "z"]
    )


def replace(folder):
    compress.Collection.open(folder).add(rows(2, 6), names(2), metadata={"n": [70, 80]}, replace=True)


def delete(folder):
    compress.Collection.open(folder).delete(names(2, 3))


def compact(folder):
    compress.Collection.open(folder).compact()


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """Two segments, one with a deleted row."""
    folder = tmp_path_factory.mktemp("kills") / "c"
    videos = compress.Collection.create(folder, codec="float32")
    videos.add(rows(10), names(10), metadata={"n": range(10)}, labels=["cat"] * 10)
    videos.add(rows(4, 1), names(4, 10))
    videos.delete(["video-07"])
    return folder


def steps_of(write, folder):
    with recorded_steps() as steps:
        write(folder)
    return len(steps)


WRITES = pytest.mark.parametrize("write", [add, replace, delete, compact], ids=lambda write: write.__name__)


@WRITES
def test_a_killed_write_leaves_the_old_or_the_new_state(ready, tmp_path, write):
    broken_at_steps(ready, tmp_path, write, "kill", 23)


@pytest.mark.slow
@WRITES
@pytest.mark.parametrize("kind", ["kill", "enospc"])
def test_a_write_that_is_broken_at_every_step_leaves_the_old_or_the_new_state(ready, tmp_path, write, kind):
    broken_at_steps(ready, tmp_path, write, kind, 1)


def broken_at_steps(ready, tmp_path, write, kind, each):
    done = tmp_path / "done"
    shutil.copytree(ready, done)
    steps = steps_of(write, done)
    old, new = contents(ready), contents(done)
    outcomes = set()
    for step in range(steps, 0, -each):
        folder = tmp_path / f"{step}"
        shutil.copytree(ready, folder)
        code = run_under_fault(lambda folder=folder: write(folder), f"{kind}@{step}")
        assert code == KILLED or (kind == "enospc" and code in (0, StorageError.exit_code))
        found = contents(folder)
        assert found in (old, new), step
        outcomes.add(found == new)
        compact(folder)
        assert contents(folder) == found
        named = compress.Collection.open(folder)._state.manifest.files.values()
        left = {path.name for path in folder.iterdir()}
        assert left == {"manifest.json", *(file.stored for file in named)}, step
        traces = [name.encode() for name in names(60) if name not in found]
        for path in folder.iterdir():
            assert not [trace for trace in traces if trace in path.read_bytes()], (step, path)
        shutil.rmtree(folder)
    assert outcomes == {True, False} or old == new


def test_a_killed_first_addition_is_done_again(tmp_path):
    folder = tmp_path / "c"
    compress.Collection.create(folder)
    with recorded_steps() as log:
        compress.Collection.open(folder).add(rows(3), names(3))
    wanted = contents(folder)
    for step in range(len(log), 0, -17):
        shutil.rmtree(folder)
        compress.Collection.create(folder)
        reset_steps()
        run_under_fault(lambda: compress.Collection.open(folder).add(rows(3), names(3)), f"kill@{step}")
        videos = compress.Collection.open(folder)
        videos.add(rows(3), names(3), replace=len(videos) > 0)
        assert contents(folder) == wanted

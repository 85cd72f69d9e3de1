"""Every harness of the soak for a few trials; and that each of them sees what it is there to see."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import resource
import signal
from pathlib import Path
from random import Random

import numpy as np
import pytest

from compress.artifacts.manifest import MANIFEST, parse_manifest, render_manifest
from compress.artifacts.sealed import sealed_lines
from compress.collection import Collection
from compress.errors import CorruptArtifactError
from compress.store.format import USER_BLOCK_BYTES, UserBlock, parse_user_block, render_user_block
from tests.soak import account, workspaces
from tests.soak.account import Account
from tests.soak.children import Child, Ended, Process
from tests.soak.counts import PROMISES, Counts
from tests.soak.damage import mutate, mutate_and_seal
from tests.soak.harnesses import kills, power_cuts
from tests.soak.harnesses.collections import traces
from tests.soak.mounts import can_mount
from tests.soak.registry import HARNESSES, after, in_a_folder
from tests.soak.trials import Trials
from tests.soak.workspaces import History, Words, difference, judge, live, tree

LONG = {"processes", "tests_of_promises"}
NEEDED = ["cli.program", "faiss", "h5py", "matplotlib.figure", "matplotlib.backends.backend_svg", "jinja2"]
NEEDED += [f"compress.jobs.{name}" for name in ("train", "encode", "index", "search", "select", "report")]
NEEDED += [
    "compress.training.closed_form",
    "compress.inspection",
    "compress.pipeline.tradeoff",
    "torch._dynamo",
    "compress.jobs.extract",
    "tests.extract.tiny",
]


def few_commands(random: Random) -> list[Words]:
    lines = [
        "data sample . --videos 40 --num-classes 5",
        "init --train train*.tfrecord --validate validate*.tfrecord --num-classes 5",
        "train --encoder pca --dim 4",
        "encode --name pca-4",
        "index --name pca-4",
        "encode --name pca-4 --codec int8",
    ]
    return [line.split() for line in lines]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """A short history, for all tests."""
    for name in NEEDED:  # once, instead of in every child
        importlib.import_module(name)
    return live(tmp_path_factory.mktemp("history"), few_commands)


@pytest.fixture
def trials(history: History) -> Trials:
    """Trials on it."""
    return Trials(history, Random(0))


@pytest.mark.parametrize("name", sorted(set(HARNESSES) - LONG))
def test_a_harness_loses_nothing(history: History, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(HARNESSES[name], "live"):
        monkeypatch.setattr(HARNESSES[name], "live", lambda folder: history)
    counts = in_a_folder(name, 0, after(2))
    assert counts.losses == []
    assert counts.kinds or counts.skipped
    assert set(counts.trials) <= set(HARNESSES[name].PROMISES)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LONG))
def test_a_long_harness_loses_nothing(name: str) -> None:
    counts = in_a_folder(name, 0, after(2))
    assert counts.losses == []
    assert counts.trials


def test_a_limit_of_files_does_not_reach_what_a_command_says(tmp_path: Path) -> None:
    def no_bytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    ended = Child(["search", "--row", "1"], tmp_path, no_bytes).wait()
    assert ended.clean
    assert "error: " in ended.err


@pytest.mark.parametrize("name", sorted(HARNESSES))
def test_a_harness_says_what_it_does_and_counts_for(name: str) -> None:
    assert HARNESSES[name].__doc__
    assert HARNESSES[name].PROMISES
    assert set(HARNESSES[name].PROMISES) <= set(PROMISES)


# What a harness must see.


def step_of(history: History, command: str) -> workspaces.Step:
    return next(step for step in history.steps if step.command == command)


@pytest.mark.skipif(bool(can_mount("ext4")), reason=can_mount("ext4"))
def test_power_cuts_lose_what_is_not_synced(trials: Trials) -> None:
    def forget_to_sync() -> None:
        os.fsync = os.fdatasync = lambda descriptor: None  # type: ignore[assignment]

    faults = power_cuts.cut(trials, step_of(trials.history, "encode"), True, forget_to_sync)
    assert any(fault.startswith("lost, though reported done") for fault in faults)


def test_what_a_kill_leaves_behind_is_seen(trials: Trials) -> None:
    step = step_of(trials.history, "encode")
    trials.begin(step)
    (trials.history.at / "embeddings").mkdir()
    (trials.history.at / "embeddings" / "other.h5.lock").touch()
    assert trials.finish(step) == ["left over: embeddings/other.h5.lock"]


def test_how_long_a_command_took_is_no_part_of_its_answer(tmp_path: Path) -> None:
    said = [Ended(0, f"videos  140\ntook    {seconds} s\nnext    x\n", "", 0.1, 0.1, 0) for seconds in "01"]
    answers = [workspaces.answer_of(one, tmp_path / "none") for one in said]
    assert answers == [(0, "videos  140\nnext    x\n")] * 2


def test_traces_of_deleted_videos_are_seen(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).standard_normal((10, 4), dtype=np.float32)
    rows = {f"video-{number}": row for number, row in enumerate(numbers)}
    collection = Collection.create(tmp_path / "c", codec="float32")
    collection.add(list(rows.values()), list(rows))
    collection.delete(["video-3"])  # of ten: with a fifth gone, it would be made anew at once
    left = {name: rows[name] for name in collection.ids()}
    assert traces(tmp_path / "c", rows, left) == ["traces of video-3"]
    collection.compact()
    assert traces(tmp_path / "c", rows, left) == []


def test_a_reader_that_sees_a_mix_is_seen() -> None:
    ended = Ended(0, "a mix", "", 0.1, 0.1, 0)
    assert judge("report", ended, (0, "a mix"), [(0, "old"), (0, "new")])
    assert not judge("report", ended, (0, "new"), [(0, "old"), (0, "new")])
    refused = Ended(66, "", "error: nothing was committed", 0.1, 0.1, 0)
    assert not judge("search", refused, (66, "nothing was committed"), [(66, "no index"), (0, "new")])
    assert judge("search", refused, (66, "nothing was committed"), [(0, "old"), (0, "new")])
    internal = Ended(70, "", "internal error: KeyError", 0.1, 0.1, 0)
    assert judge("report", internal, (70, ""), [(70, "")])


@pytest.mark.parametrize(
    ("code", "err"), [(70, "error: x"), (1, ""), (-11, ""), (254, ""), (65, "Traceback"), (65, "")]
)
def test_an_end_that_is_not_clean(code: int, err: str) -> None:
    assert not Ended(code, "", err, 0.1, 0.1, 0).clean
    assert Ended(65, "", "error: x", 0.1, 0.1, 0).clean


def test_a_program_that_does_not_stop_is_seen(tmp_path: Path) -> None:
    def sleep(*words: object) -> None:
        import time

        time.sleep(60)

    child = Child(["doctor"], tmp_path, before=sleep)
    assert not child.wait(0.1).clean
    assert len(kills.wrong_end(Ended(70, "", "", 6.0, 6.0, 0), signal.SIGTERM, 6.0)) == 2
    assert kills.wrong_end(Ended(143, "", "", 6.0, 1.0, 0), signal.SIGTERM, 1.0) == []


def test_a_process_is_the_program_as_it_is_installed(tmp_path: Path) -> None:
    ended = Process(["--version"], tmp_path).wait()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("compress")


def test_trees_tell_every_change(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "row.json").write_text('{"cpu_seconds": 1.5, "gap": 1}')
    wanted = tree(tmp_path)
    (tmp_path / "row.json").write_text('{"cpu_seconds": 2.5, "gap": 1}')
    assert difference(tree(tmp_path), wanted) == []
    (tmp_path / "row.json").write_text('{"cpu_seconds": 2.5, "gap": 2}')
    log = tmp_path / "log.jsonl"
    trees = []
    for seconds in (1.0, 2.0):  # the seal of a line covers the line before it
        log.write_bytes(sealed_lines([{"epoch": each, "cpu_seconds": seconds} for each in (1, 2)]))
        trees.append(tree(tmp_path))
    assert difference(*trees) == []
    log.unlink()
    (tmp_path / "a").rename(tmp_path / "a.lock")
    assert difference(tree(tmp_path), wanted) == ["missing: a", "left over: a.lock", "changed: row.json"]


def test_sealed_damage_has_right_checksums(trials: Trials) -> None:
    folder = next((trials.history.finished / "embeddings").glob("*.index"))
    kinds = set()
    for seed in range(40):
        copy = workspaces.copy(folder, trials.history.at / "copy.index")
        path = Random(seed).choice(sorted(copy.iterdir()))
        kinds.add(mutate_and_seal(path, Random(seed)))
        try:
            manifest = parse_manifest((copy / MANIFEST).read_bytes(), copy)
        except CorruptArtifactError:
            continue  # of a manifest that has another form now, no checksum can be right
        for file in manifest.files.values():
            if (copy / file.stored).is_file() and path.name != MANIFEST:
                assert hashlib.sha256((copy / file.stored).read_bytes()).hexdigest() == file.sha256
        assert render_manifest(manifest) == (copy / MANIFEST).read_bytes()
    assert {"manifest, sealed", "npy, sealed"} <= kinds
    store = trials.history.at / "store.h5"
    store.write_bytes(render_user_block(UserBlock(USER_BLOCK_BYTES + 9, "")) + b"\x89HDF\r\n\x1a\nx")
    mutate_and_seal(store, Random(1))
    data = store.read_bytes()
    block = parse_user_block(data[:USER_BLOCK_BYTES], store)
    assert block == UserBlock(len(data), hashlib.sha256(data[USER_BLOCK_BYTES:]).hexdigest())


def test_damage_is_never_none(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    unchanged = 0
    for seed in range(200):
        path.write_text('{"figures": {"gap": 0.5}, "names": ["a", "b"]}')
        before = path.read_bytes()
        mutate(path, Random(seed))
        unchanged += path.read_bytes() == before
    assert unchanged < 10


# The account.


def test_an_account_goes_on_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "commit_here", lambda: "abc")

    def play(turn: int) -> Counts:
        counts = Counts()
        counts.tried("R1", "encode: SIGKILL", ["a loss"] if turn == 2 else [], "encode")
        return counts

    for _ in range(2):
        Account.open(tmp_path).note("kills", play)
    (written,) = tmp_path.iterdir()
    value = json.loads(written.read_text())
    assert [row["id"] for row in value["promises"]] == list(PROMISES)
    assert (value["promises"][0]["trials"], value["promises"][0]["lost"]) == (2, 1)
    assert value["commit"] == "abc"
    assert value["harnesses"]["kills"]["losses"][0]["turn"] == "python -m tests.soak --only kills --turn 2"
    assert Account.open(tmp_path).lost
    monkeypatch.setattr(account, "commit_here", lambda: "abd")
    assert Account.open(tmp_path).seconds == 0

"""Nothing that is not ours is replaced or removed, and nothing is written through a symbolic link."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from compress.artifacts import disk
from compress.artifacts.atomic import write_bytes
from compress.artifacts.folder import commit_folder, read_folder, remove_folder
from compress.artifacts.lock import exclusive
from compress.artifacts.manifest import Manifest, StoredFile, render_manifest
from compress.errors import StorageError, UsageError
from compress.store.writer import open_writer
from compress.training.log import append_log
from compress.training.run import remove_run
from tests.store.examples import contents, write_store

# Each looks like a file that a commit or a lock leaves, and is none.
NOTES = {
    "notes-20261122.txt": b"mine",
    "gap-by-20261101.csv": b"mine",
    "backup-deadbeef": b"mine",
    "tmp.20261122.notes": b"mine",
    "manifest.json.tmp.20261122": b"mine",
    "notes.txt": b"mine",
}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(folder: Path, notes: dict[str, bytes] = NOTES) -> None:
    for name, content in notes.items():
        (folder / name).write_bytes(content)


def test_a_commit_keeps_every_file_of_a_person(tmp_path: Path) -> None:
    commit_folder(tmp_path, "model", {"a.bin": b"1"}, {})
    put(tmp_path)
    commit_folder(tmp_path, "model", {"a.bin": b"2"}, {})
    assert {name: (tmp_path / name).read_bytes() for name in NOTES} == NOTES
    assert len(os.listdir(tmp_path)) == len(NOTES) + 2


def test_what_a_killed_commit_left_goes_with_the_next(tmp_path: Path) -> None:
    left = commit_folder(tmp_path, "model", {"a.bin": b"killed"}, {}).files["a.bin"].stored
    (tmp_path / "manifest.json").unlink()
    commit_folder(tmp_path, "model", {"a.bin": b"2"}, {})
    assert not (tmp_path / left).exists()


def test_a_damaged_file_of_the_old_commit_goes_too(tmp_path: Path) -> None:
    commit_folder(tmp_path, "model", {"a.bin": b"1"}, {}).path("a.bin").write_bytes(b"rotten")
    commit_folder(tmp_path, "model", {"a.bin": b"2"}, {})
    assert len(os.listdir(tmp_path)) == 2


def test_a_forged_manifest_cannot_have_a_file_removed(tmp_path: Path) -> None:
    put(tmp_path)
    forged = {
        "notes.txt": StoredFile("notes.txt", 4, "0" * 64),
        "b": StoredFile("backup-deadbeef", 4, "0" * 64),
    }
    (tmp_path / "manifest.json").write_bytes(render_manifest(Manifest(tmp_path, "model", {}, forged, 1, {})))
    commit_folder(tmp_path, "model", {"a.bin": b"2"}, {})
    assert NOTES.items() <= files(tmp_path).items()


def test_removing_an_artifact_leaves_the_rest(tmp_path: Path) -> None:
    commit_folder(tmp_path / "a", "model", {"a.bin": b"1"}, {})
    put(tmp_path / "a")
    remove_folder(tmp_path / "a")
    assert files(tmp_path / "a") == NOTES
    commit_folder(tmp_path / "b", "model", {"a.bin": b"1"}, {})
    (tmp_path / "b" / "compress-tmp.1.a.bin").write_bytes(b"half")
    remove_folder(tmp_path / "b")
    remove_folder(tmp_path / "missing")
    assert os.listdir(tmp_path) == ["a"]


def test_removing_a_run_leaves_the_rest(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for folder in (run, run / "tuning"):
        for part in ("model", "checkpoint", "best", "limit"):
            commit_folder(folder / part, "model", {"a.bin": b"1"}, {})
        for name in ("config.json", "log.jsonl", "thresholds.json"):
            (folder / name).write_bytes(b"{}")
    put(run / "model")
    (run / "my notes").mkdir()
    put(run / "my notes")
    remove_run(run)
    assert files(run) == {f"{folder}/{name}": b"mine" for folder in ("model", "my notes") for name in NOTES}


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder of somebody, whose files even have names that a commit would give them."""
    commit_folder(tmp_path / "victim", "index", {"key": b"precious"}, {})
    put(tmp_path / "victim")
    (tmp_path / "work").mkdir()
    return tmp_path / "victim"


@pytest.mark.parametrize(
    "act",
    [
        lambda link: commit_folder(link, "index", {"key": b"other"}, {}),
        remove_folder,
        remove_run,
        lambda link: remove_run(link.parent),
    ],
    ids=["commit", "remove_folder", "remove_run", "remove_run of a link within"],
)
def test_a_folder_behind_a_link_is_left_alone(tmp_path: Path, victim: Path, act: Callable) -> None:
    link, before = tmp_path / "work" / "model", files(victim)
    link.symlink_to(victim)
    with pytest.raises(UsageError, match="is a symbolic link"):
        act(link)
    assert files(victim) == before
    assert read_folder(link, "index").kind == "index", "reading through a link stays possible"


def lock(path: Path) -> None:
    with exclusive(path.with_name(path.name.removesuffix(".lock"))):
        pass


def encode(path: Path) -> None:
    open_writer(path.with_name(path.name.split(".partial")[0]), **contents()).close()


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("a.lock", lock),
        ("a.compress-tmp.PID", lambda path: write_bytes(path.with_name("a"), b"new")),
        ("compress-tmp.1.a", lambda path: commit_folder(path.parent, "model", {"a": b"1"}, {})),
        ("compress-tmp.PID.a", lambda path: commit_folder(path.parent, "model", {"a": b"1"}, {})),
        ("manifest.json", lambda path: commit_folder(path.parent, "model", {"a": b"1"}, {})),
        ("a.h5.partial", encode),
        ("a.h5.partial.journal", encode),
    ],
)
@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_nothing_is_written_through_a_link(tmp_path: Path, victim: Path, name: str, act, kind: str) -> None:
    # Not in the list above: names of tests must be the same in each process of the test suite.
    key, path = victim / "notes.txt", tmp_path / "work" / name.replace("PID", str(os.getpid()))
    path.symlink_to(key) if kind == "symbolic" else path.hardlink_to(key)
    with suppress(UsageError, StorageError):
        act(path)
    assert key.read_bytes() == b"mine"


def test_a_log_is_not_appended_to_through_a_link(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "log.jsonl").symlink_to(victim / "notes.txt")
    with pytest.raises(StorageError, match="compress writes nothing behind one"):
        append_log(tmp_path / "log.jsonl", {"epoch": 1})
    assert files(victim)["notes.txt"] == b"mine"


def test_a_file_in_the_place_of_a_lock_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text("# of another program")
    with (
        pytest.raises(UsageError, match="in the place of a lock, and none of ours"),
        exclusive(tmp_path / "poetry"),
    ):
        pass
    assert (tmp_path / "poetry.lock").read_text() == "# of another program"


@pytest.mark.parametrize("name", ["a.h5.partial", "a.h5.partial.journal"])
def test_a_file_in_the_place_of_an_unfinished_store_is_not_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"a download that a browser has not finished")
    with pytest.raises(UsageError, match=f"{name}: is in the place of an unfinished store"):
        open_writer(tmp_path / "a.h5", **contents())
    assert files(tmp_path) == {name: b"a download that a browser has not finished"}


def test_an_unfinished_store_of_version_0_1_is_continued(tmp_path: Path) -> None:
    wanted = write_store(tmp_path / "wanted.h5").sha256
    with open_writer(tmp_path / "a.h5", **contents()):
        pass
    partial = tmp_path / "a.h5.partial"
    data = partial.read_bytes()
    partial.write_bytes(bytes(4096) + data[4096:])  # it wrote no mark
    assert write_store(tmp_path / "a.h5").sha256 == wanted


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is not a plain file"):
        write_bytes(tmp_path / "pipe", b"1")
    assert os.listdir(tmp_path) == ["pipe"]


# -- locks and names of what was killed ------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b'{"pid": 1', b"\0" * 60, json.dumps({"pid": 1}).encode()])
def test_a_reader_removes_the_lock_of_a_killed_writer(tmp_path: Path, content: bytes) -> None:
    commit_folder(tmp_path, "model", {"a": b"1"}, {})
    (tmp_path / "manifest.json.lock").write_bytes(content)
    read_folder(tmp_path, "model")
    assert not (tmp_path / "manifest.json.lock").exists()


def test_a_reader_leaves_the_lock_of_a_living_writer(tmp_path: Path) -> None:
    commit_folder(tmp_path, "model", {"a": b"1"}, {})
    with exclusive(tmp_path / "manifest.json"):
        read_folder(tmp_path, "model")
        assert (tmp_path / "manifest.json.lock").exists()


def test_a_full_disk_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("compress.artifacts.lock.os.pwrite", full)
    with pytest.raises(StorageError, match="No space left"), exclusive(tmp_path / "a"):
        pass
    assert os.listdir(tmp_path) == []


def test_every_new_folder_is_on_the_disk_in_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[Path, bool]] = []

    def remember(folder: Path) -> None:
        synced.append((folder, (tmp_path / "a" / "b").is_dir()))

    monkeypatch.setattr(disk, "fsync_folder", remember)
    disk.make_folder(tmp_path / "a" / "b")
    disk.make_folder(tmp_path / "a" / "b")
    assert synced == [(tmp_path, False), (tmp_path / "a", True)]
    synced.clear()
    commit_folder(tmp_path / "c", "model", {"a": b"1"}, {})
    assert [folder for folder, _ in synced] == [tmp_path, tmp_path / "c", tmp_path / "c", tmp_path]

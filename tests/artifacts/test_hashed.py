"""The memory of hashed files: what changed, or was hashed too long ago, is hashed again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from compress.artifacts import hashed
from compress.artifacts.atomic import sha256_file
from compress.artifacts.folder import commit_folder, read_folder
from compress.artifacts.hashed import HashedFiles, matches
from compress.errors import CorruptArtifactError


@pytest.fixture
def file(tmp_path: Path, monkeypatch) -> Path:
    """A file old enough to be remembered."""
    monkeypatch.setattr(hashed, "_TICK_NS", 0)
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 40)
    time.sleep(0.02)  # Longer than a tick of the file system's clock.
    return path


class Hashing:
    """Opens a file as a reader does and counts how often it was read in full."""

    def __init__(self, memory: Path, path: Path) -> None:
        self.memory, self.path, self.sha256, self.times = memory, path, sha256_file(path), 0

    def opened(self, trust: bool = True) -> bool:
        files = HashedFiles(self.memory, trust)
        right = files.holds(self.path.stat(), self.sha256, self._compute)
        files.save()
        return right

    def _compute(self) -> str:
        self.times += 1
        return sha256_file(self.path)


@pytest.fixture
def hashing(file: Path, tmp_path: Path) -> Hashing:
    return Hashing(tmp_path / "cache" / "hashed.json", file)


def test_an_unchanged_file_is_hashed_once(hashing):
    assert [hashing.opened() for _ in range(3)] == [True] * 3
    assert hashing.times == 1


def test_every_flipped_bit_is_found_although_the_file_was_hashed_just_before(hashing):
    whole = hashing.path.read_bytes()
    for place in range(0, len(whole), 500):
        time.sleep(0.02)
        assert hashing.opened()
        facts = hashing.path.stat()
        hashing.path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        os.utime(hashing.path, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # A flip that hides its time.
        assert not hashing.opened()
        hashing.path.write_bytes(whole)


def test_another_file_in_its_place_is_hashed(hashing, tmp_path):
    assert hashing.opened()
    (tmp_path / "new").write_bytes(b"x" * hashing.path.stat().st_size)
    os.replace(tmp_path / "new", hashing.path)
    assert not hashing.opened()


def test_another_sha256_is_not_believed(hashing):
    assert hashing.opened()
    hashing.sha256 = "0" * 64
    assert not hashing.opened()


@pytest.mark.parametrize(("hours", "times"), [(23.9, 1), (24.1, 2), (-1, 2)])
def test_a_day_later_or_when_the_clock_went_back_a_file_is_hashed_again(hours, times, hashing, monkeypatch):
    assert hashing.opened()
    then = time.time_ns() + int(hours * 3.6e12)
    monkeypatch.setattr(time, "time_ns", lambda: then)
    assert hashing.opened()
    assert hashing.times == times


def test_a_file_touched_a_moment_before_is_not_remembered(hashing, monkeypatch):
    monkeypatch.setattr(hashed, "_TICK_NS", 2_000_000_000)
    hashing.path.touch()
    assert [hashing.opened(), hashing.opened()] == [True, True]
    assert hashing.times == 2


def test_without_trust_it_is_hashed_and_remembered(hashing):
    assert hashing.opened()
    assert hashing.opened(trust=False)
    assert hashing.times == 2


@pytest.mark.parametrize("content", [b"", b"not json", b"[1]", b'{"1:2": 3}', b'{"1:2": [1, 2, 3, 4, 5]}'])
def test_a_damaged_memory_remembers_nothing_and_is_written_anew(content, hashing):
    hashing.memory.parent.mkdir()
    hashing.memory.write_bytes(content)
    assert [hashing.opened(), hashing.opened()] == [True, True]
    assert hashing.times == 1


def test_a_file_that_rotted_beneath_its_times_is_not_believed_after_it_was_found(hashing):
    assert hashing.opened()
    right, hashing._compute = hashing._compute, lambda: "what the disk now gives"
    assert hashing.opened()  # Within a day, its times say that nothing happened.
    assert not hashing.opened(trust=False)
    assert not hashing.opened()
    hashing._compute = right
    assert hashing.opened()


def test_what_is_too_old_is_forgotten(hashing, tmp_path, monkeypatch):
    assert hashing.opened()
    then = time.time_ns() + int(48 * 3.6e12)
    monkeypatch.setattr(time, "time_ns", lambda: then)
    other = tmp_path / "other"
    other.write_bytes(b"other")
    assert Hashing(hashing.memory, other).opened()
    assert len(HashedFiles(hashing.memory)._entries) == 1


def test_true_hashes_and_false_believes(file):
    assert not matches(True, file.stat(), "0" * 64, lambda: sha256_file(file))
    assert matches(True, file.stat(), sha256_file(file), lambda: sha256_file(file))
    assert matches(False, file.stat(), "0" * 64, lambda: pytest.fail("it was hashed"))


def test_a_folder_opened_with_a_memory_still_finds_every_changed_file(tmp_path, monkeypatch):
    monkeypatch.setattr(hashed, "_TICK_NS", 0)
    commit_folder(tmp_path / "folder", "index", {"a.bin": bytes(1000), "b.bin": bytes(999)}, {})
    time.sleep(0.02)
    files = HashedFiles(tmp_path / "hashed.json")
    manifest = read_folder(tmp_path / "folder", "index", verify=files)
    assert len(files._entries) == 2
    for name in ("a.bin", "b.bin"):
        path = manifest.path(name)
        whole = path.read_bytes()
        path.write_bytes(b"\1" + whole[1:])
        with pytest.raises(CorruptArtifactError, match="sha256"):
            read_folder(tmp_path / "folder", "index", verify=files)
        path.write_bytes(whole)

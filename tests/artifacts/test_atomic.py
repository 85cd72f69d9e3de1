"""One file is replaced whole or not at all, whatever the disk, the body or the kernel does."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import numpy as np
import pytest

from compress.artifacts import atomic, disk
from compress.artifacts.atomic import read_json, replacing, sha256_file, write_bytes, write_json
from compress.artifacts.disk import recorded_steps
from compress.errors import CorruptArtifactError, DataError, NotFoundError, RecordError, StorageError
from tests.artifacts.faulty import KILLED, SUCCEEDED, run_under_fault


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folders" / "figures.json"
    value = {"b": [1, 2.5, None, True], "a": {"é": "ü"}}
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_text(encoding="utf-8").startswith('{\n  "a": {\n    "é": "ü"\n')
    assert names(path.parent) == ["figures.json"]


def test_the_bytes_are_synced_before_the_name_changes_and_the_folder_after(tmp_path: Path) -> None:
    with recorded_steps() as steps:
        write_bytes(tmp_path / "a", b"123")
    assert [step for step in steps if step != "write"] == ["fsync", "rename", "fsync-folder"]
    assert steps[0] == "write"


@pytest.mark.parametrize("error", [ValueError("no"), RecordError("no"), KeyboardInterrupt()])
def test_an_exception_of_the_body_leaves_the_old_file_and_no_other(tmp_path: Path, error) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), replacing(path) as temporary:  # noqa: PT012
        temporary.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "size limit"),
        (errno.EIO, "I/O error"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permissions"),
    ],
)
def test_every_refusal_of_the_disk_is_a_storage_error_naming_the_path(tmp_path, monkeypatch, number, words):
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(StorageError, match=words) as caught:
        write_bytes(tmp_path / "store", b"12345")
    assert caught.value.exit_code == 74
    assert str(tmp_path / "store") in str(caught.value)
    assert ("needs 5 bytes" in str(caught.value)) == (number in disk._FULL)
    assert names(tmp_path) == []


def test_short_writes_are_continued(tmp_path: Path, monkeypatch) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[:3], offset))
    write_bytes(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def under_file_size_limit(work, limit: int = 100_000) -> int:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        work()

    return run_under_fault(limited)


def test_a_file_size_limit_is_a_clean_refusal(tmp_path: Path) -> None:
    path = tmp_path / "big"
    assert under_file_size_limit(lambda: write_bytes(path, bytes(200_000))) == 74
    assert names(tmp_path) == []


def test_a_library_that_reports_a_full_disk_in_its_own_words_is_understood(tmp_path: Path) -> None:
    def write() -> None:
        with replacing(tmp_path / "index") as temporary:
            try:
                with temporary.open("wb") as file:
                    np.save(file, np.zeros(50_000))
            except OSError:
                raise RuntimeError("Error in fwrite: could not write") from None

    assert under_file_size_limit(write) == 74
    assert names(tmp_path) == []


def test_numpys_short_write_without_an_error_number_is_understood(tmp_path: Path) -> None:
    def write() -> None:
        with replacing(tmp_path / "ids.npy") as temporary, temporary.open("wb") as file:
            np.save(file, np.zeros(50_000))

    assert under_file_size_limit(write) == 74
    assert names(tmp_path) == []


def test_the_free_bytes_are_those_after_the_temporary_file_is_gone(tmp_path: Path, monkeypatch) -> None:
    def free_bytes(path: Path) -> int:
        assert names(tmp_path) == []
        return 7

    monkeypatch.setattr(disk, "free_bytes", free_bytes)
    monkeypatch.setenv("COMPRESS_FAULT", "enospc@1+")
    with pytest.raises(StorageError, match=r"No space left.*needs 5 bytes, 7 free"):
        write_bytes(tmp_path / "a", b"12345")


def test_an_error_about_another_file_names_that_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="source"), replacing(tmp_path / "target") as temporary:  # noqa: PT012
        temporary.write_bytes(b"")
        (tmp_path / "source").read_bytes()


@pytest.mark.parametrize("kind", ["kill", "enospc", "eio"])
def test_a_fault_at_any_step_leaves_the_old_or_the_new_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    for step in range(1, 100):
        path.write_bytes(b"old")
        code = run_under_fault(lambda: write_bytes(path, b"new content"), f"{kind}@{step}")
        assert path.read_bytes() in (b"old", b"new content")
        if code == SUCCEEDED:
            break
        assert code == (KILLED if kind == "kill" else 74)
        assert kind == "kill" or names(tmp_path) == ["a"]
    else:
        pytest.fail("never succeeded")
    assert step > 4
    assert path.read_bytes() == b"new content"
    assert names(tmp_path) == ["a"], "temporaries of dead processes are removed by the next writer"


def test_the_temporary_file_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"a.compress-tmp.{os.getppid()}").write_bytes(b"theirs")
    write_bytes(tmp_path / "a", b"ours")
    assert names(tmp_path) == ["a", f"a.compress-tmp.{os.getppid()}"]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json_is_a_corrupt_artifact(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(CorruptArtifactError, match=r"a\.json: not valid JSON"):
        read_json(tmp_path / "a.json")


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": {1, 2}}, {"a": np.float32(1)}])
def test_what_json_cannot_say_is_refused_before_anything_is_written(tmp_path: Path, value: object) -> None:
    with pytest.raises(DataError, match="cannot be written as JSON"):
        write_json(tmp_path / "a.json", value)
    assert names(tmp_path) == []


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_a_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(StorageError):
        atomic.write_bytes(tmp_path / "a" / "b", b"")

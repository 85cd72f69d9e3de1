"""Readers while another process writes: everything of one state, or the error of what is there now."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from compress.artifacts.folder import commit_folder, load_folder
from compress.artifacts.manifest import Manifest
from compress.artifacts.one_state import file_state, one_state
from compress.errors import CorruptArtifactError, Interrupted, LockedError, NotFoundError
from tests.artifacts.races import when_checked

NAMES = ("a.bin", "b.bin")


def commit(folder: Path, content: str) -> None:
    commit_folder(folder, "index", {name: f"{name} {content}".encode() for name in NAMES}, {"n": content})


def read(manifest: Manifest) -> list[str]:
    """The files, as FAISS or numpy open them: an error of theirs where one is gone."""
    return [manifest.path(name).read_text() for name in NAMES]


def test_a_reader_whose_files_were_replaced_reads_the_new_ones(tmp_path: Path, monkeypatch) -> None:
    commit(tmp_path / "f", "old")
    checked = when_checked(monkeypatch, lambda: commit(tmp_path / "f", "new"))
    assert load_folder(tmp_path / "f", "index", read) == ["a.bin new", "b.bin new"]
    assert len(checked) == 2


def test_files_replaced_while_they_are_opened_are_never_mixed(tmp_path: Path) -> None:
    commit(tmp_path / "f", "old")
    acts: list[Callable[[], None]] = [lambda: commit(tmp_path / "f", "new")]

    def slow(manifest: Manifest) -> list[str]:
        first = manifest.path("a.bin").read_text()
        if acts:
            acts.pop()()
        return [first, manifest.path("b.bin").read_text()]

    assert load_folder(tmp_path / "f", "index", slow) == ["a.bin new", "b.bin new"]


def test_a_folder_that_is_deleted_meanwhile_is_not_there(tmp_path: Path, monkeypatch) -> None:
    commit(tmp_path / "f", "old")
    when_checked(monkeypatch, lambda: shutil.rmtree(tmp_path / "f"))
    with pytest.raises(NotFoundError, match="no such folder"):
        load_folder(tmp_path / "f", "index", read)


def test_damage_is_told_at_once_and_not_read_again(tmp_path: Path) -> None:
    commit(tmp_path / "f", "old")
    tries: list[Manifest] = []

    def fails(manifest: Manifest) -> None:
        tries.append(manifest)
        raise CorruptArtifactError("is not an array", hint="its own hint")

    with pytest.raises(CorruptArtifactError, match="is not an array") as error:
        load_folder(tmp_path / "f", "index", fails)
    assert (len(tries), error.value.hint) == (1, "its own hint")


def test_a_folder_that_never_rests_is_an_error_and_no_endless_loop(tmp_path: Path) -> None:
    states = iter(range(10**6))
    with pytest.raises(LockedError, match="again and again"):
        one_state(lambda: next(states), lambda: None)
    with pytest.raises(LockedError):
        one_state(lambda: next(states), lambda: (tmp_path / "none").read_text(), whole=False)


def test_a_wish_to_stop_is_not_taken_for_a_race() -> None:
    states = iter(range(10))

    def stops() -> None:
        raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        one_state(lambda: next(states), stops)


def test_several_artifacts_are_read_again_when_one_of_them_changed(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in NAMES]
    for path in paths:
        path.write_text("old")
    seen: list[str] = []

    def both() -> list[str]:
        seen.append(paths[0].read_text())
        if len(seen) == 1:
            for path in paths:
                path.unlink()
                path.write_text("newer")
        return [seen[-1], paths[1].read_text()]

    assert one_state(lambda: tuple(map(file_state, paths)), both) == ["newer", "newer"]
    assert file_state(tmp_path / "none") is None

"""A folder is its manifest: committed whole, checked on reading, replaced in one step."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

from compress.artifacts import manifest as manifests
from compress.artifacts.folder import commit_folder, read_folder
from compress.artifacts.manifest import Manifest, render_manifest, versions
from compress.errors import CorruptArtifactError, DataError, LockedError, NotFoundError, UsageError
from tests.artifacts.faulty import KILLED, SUCCEEDED, run_under_fault

OLD = {"model.bin": b"old weights", "ids.npy": lambda path: np.save(path, np.arange(3))}
NEW = {"model.bin": b"new weights", "ids.npy": lambda path: np.save(path, np.arange(4))}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


def weights(folder: Path) -> tuple[bytes, int]:
    manifest = read_folder(folder, "model")
    return manifest.path("model.bin").read_bytes(), len(np.load(manifest.path("ids.npy")))


def test_what_is_committed_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "best"
    written = commit_folder(folder, "model", OLD, {"gap": 0.7})
    read = read_folder(folder, "model")
    assert read == written
    assert (read.kind, read.metadata, read.schema_version) == ("model", {"gap": 0.7}, 1)
    assert read.versions["python"].count(".") == 2
    assert weights(folder) == (b"old weights", 3)
    with pytest.raises(NotFoundError, match=r"no file 'x'; its files: ids\.npy, model\.bin"):
        read.path("x")


def test_file_names_carry_their_sha256(tmp_path: Path) -> None:
    commit_folder(tmp_path / "a", "model", {"x.tar.gz": b"abc", "plain": b"abc"}, {})
    assert sorted(os.listdir(tmp_path / "a")) == ["manifest.json", "plain-ba7816bf", "x.tar-ba7816bf.gz"]


def test_the_same_commit_gives_the_same_bytes(tmp_path: Path) -> None:
    commit_folder(tmp_path / "a", "model", OLD, {"x": 1, "y": 2})
    commit_folder(tmp_path / "b", "model", OLD, {"y": 2, "x": 1})
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_new_commit_removes_the_old_files_and_leaves_a_persons_own(tmp_path: Path) -> None:
    commit_folder(tmp_path, "model", OLD, {})
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "compress-tmp.1.model.bin").write_text("litter of a killed writer")
    commit_folder(tmp_path, "model", {"other.bin": b"1"}, {})
    assert [name.split("-")[0] for name in sorted(os.listdir(tmp_path))] == [
        "manifest.json",
        "notes.txt",
        "other",
    ]


@pytest.mark.parametrize("kind", ["kill", "enospc", "eio"])
def test_a_fault_at_any_step_leaves_the_old_or_the_new_commit(tmp_path: Path, kind: str) -> None:
    commit_folder(tmp_path / "wanted", "model", NEW, {"n": 2})
    folder = tmp_path / "folder"
    for step in range(1, 100):
        commit_folder(folder, "model", OLD, {"n": 1})
        code = run_under_fault(lambda: commit_folder(folder, "model", NEW, {"n": 2}), f"{kind}@{step}")
        assert weights(folder) in [(b"old weights", 3), (b"new weights", 4)]
        if code == SUCCEEDED:
            break
        assert code == (KILLED if kind == "kill" else 74)
        commit_folder(folder, "model", NEW, {"n": 2})
        assert contents(folder) == contents(tmp_path / "wanted")
    else:
        pytest.fail("never succeeded")
    assert step > 12
    assert contents(folder) == contents(tmp_path / "wanted")


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    commit_folder(tmp_path, "model", OLD, {"gap": 0.25, "name": "a b"})
    files = [tmp_path / name for name in sorted(os.listdir(tmp_path))]
    chance = random.Random(0)
    for trial in range(300):
        path = files[trial % len(files)]
        sound = path.read_bytes()
        damaged = bytearray(sound)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=path.name.split("-")[0]):
            read_folder(tmp_path, "model")
        path.write_bytes(sound)
    read_folder(tmp_path, "model")


def test_every_truncation_is_found_also_without_verifying(tmp_path: Path) -> None:
    commit_folder(tmp_path, "model", {"a.bin": bytes(40)}, {})
    for path in [tmp_path / name for name in os.listdir(tmp_path)]:
        sound = path.read_bytes()
        for size in range(0, len(sound), 7):
            path.write_bytes(sound[:size])
            with pytest.raises(CorruptArtifactError, match=path.name):
                read_folder(tmp_path, "model", verify=False)
        path.write_bytes(sound)


def forge(folder: Path, **changes: object) -> None:
    """A hostile manifest: any names in it, and its own checksum right."""
    sound = read_folder(folder, "model")
    fields = {"kind": sound.kind, "metadata": {}, "files": sound.files, "schema_version": 1, "versions": {}}
    (folder / "manifest.json").write_bytes(render_manifest(Manifest(folder, **{**fields, **changes})))


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", ".", "", "a/b", "a\0b", ".hidden", 7])
def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path: Path, name: object) -> None:
    commit_folder(tmp_path / "a", "model", OLD, {})
    (tmp_path / "secret").write_bytes(b"secret")
    entry = manifests.StoredFile(name, 6, "0" * 64)  # type: ignore[arg-type]
    forge(tmp_path / "a", files={"model.bin": entry})
    with pytest.raises(CorruptArtifactError):
        read_folder(tmp_path / "a", "model", verify=False)


def test_a_symlink_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    path = commit_folder(tmp_path / "a", "model", OLD, {}).path("model.bin")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptArtifactError, match="not a plain file"):
        read_folder(tmp_path / "a", "model")


def test_a_newer_folder_is_refused_naming_both_versions(tmp_path: Path) -> None:
    commit_folder(tmp_path, "model", OLD, {})
    forge(tmp_path, schema_version=2)
    with pytest.raises(DataError, match="has schema version 2, this compress reads up to 1; upgrade"):
        read_folder(tmp_path, "model")


def test_a_commit_replaces_its_own_kind_only(tmp_path: Path) -> None:
    commit_folder(tmp_path / "run", "model", OLD, {})
    with pytest.raises(UsageError, match="holds a model, not a folder of kind 'index'"):
        commit_folder(tmp_path / "run", "index", NEW, {})
    assert read_folder(tmp_path / "run", "model").metadata == {}
    (tmp_path / "run" / "manifest.json").write_text("damaged")
    commit_folder(tmp_path / "run", "index", NEW, {})


def test_a_folder_of_other_files_is_not_taken_over(tmp_path: Path) -> None:
    for harmless in (".DS_Store", "a-e3b0c442.npy", "compress-tmp.1.model.bin", "manifest.json.tmp.1"):
        (tmp_path / harmless).touch()
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(UsageError, match=r"holds other files, such as photo\.jpg"):
        commit_folder(tmp_path, "index", OLD, {})
    (tmp_path / "photo.jpg").unlink()
    commit_folder(tmp_path, "index", OLD, {})


def test_another_kind_is_refused(tmp_path: Path) -> None:
    commit_folder(tmp_path, "index", OLD, {})
    with pytest.raises(CorruptArtifactError, match="of kind 'index', not 'model'"):
        read_folder(tmp_path, "model")


@pytest.mark.parametrize(
    "text", ["[]", "{}", "3", '{"schema_version": "1"}', '{"schema_version": 1, "files": []}', "nonsense"]
)
def test_what_is_no_manifest_is_a_corrupt_artifact(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(CorruptArtifactError, match=r"manifest\.json"):
        read_folder(tmp_path, "model")


def test_missing_folders_manifests_and_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such folder"):
        read_folder(tmp_path / "none", "model")
    with pytest.raises(NotFoundError, match=r"has no manifest\.json"):
        read_folder(tmp_path, "model")
    commit_folder(tmp_path, "model", OLD, {}).path("model.bin").unlink()
    with pytest.raises(CorruptArtifactError, match="missing"):
        read_folder(tmp_path, "model")


@pytest.mark.parametrize("name", ["manifest.json", "../a", "a/b", "", ".a"])
def test_names_that_are_no_plain_file_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        commit_folder(tmp_path, "model", {name: b""}, {})


def test_metadata_that_is_not_json_is_refused_before_the_files_are_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="JSON"):
        commit_folder(tmp_path / "a", "model", OLD, {"gap": float("nan")})
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("model", "train it again"),
        ("checkpoint", "train it again"),
        ("index", "run `compress index` again"),
        ("scores", "run `compress evaluate` again"),
        ("table", "make it again with the command that wrote it"),
    ],
)
def test_what_is_damaged_says_how_to_make_it_anew(tmp_path: Path, kind: str, hint: str) -> None:
    for name in ("a", "manifest.json"):
        path = commit_folder(tmp_path, kind, {"a": b"content"}, {}).files["a"].stored if name == "a" else name
        content = (tmp_path / path).read_bytes()
        for damaged in (content[:-1], b"?" + content[1:]):
            (tmp_path / path).write_bytes(damaged)
            with pytest.raises(CorruptArtifactError) as error:
                read_folder(tmp_path, kind)
            assert error.value.hint.startswith(hint)
        (tmp_path / path).write_bytes(content)


def test_two_committers_cannot_meet(tmp_path: Path) -> None:
    def commit_within(path: Path) -> None:
        with pytest.raises(LockedError):
            commit_folder(tmp_path, "model", OLD, {})
        path.write_bytes(b"")

    commit_folder(tmp_path, "model", {"a": commit_within}, {})


def test_a_reader_sees_a_whole_commit_while_writers_replace_it(tmp_path: Path) -> None:
    commit_folder(tmp_path, "model", {"a.bin": b"0"}, {"n": 0})

    def keep_committing() -> None:
        for number in range(1, 60):
            commit_folder(tmp_path, "model", {"a.bin": str(number).encode()}, {"n": number})

    writer = os.fork()
    if writer == 0:
        os._exit(run_under_fault(keep_committing))
    seen = []
    while not os.waitpid(writer, os.WNOHANG)[0]:
        seen.append(read_folder(tmp_path, "model").metadata["n"])
    assert seen == sorted(seen)
    assert read_folder(tmp_path, "model").metadata["n"] == 59


def test_versions_name_what_is_installed() -> None:
    found = versions()
    assert {"python", "numpy"} <= set(found)
    assert json.dumps(found)

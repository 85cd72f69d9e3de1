"""Files of a data set are found by one function, however a person writes where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.datasets.files import dead_links, find_files
from compress.datasets.source import open_source
from compress.errors import NotFoundError, UsageError
from compress.inspection import inspect_all
from compress.progress import Event, Note


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, in which the current folder is `here`."""
    for name in (
        "here/a.npy",
        "here/b.npy",
        "here/a.labels.npz",
        "here/notes.txt",
        "x[1]/a.npy",
        "x[1]/deep/c.npy",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "here" / "v[1].npy").write_bytes(b"x")
    (tmp_path / "here" / "-id.npy").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "x[1]")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.npy", ["here/a.npy"]),
        ("[ab].npy", ["here/a.npy", "here/b.npy"]),
        ("v[1].npy", ["here/v[1].npy"]),
        ("../here/?.npy", ["here/a.npy", "here/b.npy"]),
        ("~/here/a*", ["here/a.labels.npz", "here/a.npy"]),
        ("~/x[1]/*.npy", ["x[1]/a.npy"]),
        ("../x[1]/**/*.npy", ["x[1]/a.npy", "x[1]/deep/c.npy"]),
        ("../x[1]", ["x[1]/a.npy", "x[1]/deep/c.npy"]),
        ("../x*", ["x[1]/a.npy", "x[1]/deep/c.npy"]),
        ("../link", ["x[1]/a.npy", "x[1]/deep/c.npy"]),
        (".", ["here/-id.npy", "here/a.npy", "here/b.npy", "here/v[1].npy"]),
    ],
)
def test_each_way_to_write_a_place_finds_the_same_files(data: Path, pattern: str, names: list[str]) -> None:
    wanted = [(data / name).resolve() for name in names]
    assert sorted(path.resolve() for path in find_files([pattern])) == sorted(wanted)
    if not pattern.startswith("~"):
        (data / "elsewhere").mkdir()
        assert sorted(path.resolve() for path in find_files([pattern], data / "here")) == sorted(wanted)


@pytest.mark.parametrize("pattern", [".", "*", "*.npy", "../her*"])
def test_links_to_nothing_are_found_too(data: Path, pattern: str) -> None:
    for name in ("gone.npy", "folder", "notes2.txt"):
        (data / "here" / name).symlink_to(data / "unmounted" / name)
    assert all(path.exists() for path in find_files([pattern]))
    found = {path.name for path in dead_links([pattern, pattern], (".npy",))}
    assert found == ({"gone.npy"} if pattern == "*.npy" else {"gone.npy", "folder"})
    with pytest.raises(NotFoundError, match=r"gone.npy: is a link to nothing; it leads to .*unmounted"):
        find_files(["gone.npy"])


def test_links_to_nothing_are_counted_and_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((3, 2), np.float32))
    (tmp_path / "b.npy").symlink_to(tmp_path / "gone.npy")
    events: list[Event] = []
    open_source([str(tmp_path)], num_classes=1).tell_contents(events.append)
    said = [event.text for event in events if isinstance(event, Note)]
    assert f"left out 1 links to nothing; the first is {tmp_path / 'b.npy'}" in said
    (found,) = inspect_all([str(tmp_path)])
    assert found.facts["left out, as links to nothing"] == [str(tmp_path / "b.npy")]


def test_a_file_that_two_patterns_name_is_found_once(data: Path) -> None:
    assert len(find_files(["a.npy", "./a.npy", str(data / "here" / "a*.npy")])) == 1


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("none*.npy", r"none\*\.npy: no file matches; check the path"),
        ("v[2].npy", r"v\[2\]\.npy: no file matches"),
        ("~nobody-at-all/x.npy", "~nobody-at-all/x.npy: no file matches"),
    ],
)
def test_a_place_without_files_is_named(data: Path, pattern: str, message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        find_files([pattern])


def test_a_folder_without_features_says_what_is_read(data: Path) -> None:
    (data / "empty").mkdir()
    with pytest.raises(NotFoundError, match=r"no file of features \(\.tfrecord, .*\.npy"):
        find_files([str(data / "empty")])
    with pytest.raises(UsageError, match="give a list"):
        find_files([])


def test_a_folder_that_is_yet_to_be_made_may_be_where_patterns_start(data: Path) -> None:
    assert [path.name for path in find_files(["../here/?.npy"], data / "new")] == ["a.npy", "b.npy"]


def test_the_hint_of_a_folder_without_features_finds_its_files(data: Path) -> None:
    (data / "empty" / "inner").mkdir(parents=True)
    with pytest.raises(NotFoundError) as nothing:
        find_files([str(data / "empty")])
    assert nothing.value.hint == "", "no pattern would find anything there"

    (data / "empty" / "shard").touch()
    with pytest.raises(NotFoundError) as others:
        find_files([str(data / "empty")])
    pattern = others.value.hint.split("'")[1]
    assert [path.name for path in find_files([pattern])] == ["shard"]

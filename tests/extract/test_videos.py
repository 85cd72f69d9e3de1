"""Which files are found, and their ids."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compress.errors import NotFoundError, UsageError
from compress.extract.videos import find_videos


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def ids(*patterns: object, style: str = "path") -> list[str]:
    return [video.video_id for video in find_videos([str(each) for each in patterns], style)]


def test_ids_are_paths_below_the_common_folder(tmp_path: Path):
    files(tmp_path, "v/a.mp4", "v/x/b.mkv", "v/x/y.z/c.d.webm")

    assert ids(tmp_path / "v" / "**" / "*") == ["a", "x/b", "x/y.z/c.d"]
    assert ids(tmp_path / "v" / "x" / "b.mkv") == ["b"]


def test_where_only_the_suffix_differs_it_stays(tmp_path: Path):
    files(tmp_path, "a.mp4", "a.mkv", "b.mp4")

    assert ids(tmp_path) == ["a.mkv", "a.mp4", "b"]


def test_names_as_ids_must_differ(tmp_path: Path):
    files(tmp_path, "x/a.mp4", "y/b.mp4")
    assert ids(tmp_path, style="name") == ["a", "b"]

    files(tmp_path, "y/a.mkv")
    with pytest.raises(UsageError, match=r"same name as.*--id path"):
        ids(tmp_path, style="name")


def test_a_folder_gives_its_videos_and_nothing_else(tmp_path: Path):
    files(tmp_path, "a.MP4", "x/b.mov", "x/notes.txt", "._a.mp4", "c.jpg")

    assert ids(tmp_path) == ["a", "x/b"]


def test_a_file_is_found_once_and_brackets_are_no_pattern(tmp_path: Path):
    files(tmp_path, "-a [1].mp4")

    assert ids(tmp_path / "-a [1].mp4", tmp_path, f"{tmp_path}/*.mp4") == ["-a [1]"]


def test_a_name_that_is_not_text_gets_an_id_that_is(tmp_path: Path):
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9.mp4"), "wb") as file:
        file.write(b"x")

    assert ids(tmp_path) == ["caf\\xe9"]


@pytest.mark.parametrize("pattern", ["*.mp4", "", "empty"])
def test_nothing_found_is_an_error(tmp_path: Path, pattern: str):
    (tmp_path / "empty").mkdir()

    with pytest.raises(NotFoundError, match=r"no file matches|no videos in this folder") as error:
        ids(tmp_path / pattern)
    assert "empty/*" not in error.value.hint, "it would find nothing"


def test_no_pattern_and_a_too_long_id_are_errors(tmp_path: Path):
    with pytest.raises(UsageError, match="name the videos"):
        find_videos([])
    files(tmp_path, "/".join(["x" * 200] * 6) + "/a.mp4", "b.mp4")
    with pytest.raises(UsageError, match="at most 1024"):
        ids(tmp_path)

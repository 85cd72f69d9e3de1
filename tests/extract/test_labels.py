"""Tables of labels of videos: what may be one label or several, and what has none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.extract import extract
from compress.errors import SchemaError
from compress.extract.labels import read_video_labels
from compress.extract.videos import Video, find_videos


@pytest.fixture
def videos(tmp_path: Path) -> list[Video]:
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp4").touch()
    return find_videos([str(tmp_path)])


def table(folder: Path, *lines: str) -> str:
    path = folder / "labels.csv"
    path.write_text("".join(f"{line}\n" for line in ("id,labels", *lines)))
    return str(path)


def test_what_may_be_one_label_or_several_is_asked_for(videos: list[Video], tmp_path: Path):
    """The hint names an option of this command, and the option is the way on."""
    labels = table(tmp_path, 'a,"a cat, asleep"', 'b,"a dog, awake"')
    with pytest.raises(SchemaError) as error:
        read_video_labels(labels, videos)
    options = re.findall(r"--[a-z-]+", error.value.hint)
    assert {*options} <= {name for parameter in extract.params for name in parameter.opts}

    found = [read_video_labels(labels, videos, separator=separator) for separator in (",", "none")]

    assert [one.class_names for one in found] == [
        ("a cat", "a dog", "asleep", "awake"),
        ("a cat, asleep", "a dog, awake"),
    ]


def test_a_table_without_a_label_is_an_error(videos: list[Video], tmp_path: Path):
    with pytest.raises(SchemaError, match="has no labels; leave --labels out"):
        read_video_labels(table(tmp_path, "a,", "b,"), videos)

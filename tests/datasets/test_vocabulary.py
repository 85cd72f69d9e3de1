"""Names of classes, from the files of YouTube-8M and AudioSet."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from compress.datasets import load_vocabulary
from compress.errors import DataError, NotFoundError

YOUTUBE = (
    'Index,TrainVideoCount,KnowledgeGraphId,Name\n1,5,/m/b,Video game\n0,9,/m/a,"Game, the"\n7,1,/m/c,\n'
)
AUDIOSET = 'index,mid,display_name\n0,/m/09x0r,"Speech"\n'


def write(path: Path, text: str) -> Path:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["v.csv", "v.csv.gz"])
def test_the_index_column_decides_and_nameless_classes_keep_their_code(tmp_path: Path, name: str) -> None:
    vocabulary = load_vocabulary(write(tmp_path / name, YOUTUBE))
    assert dict(vocabulary.names) == {0: "Game, the", 1: "Video game", 7: "/m/c"}
    assert (len(vocabulary), vocabulary.name(1), 7 in vocabulary, 2 in vocabulary) == (
        3,
        "Video game",
        True,
        False,
    )
    with pytest.raises(NotFoundError, match="class 2 is not among the 3"):
        vocabulary.name(2)


def test_audioset_has_other_column_names(tmp_path: Path) -> None:
    assert load_vocabulary(write(tmp_path / "a.csv", AUDIOSET)).name(0) == "Speech"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no columns for index and name .columns: none"),
        ("a,b\n1,2\n", "columns: a, b"),
        ("Index,Name\n", "names no classes"),
        ("Index,Name\n0,x\n0,y\n", "line 3: index 0 occurs twice"),
        ("Index,Name\n-1,x\n", "line 2: index '-1' is not a number"),
        ("Index,Name\nzero,x\n", "index 'zero' is not a number"),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_vocabulary(write(tmp_path / "v.csv", text))


def test_missing_truncated_and_binary_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"none\.csv: no such vocabulary"):
        load_vocabulary(tmp_path / "none.csv")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(YOUTUBE.encode())[:-9])
    with pytest.raises(DataError, match="cannot be read as CSV"):
        load_vocabulary(tmp_path / "cut.csv.gz")
    (tmp_path / "b.csv").write_bytes(b"Index,Name\n0,\xff\xfe\n")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        load_vocabulary(tmp_path / "b.csv")


def test_the_published_vocabularies_are_complete(shared_data: Path) -> None:
    youtube = load_vocabulary(shared_data / "yt8m-2018" / "vocabulary.csv.gz")
    assert (len(youtube), youtube.name(0), youtube.name(1)) == (3862, "Game", "Video game")
    assert sorted(youtube.names) == list(range(3862))
    assert all(youtube.names.values())
    audioset = load_vocabulary(shared_data / "audioset" / "class_labels_indices.csv.gz")
    assert (len(audioset), audioset.name(0)) == (527, "Speech")
    segments = load_vocabulary(shared_data / "odd" / "segment_vocabulary.csv")
    assert (len(segments), segments.name(7)) == (1000, "Car")

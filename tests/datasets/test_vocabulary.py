"""Names of classes, from the files of YouTube-8M and AudioSet."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from compress.datasets import FeatureSchema, load_vocabulary
from compress.datasets.vocabulary import ClassTexts, Vocabulary, read_class_texts, vocabulary_csv
from compress.errors import DataError, NotFoundError, SchemaError

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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "\ufeffindex,name\r\n1,dog\r\n0,cat\r\n\r\n"),
        ("a.csv", "Class_Name, Class_ID, size\ncat, 0, 9\ndog, 1, 8\n"),
        ("a.csv", "id,name\n0,cat\n1,dog\n"),
        ("a.txt", "cat\ndog\n"),
        ("a.txt.gz", "cat\r\ndog\r\n\r\n"),
    ],
)
def test_other_headers_and_lists_of_names_are_read(tmp_path: Path, name: str, text: str) -> None:
    assert dict(load_vocabulary(write(tmp_path / name, text)).names) == {0: "cat", 1: "dog"}


def test_audioset_has_other_column_names(tmp_path: Path) -> None:
    assert load_vocabulary(write(tmp_path / "a.csv", AUDIOSET)).name(0) == "Speech"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no columns for index and name .columns: none"),
        ("a,b\n1,2\n", "columns: a, b"),
        ("Index,Name\n", "names no classes"),
        ("Index,Name\n0\n", "line 2: has 1 columns instead of 2"),
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
    with pytest.raises(DataError, match="damaged or not a CSV file"):
        load_vocabulary(tmp_path / "cut.csv.gz")
    (tmp_path / "b.csv").write_bytes(b"Index,Name\n0,\xff\xfe\n")
    with pytest.raises(DataError, match="damaged or not a CSV file"):
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


def test_names_are_numbered_in_one_order_and_numbers_are_kept() -> None:
    assert read_class_texts(["dog", "cat", "dog", "7"]) == ClassTexts(
        {"7": 0, "cat": 1, "dog": 2}, ("7", "cat", "dog")
    )
    assert read_class_texts(["10", "2.0", "-1"]) == ClassTexts({"-1": -1, "10": 10, "2.0": 2})
    assert read_class_texts([]) == ClassTexts({})


def test_a_vocabulary_decides_by_name_and_by_code(tmp_path: Path) -> None:
    known = load_vocabulary(write(tmp_path / "v.csv", YOUTUBE))
    told = read_class_texts(["Game, the", "/m/b"], known, num_classes=8)
    assert told.numbers == {"Game, the": 0, "/m/b": 1}
    assert told.class_names == ("Game, the", "Video game", "", "", "", "", "", "/m/c")
    assert read_class_texts(["3", "0"], known) == ClassTexts({"0": 0, "3": 3})
    with pytest.raises(
        SchemaError, match=r"my\.csv: the label 'Video gam' .* \(and 1 more\); did you mean 'Video"
    ):
        read_class_texts(["Video gam", "zebra", "/m/a"], known, where="my.csv")
    with pytest.raises(SchemaError, match="the name 'x' belongs to several classes"):
        read_class_texts(["x"], Vocabulary({0: "x", 1: "x"}))


def test_a_vocabulary_is_written_as_it_is_read(tmp_path: Path) -> None:
    names = {0: 'say "hi", you', 3: "Zebra", 1: "naïve\ncase"}
    (tmp_path / "v.csv").write_bytes(vocabulary_csv(Vocabulary(names)))
    assert dict(load_vocabulary(tmp_path / "v.csv").names) == names


def test_class_names_are_kept_with_a_schema_and_do_not_change_it() -> None:
    plain = FeatureSchema("video", ("features",), (3,), 2, "id")
    named = replace(plain, class_names=("cat", "dog"))
    assert (plain == named, repr(plain) == repr(named)) == (True, True)
    assert "class_names" not in plain.to_json()
    assert FeatureSchema.from_json(named.to_json()).class_names == ("cat", "dog")
    with pytest.raises(SchemaError, match="1 class names for 2 classes"):
        replace(plain, class_names=("cat",))

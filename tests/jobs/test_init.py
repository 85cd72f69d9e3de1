"""`compress init` looks at the data: names of classes, vocabularies, one folder of everything, places."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from compress.datasets.table import load_table
from compress.datasets.vocabulary import load_vocabulary
from compress.description import Description
from compress.errors import CompressError, DataError, NotFoundError, SchemaError, UsageError
from compress.inspection import Asked, inspect
from compress.jobs.data import make_sample
from compress.jobs.init import create_workspace, next_command
from compress.jobs.sources import LabelledVideos, open_split
from compress.jobs.train import train_run
from compress.progress import Event, Note
from compress.training.checks import check_shards
from compress.training.recipes import default_encoder, train_config
from compress.workspace import Workspace, load_workspace

NAMES = ["zebra", "cat", "dog, big", ""]
IDS = [f"{'-' if number % 7 == 0 else 'v'}{number}" for number in range(60)]
FEATURES = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
FEATURES[8] = 2 * FEATURES[3]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty videos in a Parquet file, and their labels by name; the current folder."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "x.parquet", IDS)
    lines = [f'{name},"{NAMES[row % 4]}"\n' for row, name in enumerate(IDS)]
    (tmp_path / "labels.csv").write_text("id,labels\n" + "".join(lines))
    (tmp_path / "w").mkdir()
    return tmp_path


def write(path: Path, ids: list[str], labels: list[list[int]] | None = None) -> None:
    features = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(FEATURES[: len(ids)].reshape(-1)), 8)
    columns = {"id": ids, "features": features} | ({} if labels is None else {"labels": labels})
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def notes() -> tuple[list[str], object]:
    said: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    return said, report


def names_of(workspace: Workspace, split: str) -> dict[str, tuple[str, ...]]:
    """The names of the labels of each video of a split."""
    table = load_table(open_split(workspace, split, (), "fail"))
    return {
        name.decode(): tuple(table.schema.class_names[label] for label in table.labels[row])
        for row, name in enumerate(table.ids.tolist())
    }


def test_one_folder_of_everything_is_divided_and_names_are_numbered(data: Path) -> None:
    said, report = notes()
    made = create_workspace(
        data / "w",
        train=["x.parquet"],
        validate_fraction=0.3,
        description=Description(labels="labels.csv", label_separator="none"),
        report=report,  # type: ignore[arg-type]
    )
    assert made == load_workspace(data / "w")
    assert made.vocabulary is not None
    assert dict(load_vocabulary(made.vocabulary).names) == {0: "cat", 1: "dog, big", 2: "zebra"}
    train, validate = names_of(made, "train"), names_of(made, "validate")
    assert {**train, **validate} == {
        name: tuple(filter(None, [NAMES[row % 4]])) for row, name in enumerate(IDS)
    }
    assert not set(train) & set(validate)
    assert f"{len(train)} videos to train on, {len(validate)} to measure on" in said
    assert "the labels are names: 3 classes, written to vocabulary.csv" in said


def test_the_split_holds_for_tables_and_not_for_shards_that_are_given(data: Path) -> None:
    write(data / "y.parquet", IDS, [[row % 3] for row in range(60)])
    made = create_workspace(data / "w", train=["y.parquet"], validate_fraction=0.3)
    schema = open_split(made, "train", (), "fail").schema
    own = LabelledVideos(made, (), "fail", lambda event: None)
    sides = [len(own.load(split, schema)) for split in ("train", "validate")]
    assert sum(sides) == 60
    assert min(sides) > 5
    given = LabelledVideos(made, [str(data / "y.parquet")], "fail", lambda event: None)
    assert len(given.load("validate", schema)) == 60
    assert len(load_table(open_split(made, "validate", [str(data / "y.parquet")], "fail"))) == 60


def test_near_duplicates_are_on_one_side(data: Path) -> None:
    write(data / "y.parquet", IDS, [[row % 3] for row in range(60)])
    made = create_workspace(data / "w", train=["y.parquet"], validate_fraction=0.3, group_duplicates=0.999)
    assert made.near_duplicates is not None
    assert made.near_duplicates.read_text() == "id,group\nv3,v3\nv8,v3\n"
    side = [{"v3", "v8"} & set(names_ids(made, split)) for split in ("train", "validate")]
    assert sorted(map(len, side)) == [0, 2]


def names_ids(workspace: Workspace, split: str) -> list[str]:
    return [name.decode() for name in load_table(open_split(workspace, split, (), "fail")).ids.tolist()]


def test_the_number_of_classes_is_that_of_both_splits(data: Path) -> None:
    write(data / "t.parquet", IDS[:10], [[row % 3] for row in range(10)])
    write(data / "v.parquet", IDS[10:20], [[row % 5] for row in range(10)])
    made = create_workspace(data / "w", train=["t.parquet"], validate=["v.parquet"])
    assert made.num_classes == 5
    assert [
        load_table(open_split(made, split, (), "fail")).labels.num_classes for split in ("train", "validate")
    ] == [5, 5]


@pytest.mark.parametrize(
    ("names", "classes", "num_classes", "note"),
    [
        ({0: "a", 1: "b", 2: "c"}, None, 3, ""),
        ({0: "a", 1: "b", 2: "c", 3: "d"}, None, 4, ""),
        ({0: "a", 2: "c"}, None, 3, "1 of 3 classes have no name, and show their number: 1"),
        ({0: "a"}, 9, 9, "8 of 9 classes have no name, and show their number: 1, 2, 3, 4, 5, ..."),
    ],
)
def test_a_vocabulary_is_compared_with_the_data(
    data: Path, names: dict[int, str], classes: int | None, num_classes: int, note: str
) -> None:
    write(data / "t.parquet", IDS, [[row % 3] for row in range(60)])
    (data / "v.csv").write_text(
        "index,name\n" + "".join(f"{number},{name}\n" for number, name in names.items())
    )
    said, report = notes()
    made = create_workspace(
        data / "w",
        train=["t.parquet"],
        validate=["t.parquet"],
        vocabulary=Path("v.csv"),
        num_classes=classes,
        report=report,  # type: ignore[arg-type]
    )
    assert (made.num_classes, [one for one in said if "no name" in one]) == (
        num_classes,
        [note] if note else [],
    )
    assert made.vocabulary == data / "w" / ".." / "v.csv"


@pytest.mark.parametrize(
    ("vocabulary", "error", "message"),
    [
        ("index,name\n0,a\n0,b\n", DataError, "line 3: index 0 occurs twice"),
        ("a,b\n", DataError, r"no columns for index and name .*; a vocabulary has the columns"),
        ("index,name\n7,a\n", SchemaError, "names classes up to 7, but the data have 3, .* --num-classes 8"),
    ],
)
def test_a_wrong_vocabulary_is_refused_at_once(
    data: Path, vocabulary: str, error: type[CompressError], message: str
) -> None:
    write(data / "t.parquet", IDS, [[row % 3] for row in range(60)])
    (data / "v.csv").write_text(vocabulary)
    with pytest.raises(error, match=message):
        create_workspace(
            data / "w", train=["t.parquet"], validate=["t.parquet"], vocabulary=Path("v.csv"), num_classes=3
        )
    assert list((data / "w").iterdir()) == []


def test_labels_are_read_by_a_vocabulary_that_is_given(data: Path) -> None:
    (data / "v.csv").write_text('index,name\n2,cat\n1,"dog, big"\n0,zebra\n')
    said = Description(labels="labels.csv")
    made = create_workspace(
        data / "w", train=["x.parquet"], validate_fraction=0.3, vocabulary=Path("v.csv"), description=said
    )
    assert open_split(made, "train", (), "fail").schema.class_names == ("zebra", "dog, big", "cat")
    (data / "v.csv").write_text('index,name\n0,zebra\n1,"dog, big"\n')
    with pytest.raises(SchemaError, match=r"labels\.csv: the label 'cat' is not among the 2 names"):
        create_workspace(
            data, train=["x.parquet"], validate_fraction=0.3, vocabulary=Path("v.csv"), description=said
        )


def test_videos_without_labels_make_a_workspace(data: Path) -> None:
    said, report = notes()
    made = create_workspace(data / "w", train=["x.parquet"], validate=["x.parquet"], report=report)  # type: ignore[arg-type]
    assert made.num_classes is None
    assert "the videos have no labels; pca and random_projection need none" in said


@pytest.mark.parametrize(
    "place", ["x.parquet", "../x.parquet", "~/x.parquet", "{}/x.parquet", "[x].parquet", ".."]
)
def test_a_place_is_found_from_the_workspace_or_from_here(
    data: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("HOME", str(data))
    create_workspace(data / "w", train=[place.format(data)], validate_fraction=0.5, num_classes=1)
    monkeypatch.chdir("/")
    assert [
        path.resolve() for path in open_split(load_workspace(data / "w"), "train", (), "fail").shards
    ] == [data / "x.parquet"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {},
            UsageError,
            "which videos are to measure on; give --validate 'PATTERN', or --validate-fraction 0.1",
        ),
        ({"validate": ["x.parquet"], "validate_fraction": 0.1}, UsageError, "leave one of the two out"),
        ({"validate_fraction": 1.5}, UsageError, "--validate-fraction: must be above 0, below 1"),
        (
            {"validate": ["x.parquet"], "group_duplicates": 0.9},
            UsageError,
            "give --validate-fraction 0.1 too",
        ),
        ({"validate_fraction": 0.1, "group_duplicates": 2.0}, UsageError, "--group-duplicates: is a cosine"),
        ({"validate_fraction": 1e-9}, UsageError, "of 60 videos 0 would be to measure on"),
        (
            {"validate": ["none*"]},
            NotFoundError,
            r"none\*: no file matches; there is none in .*/w, nor in the",
        ),
    ],
)
def test_splits_that_cannot_be_are_refused(
    data: Path, options: dict, error: type[CompressError], message: str
) -> None:
    with pytest.raises(error, match=message):
        create_workspace(data / "w", train=["x.parquet"], num_classes=1, **options)
    assert list((data / "w").iterdir()) == []


def test_inspection_shows_names_of_classes_and_ids_without_a_partner(data: Path) -> None:
    with (data / "labels.csv").open("a") as more:
        more.write("nowhere,cat\n")
    said = Description(labels="labels.csv", label_separator="none")
    facts = inspect(str(data / "x.parquet"), Asked(description=said)).facts
    assert facts["class names"] == ["cat", "dog, big", "zebra"]
    assert facts["labels and ids"] == ["1 of 61 ids of labels.csv are no video here: nowhere"]


@pytest.mark.parametrize("dim", [1, 2, 4, 16, 128, 320, 321])
def test_the_next_command_fits_the_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dim: int) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", x=np.ones((4, dim), np.float32), y=np.array([0, 1, 0, 1]))
    made = create_workspace(tmp_path, train=["x.npz"], validate=["x.npz"])
    words = shlex.split(str(next_command(made)))
    assert words[:3] == ["compress", "train", "--dim"]
    assert words[4:] == []
    size = int(words[3])
    assert size == 320 if dim > 320 else size <= max(1, dim / 2)
    schema = open_split(made, "train", (), "fail").schema
    check_shards(train_config(default_encoder(size), size), schema, schema)


def test_the_next_command_without_labels_and_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", FEATURES)
    made = create_workspace(tmp_path / "a b", train=["x.npy"], validate=["x.npy"])
    assert next_command(made) == "compress train --encoder pca --dim 4 --workspace 'a b'"
    assert train_run(made, encoder="pca", dim=4).name == "pca-4"
    np.savez("frames.npz", x=np.ones((4, 3, 8), np.float32), y=np.array([0, 1, 0, 1]))
    made = create_workspace(tmp_path / "f", train=["frames.npz"], validate=["frames.npz"])
    assert next_command(made) == "compress train --encoder frame_statistics --dim 4 --workspace f"
    np.savez("bare.npz", x=np.ones((4, 3, 8), np.float32))
    made = create_workspace(tmp_path / "b", train=["bare.npz"], validate=["bare.npz"])
    assert next_command(made) is None, "nothing learns from frames alone"


def test_a_number_of_classes_that_is_taken_from_names_of_features_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_sample(tmp_path, videos=20, num_classes=12)
    names = {"train": ["train*.tfrecord"], "validate": ["validate*.tfrecord"]}
    said, report = notes()
    made = create_workspace(tmp_path, **names, vocabulary=Path("vocabulary.csv"), report=report)
    assert made.num_classes == 3862
    (advice,) = (text for text in said if "published data set" in text)
    assert advice.endswith("for other data write num_classes = 12 into compress.toml")
    settings = tmp_path / "compress.toml"
    settings.write_text(settings.read_text().replace("num_classes = 3862", "num_classes = 12"))
    assert open_split(load_workspace(tmp_path), "train", (), "fail").schema.num_classes == 12

    settings.unlink()
    said.clear()
    create_workspace(tmp_path, **names, num_classes=12, report=report)
    assert not said

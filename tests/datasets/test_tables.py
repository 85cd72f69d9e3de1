"""Tables as people have them: Parquet of pandas and pyarrow, Feather, streams and folders of `datasets`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress.datasets.record import FrameRecord
from compress.datasets.source import Source, open_source
from compress.description import Description
from compress.errors import CompressError, DataError, SchemaError
from tests.datasets.messages import records, told

pa = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
pd = pytest.importorskip("pandas", reason="pandas is not installed")
import pyarrow.feather  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

ROWS, DIM = 12, 5
FEATURES = np.random.default_rng(0).standard_normal((ROWS, DIM)).astype("<f4")
IDS = [f"v{row:02d}" for row in range(ROWS)]
LABELS = [sorted({row % 4, row % 3}) for row in range(ROWS)]
LABELS[4] = []
FIRST = [row % 3 for row in range(ROWS)]
NAMES = ["cat", "dog", "eel"]


def opened(*patterns: Path, **options: Any) -> Source:
    names = ("features", "id", "labels", "level", "label_separator")
    said = {key: options.pop(key) for key in names if key in options}
    return open_source([str(pattern) for pattern in patterns], description=Description(**said), **options)


def frame(**columns: Any) -> Any:
    """A pandas frame of ids, features and labels; None leaves a column out."""
    every = {"id": IDS, "features": list(FEATURES), "labels": LABELS, **columns}
    return pd.DataFrame({name: values for name, values in every.items() if values is not None})


def renamed(**names: str) -> Any:
    return frame().rename(columns=names)


def columns_of_pandas(**columns: Any) -> Callable[[Path], Path]:
    return lambda folder: written(frame(**columns), folder)


def written(table: Any, folder: Path) -> Path:
    table.to_parquet(folder / "a.parquet")
    return folder / "a.parquet"


def table(**columns: Any) -> Callable[[Path], Path]:
    every = {"id": IDS, "features": FEATURES.tolist(), "labels": LABELS, **columns}

    def write(folder: Path) -> Path:
        pq.write_table(pa.table(every), folder / "a.parquet", row_group_size=5)
        return folder / "a.parquet"

    return write


def fixed(values: np.ndarray) -> Any:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def wide(folder: Path) -> Path:
    found = pd.DataFrame(FEATURES, columns=[f"f{at}" for at in range(DIM)])[["f3", "f1", "f0", "f2", "f4"]]
    return written(found.assign(id=IDS, labels=LABELS), folder)


def numbered(folder: Path) -> Path:
    found = pd.DataFrame(FEATURES)
    found.columns = found.columns.astype(str)
    return written(found.assign(video_id=IDS, label=LABELS), folder)


def feather(folder: Path) -> Path:
    pyarrow.feather.write_feather(frame(), folder / "a.feather", chunksize=5)
    return folder / "a.feather"


def stream(folder: Path, data: Any = None, name: str = "data-00000-of-00001.arrow") -> Path:
    """As the library `datasets` saves a data set."""
    data = pa.table({"id": IDS, "features": FEATURES.tolist(), "labels": LABELS}) if data is None else data
    with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, data.schema) as writer:
        writer.write_table(data, max_chunksize=5)
    for beside in ("dataset_info.json", "state.json"):
        (folder / beside).write_text("{}")
    return folder


WRITERS: list[tuple[str, Callable[[Path], Path]]] = [
    ("pandas", columns_of_pandas()),
    ("index of pandas", lambda folder: written(frame().set_index("id"), folder)),
    ("index without a name", lambda folder: written(frame().set_index("id").rename_axis(None), folder)),
    ("other names", lambda f: written(renamed(features="embedding", id="video_id", labels="label"), f)),
    ("capitals", lambda f: written(renamed(features="Embeddings", id="Video_ID", labels="Label"), f)),
    ("categories", columns_of_pandas(id=pd.Categorical(IDS))),
    ("multi-hot", columns_of_pandas(labels=[[int(c in row) for c in range(4)] for row in LABELS])),
    ("missing labels", columns_of_pandas(labels=[row or None for row in LABELS])),
    ("wide", wide),
    ("numbered", numbered),
    ("fixed size", table(features=fixed(FEATURES))),
    ("large lists", table(features=pa.array(FEATURES.tolist(), pa.large_list(pa.float32())))),
    ("halves in large lists", table(labels=pa.array(LABELS, pa.large_list(pa.int8())))),
    ("string views", table(id=pa.array(IDS, pa.string_view()))),
    ("bytes", table(id=pa.array([name.encode() for name in IDS], pa.large_binary()))),
    ("feather", feather),
    ("stream of arrow", stream),
]  # fmt: skip


@pytest.mark.parametrize("write", [case[1] for case in WRITERS], ids=[case[0] for case in WRITERS])
def test_every_way_to_write_a_table_gives_the_same_records(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    source = opened(write(tmp_path))
    assert (source.schema.level, source.schema.names, source.schema.dims) == ("video", ("features",), (DIM,))
    assert source.schema.num_classes == 4
    found = records(source)
    assert [record.video_id.decode() for record in found] == IDS
    assert [record.labels.tolist() for record in found] == LABELS
    np.testing.assert_array_equal([record.features for record in found], FEATURES)
    assert told(source) == [], "nothing is left and nothing assumed"


LABEL_KINDS: list[tuple[str, Any, list[list[int]], int]] = [
    ("one number", FIRST, [[label] for label in FIRST], 3),
    ("one float, missing", [np.nan, *map(float, FIRST[1:])], [[], *([label] for label in FIRST[1:])], 3),
    ("one name", [NAMES[label] for label in FIRST], [[label] for label in FIRST], 3),
    ("a category", pd.Categorical([NAMES[label] for label in FIRST]), [[label] for label in FIRST], 3),
    ("lists of names", [[NAMES[label]] * 2 for label in FIRST], [[label] for label in FIRST], 3),
    (
        "names in one text",
        ["|".join(NAMES[:label]) for label in FIRST],
        [[*range(label)] for label in FIRST],
        2,
    ),
    ("numbers in one text", [" ".join(map(str, row)) for row in LABELS], LABELS, 4),
    ("booleans", [label > 0 for label in FIRST], [[int(label > 0)] for label in FIRST], 2),
]


@pytest.mark.parametrize(
    ("labels", "wanted", "classes"), [case[1:] for case in LABEL_KINDS], ids=[case[0] for case in LABEL_KINDS]
)
def test_labels_are_numbers_or_names(
    labels: Any, wanted: list[list[int]], classes: int, tmp_path: Path
) -> None:
    source = opened(written(frame(labels=labels), tmp_path))
    assert [record.labels.tolist() for record in records(source)] == wanted
    assert source.schema.num_classes == classes
    if source.schema.class_names:
        assert source.schema.class_names == tuple(NAMES[:classes])


def test_files_that_hold_other_names_share_one_numbering(tmp_path: Path) -> None:
    for file, name in (("a", "dog"), ("b", "cat")):
        frame(labels=[name] * ROWS, id=[f"{file}{row}" for row in range(ROWS)]).to_parquet(
            tmp_path / f"{file}.parquet"
        )
    source = opened(tmp_path)
    assert source.schema.class_names == ("cat", "dog")
    assert [row.labels.tolist() for row in records(source)] == [[1]] * ROWS + [[0]] * ROWS


def test_a_label_separator_is_used(tmp_path: Path) -> None:
    path = written(frame(labels=["a cat, a dog"] * ROWS), tmp_path)
    with pytest.raises(SchemaError, match="--label-separator ','"):
        opened(path)
    assert opened(path, label_separator=",").schema.class_names == ("a cat", "a dog")
    assert opened(path, label_separator="none").schema.class_names == ("a cat, a dog",)


def test_whole_numbers_are_ids_and_rows_without_ids_are_named(tmp_path: Path) -> None:
    assert [row.video_id for row in records(opened(written(frame(id=range(ROWS)), tmp_path)))][:2] == [
        b"0",
        b"1",
    ]
    source = opened(written(frame(id=None), tmp_path))
    assert records(source)[3].video_id.decode() == f"{tmp_path.name}/a-3"
    assert told(source)[0].startswith("the files hold no ids: made of the folder, name of the file and row")


def test_nested_lists_are_frames(tmp_path: Path) -> None:
    lengths = [row % 3 + 1 for row in range(ROWS)]
    frames = [FEATURES[:length] for length in lengths]
    for kind in (pa.list_(pa.list_(pa.float32())), pa.large_list(pa.list_(pa.float64(), DIM))):
        source = opened(table(features=pa.array([each.tolist() for each in frames], kind))(tmp_path))
        assert (source.schema.level, source.schema.names, source.schema.float_frames) == (
            "frame",
            ("frames",),
            True,
        )
        for record, wanted in zip(records(source), frames, strict=True):
            assert isinstance(record, FrameRecord)
            np.testing.assert_array_equal(record.frames, wanted)


def test_codes_of_frames_stay_bytes(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (ROWS, 2, DIM), dtype=np.uint8)
    source = opened(table(features=pa.array(codes.tolist(), pa.list_(pa.list_(pa.uint8()))))(tmp_path))
    assert not source.schema.float_frames
    np.testing.assert_array_equal([record.frames for record in records(source)], codes)


def test_what_is_not_used_is_named_once_and_options_choose(tmp_path: Path) -> None:
    extra = {"title": IDS, "clip": list(FEATURES * 2), "tag": FIRST}
    frame(**extra).to_parquet(tmp_path / "a.parquet")
    frame(**extra, id=[name + "b" for name in IDS]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(SchemaError, match="labels and tag could both be meant; say which: --labels labels"):
        opened(tmp_path)
    (left,) = told(opened(tmp_path, labels="labels"))
    assert left.startswith("not used: title (")
    assert "clip (list<element: float>), tag (int64); --features, --id and --labels" in left
    chosen = opened(tmp_path / "a.parquet", features=("clip",), labels="tag", id="title")
    assert (chosen.schema.names, chosen.schema.num_classes) == (("clip",), 3)
    np.testing.assert_array_equal([record.features for record in records(chosen)], FEATURES * 2)


def test_features_of_several_columns_are_asked_for_and_the_hint_works(tmp_path: Path) -> None:
    path = written(frame(features=None, clip=list(FEATURES), i3d=list(FEATURES[:, :2])), tmp_path)
    with pytest.raises(
        SchemaError, match=r"clip \(5\), i3d \(2\); say which, in order, such as --features clip,i3d"
    ):
        opened(path)
    assert opened(path, features=("clip",)).schema.names == ("clip",)
    assert opened(path, features=("clip", "i3d")).schema.dim == DIM + 2
    source = opened(path, features=("i3d", "clip"))
    assert (source.schema.names, source.schema.dims) == (("i3d", "clip"), (2, DIM))
    np.testing.assert_array_equal(records(source)[1].features, [*FEATURES[1, :2], *FEATURES[1]])


def test_published_features_keep_their_names_and_order(tmp_path: Path) -> None:
    path = written(frame(features=None, mean_audio=list(FEATURES[:, :2]), mean_rgb=list(FEATURES)), tmp_path)
    schema = opened(path).schema
    assert (schema.names, schema.dims) == (("mean_rgb", "mean_audio"), (DIM, 2))


def test_numbered_columns_are_one_feature_by_their_common_name(tmp_path: Path) -> None:
    two = {f"{name}_{at}": FEATURES[:, at] for name in ("a", "b") for at in range(DIM)}
    path = written(frame(features=None, **two), tmp_path)
    with pytest.raises(SchemaError, match=r"a_0\.\.a_4 \(5\), b_0\.\.b_4 \(5\)"):
        opened(path)
    for name in ("b_", "b_0..b_4"):
        np.testing.assert_array_equal(
            [row.features for row in records(opened(path, features=(name,)))], FEATURES
        )


def test_partitions_of_folders_are_columns(tmp_path: Path) -> None:
    named = frame(labels=None, label=[NAMES[label] for label in FIRST])
    named.to_parquet(tmp_path / "spark.parquet", partition_cols=["label"])
    (tmp_path / "spark.parquet/_SUCCESS").touch()
    source = opened(tmp_path / "spark.parquet")
    assert source.schema.class_names == tuple(NAMES)
    assert {row.video_id.decode(): row.labels.tolist() for row in records(source)} == {
        name: [label] for name, label in zip(IDS, FIRST, strict=True)
    }


def test_a_partition_is_named_from_within_its_folder_and_counts_in_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = set()
    for name in ("cat", "dog"):
        (tmp_path / f"label={name}").mkdir()
        written(frame(labels=None), tmp_path / f"label={name}")
        monkeypatch.chdir(tmp_path / f"label={name}")
        source = opened(Path("a.parquet"))
        assert source.schema.class_names == (name,)
        prints.add(source.fingerprint())
    assert len(prints) == 2, "the files are the same, their labels are not"


def test_class_names_of_a_dataset_keep_their_numbers_unless_a_vocabulary_says_otherwise(
    tmp_path: Path,
) -> None:
    info = {"label": {"names": ["eel", "cat", "dog", "fox"], "_type": "ClassLabel"}}
    data = pa.table({"video_id": IDS, "embedding": FEATURES.tolist(), "label": [-1, *FIRST[1:]]})
    data = data.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": info}})})
    source = opened(stream(tmp_path, data))
    assert source.schema.class_names == ("eel", "cat", "dog", "fox")
    assert [row.labels.tolist() for row in records(source)] == [[], *([label] for label in FIRST[1:])]
    run = opened(written(frame(labels=[NAMES[label] for label in FIRST]), tmp_path)).schema
    again = opened(tmp_path / "data-00000-of-00001.arrow", schema=run)
    assert [row.labels.tolist() for row in records(again)][:3] == [[], [0], [1]], (
        "cat and dog of cat, dog, eel"
    )


def test_folders_of_a_dataset_are_read_by_split(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        stream(tmp_path / split)
    (tmp_path / "dataset_dict.json").write_text("{}")
    assert len(records(opened(tmp_path / "train"))) == ROWS


REFUSED: list[tuple[str, Callable[[Path], Path], str]] = [
    ("no features", columns_of_pandas(features=None), r"no features.*present: id \(large_string\)"),
    ("texts", columns_of_pandas(features=IDS), "'features' holds large_string; float16, float32 or float64"),
    ("whole numbers", columns_of_pandas(features=[[1, 2]] * ROWS), "int64>; .*convert them to float32"),
    ("floats as ids", columns_of_pandas(id=FEATURES[:, 0]), "'id' holds float; a text or a whole number"),
    ("structs", table(features=[{"a": 1.0}] * ROWS), "'features' holds struct"),
    ("scores", columns_of_pandas(labels=[[0.1, 0.9]] * ROWS), "scores; write 1 for each class"),
    ("missing in a list", columns_of_pandas(labels=[[1, None]] * ROWS), "not whole numbers|missing value"),
    ("no rows", lambda folder: written(frame().iloc[:0], folder), "'features' holds null"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("write", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_table_that_cannot_be_read_is_refused_with_a_reason(
    write: Callable[[Path], Path], words: str, tmp_path: Path
) -> None:
    with pytest.raises((SchemaError, DataError), match=words):
        opened(write(tmp_path), num_classes=3)


def test_an_arrow_file_that_is_damaged_is_said_to_be(tmp_path: Path) -> None:
    path = feather(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="damaged or not an Arrow file"):
        opened(path)
    (tmp_path / "text.arrow").write_bytes(b"hello hello hello")
    with pytest.raises(DataError, match="damaged or not an Arrow file"):
        opened(tmp_path / "text.arrow")


def test_a_row_that_is_missing_or_not_finite_is_named_or_left_out(tmp_path: Path) -> None:
    values: list[Any] = FEATURES.tolist()
    values[2], values[5][0], values[7] = None, None, values[7][:-1]
    path = table(features=pa.array(values, pa.list_(pa.float32())))(tmp_path)
    with pytest.raises(CompressError, match="row 2, id v02: has 0 features, 5 expected"):
        records(opened(path))
    source = opened(path, on_corrupt="skip")
    assert len(records(source)) == ROWS - 3
    assert [skipped.record for skipped in source.skipped] == [2, 5, 7]

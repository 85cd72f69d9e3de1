"""Feature vectors from .npy, HDF5 and Parquet: what is read, what is refused, and the way to TFRecord."""

from __future__ import annotations

import builtins
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from compress.datasets.export import write_shards
from compress.datasets.formats import FORMATS, format_of, suffixes
from compress.datasets.record import VideoRecord
from compress.datasets.source import Source, open_source
from compress.errors import (
    CompressError,
    CorruptShardError,
    DataError,
    NotFoundError,
    RecordError,
    SchemaError,
    UnavailableError,
    UsageError,
)
from compress.progress import Event, Note

pyarrow = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
import pyarrow.feather as pf  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

ROWS, DIM = 2500, 6  # more than two blocks of reading
LABELS = [sorted({row % 7, row % 3}) for row in range(ROWS)]
LABELS[5] = []
IDS = [f"vidéo {row}" for row in range(ROWS)]
FEATURES = np.random.default_rng(0).standard_normal((ROWS, DIM))


def opened(path: Path, **options: Any) -> Source:
    return open_source([str(path)], **options)


def write_npy(folder: Path, features: np.ndarray = FEATURES) -> Path:
    path = folder / "mine.npy"
    np.save(path, features)
    return path


def write_csv(folder: Path, ids: list[str] = IDS, labels: list[list[int]] = LABELS) -> Path:
    path = folder / "mine.labels.csv"
    rows = [f"{name},{' '.join(map(str, row))}" for name, row in zip(ids, labels, strict=True)]
    path.write_text("\n".join(["id,labels", *rows]) + "\n", encoding="utf-8")
    return path


def packed() -> tuple[np.ndarray, np.ndarray]:
    return np.cumsum([0, *map(len, LABELS)]), np.concatenate(LABELS).astype(np.int32)


def write_npz(folder: Path, **changes: Any) -> Path:
    indptr, indices = packed()
    path = folder / "mine.labels.npz"
    arrays = {"indptr": indptr, "indices": indices, "ids": np.array(IDS), **changes}
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def write_hdf5(folder: Path, name: str = "features", features: np.ndarray = FEATURES) -> Path:
    path = folder / "mine.h5"
    indptr, indices = packed()
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=features, chunks=True, compression="gzip", shuffle=True)
        file["ids"] = np.array([text.encode() for text in IDS])
        file["labels/indptr"], file["labels/indices"] = indptr, indices
    return path


def write_parquet(folder: Path, features: Any = None, **columns: Any) -> Path:
    path = folder / "mine.parquet"
    if features is None:
        features = pyarrow.array(FEATURES.tolist(), pyarrow.list_(pyarrow.float64(), DIM))
    table = {"id": IDS, "features": features, "labels": LABELS, **columns}
    pq.write_table(
        pyarrow.table({name: value for name, value in table.items() if value is not None}),
        path,
        row_group_size=900,
    )
    return path


def npy_with_csv(folder: Path) -> Path:
    write_csv(folder)
    return write_npy(folder)


def npy_with_npz(folder: Path) -> Path:
    write_npz(folder)
    return write_npy(folder)


def parquet_of_variable_lists(folder: Path) -> Path:
    return write_parquet(folder, pyarrow.array(FEATURES.tolist(), pyarrow.list_(pyarrow.float32())))


def npz_columns(folder: Path) -> Path:
    hot = np.zeros((ROWS, 7), bool)
    for row, labels in zip(hot, LABELS, strict=True):
        row[labels] = True
    np.savez_compressed(folder / "mine.npz", features=FEATURES, ids=np.array(IDS), labels=hot)
    return folder / "mine.npz"


def tensor_with_csv(folder: Path) -> Path:
    write_csv(folder)
    torch.save(torch.tensor(FEATURES), folder / "mine.pt")
    return folder / "mine.pt"


def write_feather(folder: Path) -> Path:
    table = pyarrow.table({"id": IDS, "features": FEATURES.tolist(), "labels": LABELS})
    pf.write_feather(table, folder / "mine.feather", chunksize=900)
    return folder / "mine.feather"


EVERY_FORMAT = [
    *(npy_with_csv, npy_with_npz, npz_columns, write_hdf5, tensor_with_csv),
    *(write_parquet, parquet_of_variable_lists, write_feather),
]


@pytest.mark.parametrize("write", EVERY_FORMAT)
def test_every_format_gives_the_same_records(write: Callable[[Path], Path], tmp_path: Path) -> None:
    path = write(tmp_path)
    source = opened(path)
    assert (source.schema.level, source.schema.names, source.schema.dims) == ("video", ("features",), (DIM,))
    assert source.schema.num_classes == 7
    assert source.shards == (path,)
    records = list(source.read(path))
    assert [record.video_id.decode() for record in records] == IDS
    assert [record.labels.tolist() for record in records] == LABELS
    assert all(record.labels.dtype == np.int32 for record in records)
    got = np.stack([record.features for record in records])
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, FEATURES.astype(np.float32))


def test_every_format_of_arrays_is_among_those_tested(tmp_path: Path) -> None:
    written = {format_of(write(tmp_path)).name for write in EVERY_FORMAT}
    assert written == {each.name for each in FORMATS if each.kind == "arrays"}


def test_a_suffix_belongs_to_one_format_in_any_case() -> None:
    assert len(set(suffixes())) == len(suffixes())
    for each in FORMATS:
        for suffix in each.suffixes:
            assert format_of(Path(f"a{suffix}")) is format_of(Path(f"b{suffix.upper()}")) is each
    assert format_of(Path("train-00000-of-00100")).name == "TFRecord"


def test_arrays_of_several_formats_are_one_source(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.h5", "b.parquet", "c.npy")]
    for path, write in zip(paths, (write_hdf5, write_parquet, write_npy), strict=True):
        write(tmp_path).rename(path)
    write_csv(tmp_path).rename(tmp_path / "c.labels.csv")
    source = open_source([f"{tmp_path}/*.h5", f"{tmp_path}/*.parquet", f"{tmp_path}/*.npy"])
    assert source.shards == tuple(paths)
    assert [sum(1 for _ in source.read(path)) for path in paths] == [ROWS] * 3


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f8"])
@pytest.mark.parametrize("write", [write_npy, lambda f, features: write_hdf5(f, "embeddings", features)])
def test_floats_of_every_width_and_byte_order_become_float32(
    write: Callable[..., Path], dtype: str, tmp_path: Path
) -> None:
    features = FEATURES.astype(dtype)
    path = write(tmp_path, features=features)
    got = np.stack([record.features for record in opened(path, num_classes=7).read(path)])
    assert got.dtype == np.dtype(np.float32)
    np.testing.assert_array_equal(got, features.astype(np.float32))


def test_half_floats_of_parquet_become_float32(tmp_path: Path) -> None:
    features = FEATURES.astype(np.float16)
    column = pyarrow.array(list(features), pyarrow.list_(pyarrow.float16()))
    path = write_parquet(tmp_path, column)
    got = np.stack([record.features for record in opened(path).read(path)])
    np.testing.assert_array_equal(got, features.astype(np.float32))


def test_rows_without_ids_and_labels_are_named_by_file_and_row(tmp_path: Path) -> None:
    for path in (write_npy(tmp_path), write_parquet(tmp_path, id=None, labels=None)):
        records = list(opened(path, num_classes=4).read(path))
        assert records[7].video_id.decode() == f"{tmp_path.name}/mine-7"
        assert not len(records[7].labels)
        assert len({record.video_id for record in records}) == ROWS


def test_a_labels_file_that_is_named_is_used_and_counts_in_the_fingerprint(tmp_path: Path) -> None:
    path, other = write_npy(tmp_path), tmp_path / "other.csv"
    write_csv(tmp_path).rename(other)
    source = opened(path, labels=other)
    assert source.fingerprint() != opened(path, num_classes=7).fingerprint()
    assert next(source.read(path)).labels.tolist() == LABELS[0]


def test_no_more_than_a_block_of_a_large_file_is_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(200_000, 512)).flush()
    tracemalloc.start()
    records = opened(path, num_classes=2).read(path)
    for _ in range(5000):
        next(records)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6, "the file has 400 MB"


def int_features(folder: Path) -> Path:
    return write_npy(folder, np.ones((3, 2), dtype=np.int8))


def stored_codes(folder: Path) -> Path:
    return write_hdf5(folder, "embeddings", np.ones((ROWS, 2), dtype=np.uint8))


def cut_npy(folder: Path) -> Path:
    path = write_npy(folder)
    path.write_bytes(path.read_bytes()[:-10])
    return path


def pickled_npy(folder: Path) -> Path:
    path = folder / "mine.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return path


def text(name: str, content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(content)
        return folder / name

    return write


def csv_file(content: str | bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        data = content.encode() if isinstance(content, str) else content
        (folder / "mine.labels.csv").write_bytes(data)
        return write_npy(folder, np.ones((2, 3)))

    return write


def npz_file(**changes: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        write_npz(folder, **changes)
        return write_npy(folder)

    return write


def hdf5_file(change: Callable[[h5py.File, Path], None]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = write_hdf5(folder)
        with h5py.File(path, "a") as file:
            change(file, folder)
        return path

    return write


def replaced(name: str, value: Any) -> Callable[[h5py.File, Path], None]:
    def change(file: h5py.File, folder: Path) -> None:
        del file[name]
        if value is not None:
            file[name] = value

    return change


def external_link(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "secret.h5", "w") as other:
        other["features"] = FEATURES
    del file["features"]
    file["features"] = h5py.ExternalLink("secret.h5", "/features")


def two_features(file: h5py.File, folder: Path) -> None:
    file["embeddings"] = FEATURES


def ids_as_group(file: h5py.File, folder: Path) -> None:
    del file["ids"]
    file.create_group("ids")


def external_data(file: h5py.File, folder: Path) -> None:
    del file["features"]
    (folder / "raw").write_bytes(bytes(ROWS * 8))
    file.create_dataset("features", (ROWS, 1), "f8", external=[(str(folder / "raw"), 0, ROWS * 8)])


def virtual_data(file: h5py.File, folder: Path) -> None:
    del file["features"]
    layout = h5py.VirtualLayout((ROWS, DIM), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "features", (ROWS, DIM))
    file.create_virtual_dataset("features", layout)


REFUSED: list[tuple[str, Callable[[Path], Path], type[CompressError], str]] = [
    ("integers", int_features, SchemaError, r"int8 \(N, 2\); float16, float32 or float64 expected"),
    ("codes", stored_codes, SchemaError, "stored codes need decoding first"),
    ("texts", lambda f: write_npy(f, np.array(["a"])), SchemaError, r"'features' holds <U1 \(N\)"),
    ("no rows", lambda f: write_npy(f, np.ones((0, 4))), DataError, "no rows"),
    ("no columns", lambda f: write_npy(f, np.ones((4, 0))), SchemaError, r"float64 \(N, 0\)"),
    ("complex", lambda f: write_npy(f, np.ones((4, 2), complex)), SchemaError, "complex128"),
    ("cut", cut_npy, DataError, "it was cut"),
    ("pickle", pickled_npy, DataError, "Python objects"),
    ("not npy", text("mine.npy", "PK\3\4 something"), SchemaError, "not a .npy file"),
    ("no C", write_npy, SchemaError, "give --num-classes N, or write num_classes = N into"),
    ("two sidecars", lambda f: (write_csv(f), npy_with_npz(f))[1], SchemaError, "both mine.labels.csv and"),
    ("csv columns", csv_file("who,what\na,1\nb,2\n"), SchemaError, "the columns are who,what"),
    ("csv empty", csv_file(""), SchemaError, "is empty"),
    ("csv words", csv_file("id,labels\na,1\nb,2 dogs\n"), SchemaError, "cannot tell whether '2 dogs'"),
    ("csv commas", csv_file("id,labels\na,1,2\nb,2\n"), SchemaError, "line 2: 3 columns"),
    ("csv short", csv_file("id,labels\na,1\n"), SchemaError, "of 1 videos, but features of 2"),
    ("csv encoding", csv_file(b"id,labels\n\xff,1\nb,2\n"), SchemaError, "not a UTF-8 CSV"),
    ("csv large label", csv_file("id,labels\na,1\nb,99999999999\n"), SchemaError, "32 bits"),
    ("csv huge label", csv_file(f"id,labels\na,1\nb,{10**40}\n"), SchemaError, "too large"),
    ("npz ids", npz_file(ids=np.arange(ROWS)), SchemaError, "2500 strings expected"),
    ("npz no indptr", npz_file(indptr=None), SchemaError, "no array 'indptr'"),
    ("npz floats", npz_file(indices=np.ones(3)), SchemaError, "indices are float64"),
    ("npz rows", npz_file(indptr=[0, 1], indices=[1], ids=None), SchemaError, "of 1 videos, but"),
    ("npz cuts", npz_file(indptr=packed()[0][::-1].copy()), SchemaError, "does not cut"),
    ("npz pickle", npz_file(indices=np.array([None])), SchemaError, "plain arrays"),
    ("hdf5 text", text("mine.h5", "hello"), DataError, "not an HDF5 file"),
    ("hdf5 none", hdf5_file(replaced("features", None)), SchemaError, "no features: floats"),
    ("hdf5 both", hdf5_file(two_features), SchemaError, r"embeddings \(6\), features \(6\)"),
    ("hdf5 ids", hdf5_file(replaced("ids", np.ones(ROWS))), SchemaError, "'ids' holds float64"),
    ("hdf5 few ids", hdf5_file(replaced("ids", np.array([b"a"]))), SchemaError, "'ids' is of 1 videos"),
    ("hdf5 indptr", hdf5_file(replaced("labels/indptr", np.arange(4))), SchemaError, "'labels' is of 3"),
    ("hdf5 no indices", hdf5_file(replaced("labels/indices", None)), SchemaError, "has only one of"),
    ("hdf5 group", hdf5_file(ids_as_group), SchemaError, "'ids' holds an empty group"),
    ("hdf5 soft", hdf5_file(replaced("features", h5py.SoftLink("/ids"))), SchemaError, "holds a link; copy"),
    ("hdf5 external link", hdf5_file(external_link), SchemaError, "holds a link; copy the data"),
    ("hdf5 external", hdf5_file(external_data), SchemaError, "data in other files; copy"),
    ("hdf5 virtual", hdf5_file(virtual_data), SchemaError, "data in other files; copy"),
    ("parquet text", text("mine.parquet", "hello hello hello"), DataError, "not a Parquet file"),
    ("parquet ints", lambda f: write_parquet(f, [[1]] * ROWS), SchemaError, "int64>; float16, float32"),
    ("parquet scalars", lambda f: write_parquet(f, [1.0] * ROWS), SchemaError, "holds double"),
    ("parquet ids", lambda f: write_parquet(f, id=[0.5] * ROWS), SchemaError, "'id' holds double"),
    ("suffix", text("mine.csv", "1,2"), CorruptShardError, "not a TFRecord file"),
    ("missing", lambda f: f / "none.npy", NotFoundError, "no file matches"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("write", "error", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_file_that_cannot_be_used_is_refused_with_a_reason(
    write: Callable[[Path], Path], error: type[CompressError], words: str, tmp_path: Path
) -> None:
    path = write(tmp_path)
    with pytest.raises(error, match=words) as caught:
        list(opened(path).read(path))
    assert caught.type is error
    assert "mine" in caught.value.where or "none" in caught.value.where


def with_value(value: float) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        features = FEATURES.copy()
        features[3, 2] = value
        write_csv(folder)
        return write_npy(folder, features)

    return write


def ragged_parquet(folder: Path) -> Path:
    rows = FEATURES.tolist()
    rows[3] = rows[3][:-1]
    return write_parquet(folder, rows)


def parquet_with_hole(folder: Path) -> Path:
    rows: list[Any] = FEATURES.tolist()
    rows[3] = None
    return write_parquet(folder, pyarrow.array(rows, pyarrow.list_(pyarrow.float64(), DIM)))


def row_labels(labels: list[int], ids: str = "x") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        write_csv(folder, [*IDS[:3], ids, *IDS[4:]], [*LABELS[:3], labels, *LABELS[4:]])
        return write_npy(folder)

    return write


BAD_ROWS: list[tuple[str, Callable[[Path], Path], str]] = [
    ("NaN", with_value(np.nan), "'features' is nan at position 2"),
    ("Inf", with_value(np.inf), "'features' is inf at position 2"),
    ("beyond float32", with_value(1e300), "'features' is inf at position 2"),
    ("ragged", ragged_parquet, "has 5 features, 6 expected"),
    ("null", parquet_with_hole, "has 0 features, 6 expected"),
    ("label", row_labels([7]), "label 7 is outside"),
    ("negative", row_labels([-1]), "label -1 is outside"),
    ("empty id", row_labels([1], ids=""), "id is empty"),
]


@pytest.mark.parametrize(
    ("write", "words"), [case[1:] for case in BAD_ROWS], ids=[case[0] for case in BAD_ROWS]
)
def test_a_bad_row_is_named_or_left_out_as_the_policy_says(
    write: Callable[[Path], Path], words: str, tmp_path: Path
) -> None:
    path = write(tmp_path)
    with pytest.raises(RecordError, match=words) as caught:
        list(open_source([str(path)], num_classes=7).read(path))
    assert "row 3" in caught.value.where
    tolerant = open_source([str(path)], num_classes=7, on_corrupt="skip")
    assert len(list(tolerant.read(path))) == ROWS - 1
    assert [skipped.record for skipped in tolerant.skipped] == [3]


def test_labels_beside_a_file_with_ids_are_joined_by_them(tmp_path: Path) -> None:
    path, labels = write_hdf5(tmp_path), write_csv(tmp_path)
    joined = opened(path, labels=labels)
    wanted = {record.video_id: record.labels.tolist() for record in opened(path).read(path)}
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([lines[0], *reversed(lines[1:])]))
    assert {record.video_id: record.labels.tolist() for record in joined.read(path)} == wanted
    backwards = opened(path, labels=labels)
    assert {record.video_id: record.labels.tolist() for record in backwards.read(path)} == wanted


def test_without_pyarrow_parquet_is_unavailable_and_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = write_parquet(tmp_path), builtins.__import__

    def without_pyarrow(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(UnavailableError, match=r"compress-video-embeddings\[parquet\]"):
        opened(path)


@pytest.mark.parametrize("write", EVERY_FORMAT)
def test_exported_shards_hold_the_same_records(write: Callable[[Path], Path], tmp_path: Path) -> None:
    source = open_source([str(write(tmp_path))])
    paths = write_shards(source, tmp_path / "out", 3)
    assert [path.name for path in paths] == ["train0000.tfrecord", "train0001.tfrecord", "train0002.tfrecord"]
    copy = open_source([str(path) for path in paths], num_classes=source.schema.num_classes)
    assert copy.schema == source.schema
    wanted = [record for shard in source.shards for record in source.read(shard)]
    got = [record for shard in copy.shards for record in copy.read(shard)]
    for one, other in zip(wanted, got, strict=True):
        assert isinstance(one, VideoRecord)
        assert isinstance(other, VideoRecord)
        assert one.video_id == other.video_id
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_array_equal(one.features, other.features)


@pytest.mark.parametrize("lines", ["csv", "npz"])
def test_a_labels_file_of_rows_may_have_an_id_twice_as_any_file(lines: str, tmp_path: Path) -> None:
    if lines == "csv":
        path = csv_file("id,labels\na,1\na,2\n")(tmp_path)
    else:
        path = npz_file(ids=np.array(["a", "a", *map(str, range(ROWS - 2))]))(tmp_path)
    twice = r"row 1, id a: the id occurs twice, first at .*row 0, id a;.* --on-corrupt skip leaves out"
    with pytest.raises(RecordError, match=twice):
        write_shards(open_source([str(path)]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    source, events = open_source([str(path)], on_corrupt="skip"), list[Event]()
    (shard,) = write_shards(source, tmp_path / "out", report=events.append)
    written = open_source([str(shard)], num_classes=source.schema.num_classes)
    ids = [video.video_id for video in written.read(shard)]
    assert ids[:2] == ([b"a"] if lines == "csv" else [b"a", b"0"])
    assert source.repeats == 1
    assert any("left out 1 of" in event.text for event in events if isinstance(event, Note))


def test_a_source_is_not_overwritten_and_shards_are_not_empty(tmp_path: Path) -> None:
    paths = write_shards(open_source([str(npy_with_csv(tmp_path))]), tmp_path)
    with pytest.raises(UsageError, match="overwrite the source"):
        write_shards(open_source([str(paths[0])]), tmp_path)
    with pytest.raises(UsageError, match="none may be empty"):
        write_shards(open_source([str(paths[0])]), tmp_path / "out", ROWS + 1)

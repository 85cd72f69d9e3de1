"""Bad input, each with its own answer: one line that says what, where and what to do, and its exit code."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compress.datasets.formats.examples import serialize_video
from compress.datasets.formats.framing import write_records
from compress.datasets.record import VideoRecord
from compress.datasets.schema import YT8M_2018_VIDEO, FeatureSchema

SCHEMA = replace(YT8M_2018_VIDEO, num_classes=12)
LINEAR = ["train", "--encoder", "linear", "--dim", "4", "--name", "x"]


def record(number: int, label: int = 0, value: float = 0.5) -> VideoRecord:
    features = np.full(SCHEMA.dim, value, dtype=np.float32)
    return VideoRecord(b"bad%d" % number, np.array([label], dtype=np.int32), features)


def write(path: str, records: list[VideoRecord], schema: FeatureSchema = SCHEMA) -> None:
    write_records(Path(path), [serialize_video(one, schema) for one in records])


def empty() -> None:
    Path("bad.tfrecord").touch()


def nan() -> None:
    write("bad.tfrecord", [record(0), record(1, value=float("nan"))])


def label_out_of_range() -> None:
    write("bad.tfrecord", [record(0), record(1, label=12)])


def duplicates() -> None:
    write("bad.tfrecord", [record(0), record(1), record(0)])


def unlabelled() -> None:
    none = np.zeros(0, dtype=np.int32)
    write("bad.tfrecord", [replace(record(number), labels=none) for number in range(2)])


def other_dims() -> None:
    schema = replace(SCHEMA, dims=(1024, 64))
    records = [replace(record(number), features=np.zeros(1088, dtype=np.float32)) for number in range(3)]
    write("bad.tfrecord", records, schema)


def train_on_bad() -> list[str]:
    return [*LINEAR, "--train", "bad.tfrecord"]


ENCODE_BAD = ["encode", "--dim", "24", "--input", "bad.tfrecord", "--output", "bad.h5"]


@pytest.mark.parametrize("words", [train_on_bad(), ENCODE_BAD], ids=["train", "encode"])
@pytest.mark.parametrize(
    ("spoil", "code", "telling"),
    [
        (empty, 65, ["bad.tfrecord", "empty"]),
        (nan, 67, ["bad.tfrecord", "record 1", "bad1", "nan"]),
        (label_out_of_range, 67, ["bad.tfrecord", "record 1", "bad1", "12"]),
        (duplicates, 67, ["bad.tfrecord", "bad0"]),
    ],
    ids=lambda item: getattr(item, "__name__", None),
)
def test_unusable_records_are_named(
    compress, inside: Path, words: list[str], spoil: Callable[[], None], code: int, telling: list[str]
):
    spoil()
    assert_one_line(compress(*words), code, telling)
    assert not (inside / "bad.h5").exists()


def test_shards_without_labels_cannot_be_trained_on(compress, inside: Path):
    unlabelled()
    assert_one_line(compress(*train_on_bad()), 65, ["bad.tfrecord", "label"])


def test_shards_without_labels_can_be_encoded(compress, inside: Path):
    unlabelled()
    assert compress(*ENCODE_BAD).code == 0


def test_shards_of_other_dimensions_do_not_fit(compress, inside: Path):
    other_dims()

    assert_one_line(compress(*ENCODE_BAD), 68, ["residual_cnn-24", "mean_audio (128)", "mean_audio (64)"])
    assert_one_line(
        compress(*train_on_bad()), 68, ["validate0000.tfrecord", "mean_audio (128)", "mean_audio (64)"]
    )


@pytest.mark.parametrize(
    ("words", "code", "telling"),
    [
        (["train", "--dim", "4", "--train", "none*.tfrecord"], 66, ["none*.tfrecord"]),
        (["train", "--encoder", "nothing", "--dim", "4"], 2, ["nothing", "residual_cnn"]),
        (["train", "--dim", "24", "--set", "wdth=1"], 2, ["wdth", "did you mean width"]),
        (
            ["train", "--encoder", "lstm", "--dim", "4", "--name", "x", "--train", "train0000.tfrecord"],
            68,
            ["validate0000.tfrecord", "frame-level", "video-level"],
        ),
        (
            [*LINEAR, "--train", "frames/train/*.tfrecord", "--validate", "frames/validate/*.tfrecord"],
            68,
            ["linear", "video-level", "frame-level"],
        ),
        (
            ["encode", "--dim", "24", "--input", "frames/train/*.tfrecord", "--output", "bad.h5"],
            68,
            ["residual_cnn-24", "video-level", "frame-level"],
        ),
        (
            ["encode", "--dim", "8", "--input", "train*.tfrecord", "--output", "bad.h5"],
            68,
            ["lstm-8", "frame-level", "video-level"],
        ),
        (["train", "--encoder", "pca", "--dim", "5000"], 2, ["1152", "5000"]),
        (["train", "--encoder", "pca", "--dim", "8", "--compile"], 2, ["--compile", "closed-form encoder"]),
        (["encode", "--dim", "320"], 66, ["runs", "320", "`compress train --dim 320`"]),
        (["index", "--dim", "320"], 66, ["embeddings", "`compress encode --dim 320`"]),
        (["evaluate", "--dim", "320"], 66, ["embeddings", "`compress encode --dim 320`"]),
        (["search", "zzzz", "--dim", "24"], 66, ["zzzz", "residual_cnn-24.h5"]),
        (["search", "--row", "150", "--dim", "24"], 66, ["150", "residual_cnn-24.h5"]),
        (["search", "--row", "1", "--dim", "8"], 66, ["lstm-8.index", "`compress index --name lstm-8`"]),
        (["search", "--vector", "none.npy", "--dim", "24"], 66, ["none.npy"]),
        (["search", "--vector", "wide.npy", "--dim", "24"], 68, ["wide.npy", "24"]),
        (["search", "--vector", "compress.toml", "--dim", "24"], 65, ["compress.toml", ".npy"]),
        (["encode", "--dim", "24", "--input", "train*.tfrecord"], 2, ["--output"]),
        (["evaluate", "--name", "original", "--baseline", "lstm-9"], 66, ["lstm-9", "compress evaluate"]),
        (["train", "--dim", "24", "--epochs", "3"], 2, ["residual_cnn-24", "epochs", "--fresh"]),
    ],
    ids=lambda item: " ".join(item[:6]) if isinstance(item, list) else None,
)
def test_what_does_not_fit_or_is_not_there(
    compress, inside: Path, words: list[str], code: int, telling: list[str]
):
    np.save("wide.npy", np.zeros(25, dtype=np.float32))
    assert_one_line(compress(*words), code, telling)


def test_a_video_in_train_and_validate_is_named(compress, inside: Path):
    shutil.copy("train0000.tfrecord", "validate0001.tfrecord")
    (inside / "embeddings" / "residual_cnn-24.h5").unlink()

    assert_one_line(compress("encode", "--dim", 24), 67, ["train and validate"])


def test_a_training_that_has_not_finished_cannot_encode(compress, inside: Path):
    shutil.rmtree(inside / "runs" / "residual_cnn-24" / "model")

    assert_one_line(compress("encode", "--dim", 24), 66, ["residual_cnn-24", "not finished"])


def test_a_store_that_has_changed_since_does_not_answer_from_its_old_index(compress, inside: Path):
    (inside / "embeddings" / "residual_cnn-24.h5").unlink()
    (inside / "embeddings" / "lstm-8.h5").rename(inside / "embeddings" / "residual_cnn-24.h5")

    ended = compress("search", "--row", 1, "--name", "residual_cnn-24")
    assert_one_line(ended, 65, ["residual_cnn-24.index", "compress index"])


def assert_one_line(ended, code: int, telling: list[str]) -> None:
    last = ended.err.splitlines()[-1]
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert [line for line in ended.err.splitlines() if "error" in line] == [last]
    assert last.startswith("error: ")
    assert [word for word in telling if word not in last] == [], last


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--encoder", "linear", "--dim", "2", "--train", "bad.tfrecord", "--num-classes", "12"],
        ["train", "--encoder", "pca", "--dim", "2", "--train", "bad.tfrecord", "--num-classes", "12"],
    ],
    ids=lambda words: words[2],
)
def test_where_every_record_is_left_out_nothing_half_made_stays(
    compress, here: Path, words: list[str]
) -> None:
    write("bad.tfrecord", [record(number, value=float("nan")) for number in range(3)])
    ended = compress(*words, "--validate", "bad.tfrecord", "--on-corrupt", "skip")
    assert ended.code == 65
    assert "no usable record" in ended.err
    assert [path.name for path in here.iterdir()] == ["bad.tfrecord"]

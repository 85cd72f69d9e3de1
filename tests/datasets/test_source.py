"""Which files a source has, what it detects, and what it says about records that do not fit."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from pathlib import Path

import pytest

from compress.datasets import (
    AUDIOSET,
    YT8M_2017_FRAME,
    YT8M_2017_VIDEO,
    YT8M_2018_FRAME,
    YT8M_2018_VIDEO,
    FeatureSchema,
    open_source,
)
from compress.datasets import features_pb2 as messages
from compress.description import Description
from compress.errors import (
    CompressError,
    DataError,
    NotFoundError,
    RecordError,
    SchemaError,
    StorageError,
    UsageError,
)


@pytest.fixture
def folder(build, tmp_path: Path) -> Path:
    """Three video-level shards b, a, c of 3 records each."""
    for first, name in ((0, "b"), (10, "a"), (20, "c")):
        build.shard(tmp_path / f"{name}.tfrecord", build.videos(3, first))
    return tmp_path


def test_shards_are_sorted_and_each_stands_once(folder: Path) -> None:
    source = open_source([f"{folder}/[bc].tfrecord", f"{folder}/*.tfrecord", str(folder / "b.tfrecord")])
    assert [shard.name for shard in source.shards] == ["a.tfrecord", "b.tfrecord", "c.tfrecord"]
    assert [record.video_id for record in source.read(source.shards[0])] == [b"v10", b"v11", b"v12"]


def test_a_file_name_with_brackets_is_a_file_before_it_is_a_pattern(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a[1].tfrecord", build.videos(1))
    assert open_source([str(path)]).shards == (path,)


def test_patterns_reach_into_folders(build, tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    path = build.shard(tmp_path / "x" / "y" / "a.tfrecord", build.videos(1))
    assert open_source([f"{tmp_path}/**/*.tfrecord"]).shards == (path,)


@pytest.mark.parametrize(
    ("patterns", "error", "message"),
    [
        (["{}/none*"], NotFoundError, "none.*no file matches; check the path"),
        (["{}/a.tfrecord", "{}/none.tfrecord"], NotFoundError, "none.tfrecord: no file matches"),
        ([], UsageError, "give a list of files"),
        (["{}/empty"], DataError, "empty: the file is empty"),
        (["{}/packed.gz"], DataError, "packed.gz: record 0 at byte 0: not a TFRecord file"),
        (["{}/text"], DataError, "text: record 0 at byte 0: not a TFRecord file"),
    ],
)
def test_files_that_cannot_be_shards_are_refused_by_name(folder, patterns, error, message) -> None:
    (folder / "empty").write_bytes(b"")
    (folder / "packed.gz").write_bytes(gzip.compress(b"x"))
    (folder / "text").write_text("this is a text, not a TFRecord file at all")
    with pytest.raises(error, match=message):
        open_source([pattern.format(folder) for pattern in patterns])


def test_a_file_that_may_not_be_read_is_a_storage_error(folder: Path, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError, match=r"a\.tfrecord.*Permission denied"):
        open_source([f"{folder}/a.tfrecord"])


def official(names: dict[str, int], id_key: str, *, frames: bool = False) -> bytes:
    message = messages.SequenceExample()
    message.context.feature[id_key].bytes_list.value.append(b"abcd")
    message.context.feature["start_time_seconds"].float_list.value.append(30)
    for name, dim in names.items():
        if frames:
            steps = message.feature_lists.feature_list[name].feature
            steps.add().bytes_list.value.append(bytes(dim))
        else:
            message.context.feature[name].float_list.value.extend([0.0] * dim)
    return message.SerializeToString()


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (official({"mean_audio": 128, "mean_rgb": 1024}, "id"), YT8M_2018_VIDEO),
        (official({"mean_audio": 128, "mean_rgb": 1024}, "video_id"), YT8M_2017_VIDEO),
        (official({"audio": 128, "rgb": 1024}, "id", frames=True), YT8M_2018_FRAME),
        (official({"audio": 128, "rgb": 1024}, "video_id", frames=True), YT8M_2017_FRAME),
        (official({"audio_embedding": 128}, "video_id", frames=True), AUDIOSET),
    ],
)
def test_the_published_releases_are_detected(build, tmp_path, data: bytes, wanted: FeatureSchema) -> None:
    source = open_source([str(build.shard(tmp_path / "a", [data]))])
    assert source.schema == wanted
    assert next(source.read(source.shards[0])).video_id == b"abcd"


def test_of_several_unknown_features_nobody_knows_which_are_meant(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", [official({"zoo": 2, "clip": 3}, "id")])
    with pytest.raises(SchemaError, match=r"clip \(3\), zoo \(2\); .*--features clip,zoo"):
        open_source([str(path)], num_classes=5)
    source = open_source([str(path)], num_classes=5, description=Description(features=("zoo", "clip")))
    assert source.schema == FeatureSchema("video", ("zoo", "clip"), (2, 3), 5, "id")


def test_the_id_may_have_another_key_than_in_training(build, folder: Path) -> None:
    schema = replace(build.video_schema, id_key="video_id")
    source = open_source([f"{folder}/*"], schema=schema)
    assert source.schema == schema
    assert next(source.read(source.shards[0])).video_id == b"v10"


def test_an_unknown_number_of_classes_is_the_largest_label_plus_one(build, tmp_path: Path) -> None:
    messages_ = []
    for label in (4, 17, 2):
        message = messages.Example.FromString(official({"clip": 3}, "id"))
        message.features.feature["labels"].int64_list.value.append(label)
        messages_.append(message.SerializeToString())
    path = build.shard(tmp_path / "a", messages_)
    assert open_source([str(path)]).schema.num_classes == 18
    with pytest.raises(RecordError, match="label 17 is outside"):
        list(open_source([str(path)], num_classes=10).read(path))


def test_without_any_label_the_number_of_classes_must_be_given(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", [official({"clip": 3}, "id")])
    with pytest.raises(SchemaError, match="number of classes is unknown; give --num-classes N"):
        open_source([str(path)])


def test_synthetic_frames_are_marked_in_the_schema(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", [build.frames(integers={"synthetic_frames": [1]})])
    assert open_source([str(path)]).schema.synthetic_frames
    assert open_source([str(path)], schema=build.frame_schema).schema.synthetic_frames
    other = build.shard(tmp_path / "b", [build.frames(integers={"synthetic_frames": [0]})])
    assert not open_source([str(other)]).schema.synthetic_frames


def test_one_odd_record_at_the_start_does_not_decide_the_schema(build, tmp_path: Path) -> None:
    odd = build.video(rgb=[1, 2])
    path = build.shard(tmp_path / "a", [odd, *build.videos(4)])
    source = open_source([str(path)])
    assert source.schema.dims == (6, 3)
    with pytest.raises(RecordError, match=f"{path}: record 0 at byte 0, id abcd: feature 'mean_rgb' has 2"):
        list(source.read(path))


def test_with_skip_a_shard_of_defects_does_not_hide_the_next_one(build, tmp_path: Path) -> None:
    build.shard(tmp_path / "a", [build.video(rgb=None, audio=None)] * 3)
    build.shard(tmp_path / "b", build.videos(2))
    with pytest.raises(RecordError, match="record 0 at byte 0, id abcd: has no features"):
        open_source([f"{tmp_path}/*"])
    assert open_source([f"{tmp_path}/*"], on_corrupt="skip").schema.dims == (6, 3)


def test_nothing_but_damage_is_a_data_error_even_with_skip(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"garbage, garbage, garbage")
    with pytest.raises(DataError, match="no record can be read"):
        open_source([str(tmp_path / "a")], on_corrupt="skip")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level": "frame"}, "the records are video-level, frame-level ones are expected"),
        (
            {"dims": (6, 4)},
            r"holds mean_rgb \(6\), mean_audio \(3\), expected are mean_rgb \(6\), mean_audio \(4\)",
        ),
        ({"names": ("mean_rgb", "clip")}, r"expected are mean_rgb \(6\), clip \(3\)"),
    ],
)
def test_a_schema_that_the_data_do_not_fit_is_refused(build, folder, changes, message) -> None:
    with pytest.raises(SchemaError, match=message):
        open_source([f"{folder}/*"], schema=replace(build.video_schema, **changes))


def test_a_schema_may_use_fewer_features(folder: Path) -> None:
    schema = FeatureSchema("video", ("mean_audio",), (3,), 10, "id")
    source = open_source([f"{folder}/*"], schema=schema)
    assert source.schema == schema
    assert next(source.read(source.shards[0])).features.shape == (3,)


def test_options_that_contradict_each_other_are_refused(build, folder: Path) -> None:
    with pytest.raises(UsageError, match="num_classes is 7, but the schema has 10"):
        open_source([f"{folder}/*"], schema=build.video_schema, num_classes=7)
    with pytest.raises(NotFoundError, match="no such file of labels"):
        open_source([f"{folder}/*"], labels=folder / "labels.csv")
    with pytest.raises(UsageError, match="max_frames cuts frames, but these records are video level"):
        open_source([f"{folder}/*"], max_frames=3)
    (folder / "x.npy").write_bytes(b"x")
    with pytest.raises(SchemaError, match="cannot be mixed"):
        open_source([f"{folder}/*"])


def test_a_record_error_names_file_record_offset_and_id(build, tmp_path: Path) -> None:
    records = [*build.videos(3), build.video(b"culprit", audio=[0, float("nan"), 0])]
    path = build.shard(tmp_path / "a", records)
    source = open_source([str(path)])
    with pytest.raises(RecordError) as caught:
        list(source.read(path))
    offset = build.offsets(records)[3]
    assert str(caught.value) == (
        f"{path}: record 3 at byte {offset}, id culprit: feature 'mean_audio' is nan at position 1; "
        "leave such records out with --on-corrupt skip or --on-corrupt quarantine"
    )


def test_a_shard_of_another_level_is_refused_at_its_first_record(build, tmp_path: Path) -> None:
    build.shard(tmp_path / "a", build.videos(2))
    other = build.shard(tmp_path / "b", build.frame_videos(2))
    source = open_source([f"{tmp_path}/*"])
    with pytest.raises(RecordError, match=r"b: record 0 at byte 0, id f0: feature 'mean_rgb' is missing"):
        list(source.read(other))


def test_only_shards_of_the_source_are_read(folder: Path) -> None:
    source = open_source([str(folder / "a.tfrecord")])
    with pytest.raises(NotFoundError, match="is not a shard of this source"):
        source.read(folder / "b.tfrecord")


def test_max_frames_is_part_of_the_schema(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", build.frame_videos(5))
    source = open_source([str(path)], max_frames=2)
    assert source.schema.max_frames == 2
    assert max(len(record.frames) for record in source.read(path)) == 2


def test_the_fingerprint_follows_content_and_names_and_nothing_else(build, folder, tmp_path) -> None:
    def fingerprint(pattern: str = f"{folder}/*.tfrecord") -> str:
        return open_source([pattern]).fingerprint()

    first = fingerprint()
    assert len(first) == 64
    os.utime(folder / "a.tfrecord", (1, 1))
    assert fingerprint() == first
    assert fingerprint(f"{folder}/[ab].tfrecord") != first
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for path in folder.glob("*.tfrecord"):
        (elsewhere / path.name).write_bytes(path.read_bytes())
    assert fingerprint(f"{elsewhere}/*") == first
    stat = (folder / "a.tfrecord").stat()
    changed = build.shard(folder / "a.tfrecord", [build.videos(3, 10)[n] for n in (1, 0, 2)])
    os.utime(changed, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # same size, same time, other content
    assert changed.stat().st_size == stat.st_size
    assert fingerprint() != first


def test_schema_json_comes_back_equal_and_junk_is_refused(build) -> None:
    for schema in (
        YT8M_2018_VIDEO,
        AUDIOSET,
        replace(build.frame_schema, synthetic_frames=True, max_frames=9),
    ):
        assert FeatureSchema.from_json(schema.to_json()) == schema
    for junk in (
        {},
        {**YT8M_2018_VIDEO.to_json(), "colour": 1},
        {**YT8M_2018_VIDEO.to_json(), "dims": ["x"]},
    ):
        with pytest.raises(SchemaError):
            FeatureSchema.from_json(junk)


@pytest.mark.parametrize(
    "fields",
    [
        {"level": "shot"},
        {"names": ()},
        {"dims": (1,)},
        {"dims": (0, 3)},
        {"num_classes": 0},
        {"max_frames": 0},
        {"names": ("x", "x")},
    ],
)
def test_an_impossible_schema_cannot_be_made(build, fields: dict) -> None:
    with pytest.raises(CompressError):
        replace(build.video_schema, **fields)


@pytest.mark.parametrize("num_classes", [-1, 2**31, 2**32, 2**64])
def test_a_number_of_classes_whose_labels_would_not_fit_int32_is_refused(
    build, tmp_path: Path, num_classes: int
):
    shard = build.shard(tmp_path / "a.tfrecord", [build.video(b"a", [2**31 + 5])])
    with pytest.raises(SchemaError, match="num_classes"):
        open_source([str(shard)], schema=None, num_classes=num_classes)

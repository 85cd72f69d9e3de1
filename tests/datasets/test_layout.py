"""Records with other keys than the published ones: what is taken, what is left and told, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.datasets.catalogue import scan
from compress.datasets.schema import FeatureSchema
from compress.datasets.source import Source, open_source
from compress.description import Description
from compress.errors import RecordError, SchemaError
from compress.inspection import inspect_all
from tests.datasets.messages import example, opened, sequence, told, write

RGB, AUDIO = [0.5, -1.0, 2.0], [7.0, 8.0]
RUN = FeatureSchema("video", ("mean_rgb", "mean_audio"), (3, 2), 10, "id")


def features(source: Source) -> list[list[float]]:
    return [np.asarray(record.features).tolist() for record in source.read(source.shards[0])]


@pytest.fixture
def std(tmp_path: Path) -> Path:
    record = example(
        id=[b"v"], labels=[1], mean_rgb=RGB, mean_audio=AUDIO, std_rgb=RGB, std_audio=AUDIO, num_frames=[9.0]
    )
    return write(tmp_path / "std.tfrecord", [record])


@pytest.fixture
def other(tmp_path: Path) -> Path:
    record = example(id=[b"v"], labels=[1], rgb_mean=RGB, audio_mean=AUDIO)
    return write(tmp_path / "other.tfrecord", [record])


def test_further_features_are_left_and_named(std: Path) -> None:
    source = opened(std)
    assert features(source) == [[*RGB, *AUDIO]]
    assert told(source) == [
        "not used: num_frames (1 float), std_audio (2 floats), std_rgb (3 floats); "
        "--features, --id and --labels choose what is used"
    ]
    contents = source.contents[std]
    assert contents.taken() == [
        "mean_rgb (3 floats) as features",
        "mean_audio (2 floats) as features",
        "id (bytes) as id",
        "labels (integers) as labels",
    ]
    assert contents.left() == ["num_frames (1 float)", "std_audio (2 floats)", "std_rgb (3 floats)"]


@pytest.mark.parametrize(
    ("sizes", "classes"),
    [
        ({"mean_rgb": 1024, "mean_audio": 128}, 3862),  # the published release
        ({"mean_rgb": 1024}, 2),  # what `compress extract` writes without sound: known is the largest label
    ],
)
def test_only_records_with_all_features_of_a_release_have_its_classes(
    tmp_path: Path, sizes: dict[str, int], classes: int
) -> None:
    vectors = {name: [0.5] * size for name, size in sizes.items()}
    path = write(tmp_path / "x.tfrecord", [example(id=[b"v"], labels=[1], **vectors)])
    assert opened(path, num_classes=None).schema.num_classes == classes
    if "mean_audio" in sizes:  # one of its features is chosen: the release is still known
        audio = opened(path, num_classes=None, description=Description(features=("mean_audio",)))
        assert audio.schema.num_classes == 3862
    bare = write(tmp_path / "bare.tfrecord", [example(id=[b"v"], **vectors)])
    (found,) = inspect_all([str(bare)])
    assert (found.facts["labels"], "classes" in found.facts) == ("none", False)


def test_features_that_are_named_are_joined_in_the_order_given(std: Path) -> None:
    source = opened(std, description=Description(features=("std_audio", "mean_rgb")))
    assert source.schema == FeatureSchema("video", ("std_audio", "mean_rgb"), (2, 3), 10, "id")
    assert features(source) == [[*AUDIO, *RGB]]
    assert scan(source).ids.tolist() == [b"v"]  # by C


def test_a_release_of_which_a_part_is_missing_is_not_guessed(tmp_path: Path) -> None:
    record = example(video_id=[b"v"], labels=[1], mean_inc3=RGB, mean_audio=AUDIO)
    path = write(tmp_path / "inc3.tfrecord", [record])
    with pytest.raises(SchemaError, match=r"mean_audio \(2\), mean_inc3 \(3\); .*--features mean_audio,mea"):
        opened(path)
    alone = write(tmp_path / "alone.tfrecord", [example(id=[b"v"], mean_rgb=RGB)])
    assert opened(alone).schema.names == ("mean_rgb",)


def test_further_frames_are_left_and_named(tmp_path: Path) -> None:
    steps = [[b"abc"], [b"def"]]
    record = sequence({"id": [b"v"], "labels": [1]}, {"rgb": steps, "audio": steps, "flow": steps})
    source = opened(write(tmp_path / "flow.tfrecord", [record]))
    assert source.schema.names == ("rgb", "audio")
    assert told(source)[0].startswith("not used: flow (3 bytes a frame); ")


def test_the_same_numbers_under_other_names_are_read_only_when_somebody_says_so(other: Path) -> None:
    for wanted in ({"run": RUN}, {"schema": RUN, "num_classes": None}):
        with pytest.raises(SchemaError, match="--features rgb_mean,audio_mean") as caught:
            opened(other, **wanted)
        assert "expected are mean_rgb (3), mean_audio (2)" in str(caught.value)
        source = opened(other, **wanted, description=Description(features=("rgb_mean", "audio_mean")))
        assert source.schema == RUN
        assert features(source) == [[*RGB, *AUDIO]]
        assert scan(source).ids.tolist() == [b"v"]
        assert told(source) == ["rgb_mean, audio_mean is read as mean_rgb, mean_audio, as --features says"]
    with pytest.raises(SchemaError, match="expected are"):  # the order of the run, not any other
        opened(other, run=RUN, description=Description(features=("audio_mean", "rgb_mean")))


@pytest.mark.parametrize("names", [("rgb",), ("mean_rgb", "std_rgb")])
def test_a_name_that_is_not_there_is_refused_with_those_that_are(std: Path, names) -> None:
    with pytest.raises(SchemaError, match=r"has no features '.*' \(present: mean_audio \(2\)"):
        opened(std, description=Description(features=(names[0] + "x",)))
    with pytest.raises(SchemaError, match="expected are"):
        opened(std, run=RUN, description=Description(features=names if len(names) > 1 else ("std_rgb",)))


def test_a_run_takes_its_features_from_among_others(std: Path) -> None:
    rgb = FeatureSchema("video", ("std_rgb",), (3,), 4, "video_id")
    source = opened(std, run=rgb, num_classes=None)
    assert (source.schema.names, source.schema.num_classes) == (("std_rgb",), 2)  # as the labels say
    assert features(source) == [RGB]


def test_unlabelled_videos_have_the_classes_of_the_run(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", [example(id=[b"v"], clip=RGB)])
    run = FeatureSchema("video", ("clip",), (3,), 7, "id")
    assert opened(path, run=run, num_classes=None).schema.num_classes == 7


def test_id_and_labels_may_have_any_key(tmp_path: Path) -> None:
    record = example(name=[b"v"], topic=[3, 1], clip=RGB)
    path = write(tmp_path / "a.tfrecord", [record])
    with pytest.raises(RecordError, match=r"neither feature 'id' nor 'video_id'.*--id name"):
        opened(path)
    source = opened(path, description=Description(id="name", labels="topic"), require_labels=True)
    assert scan(source).labels[0].tolist() == [1, 3]  # type: ignore[index]
    assert scan(source).ids.tolist() == [b"v"]
    with pytest.raises(SchemaError, match="has no 'vid', which --id names"):
        opened(
            write(tmp_path / "b.tfrecord", [example(id=[b"v"], clip=RGB)]), description=Description(id="vid")
        )


def test_what_only_other_shards_hold_is_named_too(std: Path, tmp_path: Path) -> None:
    first = write(tmp_path / "a.tfrecord", [example(id=[b"w"], mean_rgb=RGB, mean_audio=AUDIO)])
    source = open_source([str(first), str(std)], num_classes=10)
    assert [record.video_id for shard in source.shards for record in source.read(shard)] == [b"w", b"v"]
    assert told(source)[0].startswith("not used: num_frames (1 float), std_audio (2 floats), std_rgb")


def test_labels_that_are_texts_are_refused_as_such(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", [example(id=[b"v"], tags=[b"dog"], clip=RGB)])
    with pytest.raises(SchemaError, match="--labels: 'tags' holds bytes; labels are class numbers here"):
        opened(path, description=Description(labels="tags"))


def test_one_array_and_a_run_of_several_features_are_compared_by_size(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.array([RGB + AUDIO], np.float32))
    source = opened(tmp_path / "v.npy", run=RUN)
    assert source.schema == RUN
    assert told(source)[-1] == (
        "there are no names to compare: features (5) is read as mean_rgb (3), mean_audio (2)"
    )
    clip = FeatureSchema("video", ("clip",), (4,), 10, "id")
    with pytest.raises(SchemaError, match=r"holds features \(5\), expected are clip \(4\)"):
        opened(tmp_path / "v.npy", run=clip)


def test_two_names_of_one_size_are_not_taken_for_each_other(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", [example(id=[b"v"], dino=RGB)])
    clip = FeatureSchema("video", ("clip",), (3,), 10, "id")
    with pytest.raises(SchemaError, match="--features dino"):
        opened(path, run=clip)
    assert opened(path, run=clip, description=Description(features=("dino",))).schema.names == ("clip",)
    unnamed = FeatureSchema("video", ("features",), (3,), 10, "id")  # trained on a .npy file, or in Python
    assert opened(path, run=unnamed).schema == unnamed


def test_a_run_on_one_array_needs_to_be_told_what_it_joined(other: Path) -> None:
    array = FeatureSchema("video", ("features",), (5,), 10, "id")
    with pytest.raises(SchemaError, match="--features audio_mean,rgb_mean"):
        opened(other, run=array, description=Description())
    source = opened(other, run=array, description=Description(features=("rgb_mean", "audio_mean")))
    assert source.schema == array
    assert features(source) == [[*RGB, *AUDIO]]

"""Frames invented around real means: the mean stays, they look like frames, and say what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.datasets.export import expand_frames
from compress.datasets.record import FrameRecord
from compress.datasets.sample.frames import (
    HIGHEST,
    LOWEST,
    STEP,
    dequantize,
    invent_frames,
    quantize_with_mean,
)
from compress.datasets.schema import FeatureSchema
from compress.datasets.source import open_source
from compress.errors import RecordError, SchemaError, UsageError


def frames_of(path: Path, num_classes: int | None = None) -> tuple[FeatureSchema, list[FrameRecord]]:
    source = open_source([str(path)], num_classes=num_classes)
    records = [record for record in source.read(path) if isinstance(record, FrameRecord)]
    return source.schema, records


def write_vectors(folder: Path, features: np.ndarray) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "mine.npy"
    np.save(path, features)
    return path


@pytest.fixture(scope="module")
def expanded(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    real = shared_data / "yt8m-2018" / "train" / "validate0000.tfrecord"
    return real, expand_frames(open_source([str(real)]), tmp_path_factory.mktemp("frames"))[0]


def test_the_mean_of_the_frames_of_real_videos_is_the_real_mean(expanded: tuple[Path, Path]) -> None:
    real, path = expanded
    schema, records = frames_of(path)
    assert (schema.level, schema.names, schema.dims) == ("frame", ("rgb", "audio"), (1024, 128))
    for before, after in zip(open_source([str(real)]).read(real), records, strict=True):
        assert before.video_id == after.video_id
        np.testing.assert_array_equal(before.labels, after.labels)
        assert 120 <= len(after.frames) <= 300
        error = np.abs(dequantize(after.frames).mean(axis=0) - before.features)
        assert error.max() <= STEP / (2 * len(after.frames)) + 1e-9 <= 6.6e-5


def test_expanded_frames_are_marked_as_synthetic_and_real_ones_are_not(
    expanded: tuple[Path, Path], shared_data: Path
) -> None:
    assert frames_of(expanded[1])[0].synthetic_frames
    filmed = shared_data / "audioset" / "train" / "train00.tfrecord"
    assert not open_source([str(filmed)]).schema.synthetic_frames


def test_frames_of_a_scene_resemble_each_other_more_than_others(expanded: tuple[Path, Path]) -> None:
    frames = dequantize(frames_of(expanded[1])[1][0].frames)
    following = np.square(np.diff(frames, axis=0)).mean()
    far = np.square(frames - np.roll(frames, len(frames) // 2, axis=0)).mean()
    assert following < 0.6 * far


@settings(max_examples=60, deadline=None)
@given(
    num_frames=st.integers(1, 40),
    mean=st.lists(st.floats(LOWEST, HIGHEST), min_size=1, max_size=8),
    scale=st.sampled_from([0.0, 0.3, 5.0, 1e4]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_mean_in_range_is_met_whatever_the_frames(
    num_frames: int, mean: list[float], scale: float, seed: int
) -> None:
    rng, wanted = np.random.default_rng(seed), np.array(mean)
    frames = rng.standard_normal((num_frames, len(mean))) * scale
    for made in (quantize_with_mean(frames, wanted, rng), invent_frames(wanted, num_frames, rng)):
        assert made.shape == (num_frames, len(mean))
        assert made.dtype == np.uint8
        assert np.abs(dequantize(made).mean(axis=0) - wanted).max() <= STEP / (2 * num_frames) + 1e-9


def test_frames_whose_mean_is_right_already_are_only_rounded() -> None:
    codes = np.random.default_rng(0).integers(0, 256, size=(50, 20))
    values = codes * STEP + LOWEST
    made = quantize_with_mean(values, values.mean(axis=0), np.random.default_rng(1))
    np.testing.assert_array_equal(made, codes)


def test_dequantising_follows_the_starter_code() -> None:
    np.testing.assert_allclose(dequantize(np.array([0, 255], dtype=np.uint8)), [-1.9921875, 2.0078125])


def test_expansion_is_the_same_for_one_seed_and_another_for_another(tmp_path: Path) -> None:
    features = np.random.default_rng(0).uniform(-1, 1, size=(5, 8))
    source = open_source([str(write_vectors(tmp_path / "in", features))], num_classes=3)
    runs = [(0, "a"), (0, "b"), (1, "c")]
    first, second, third = (
        expand_frames(source, tmp_path / name, seed=seed)[0].read_bytes() for seed, name in runs
    )
    assert first == second
    assert first != third


def test_the_number_of_frames_can_be_chosen_and_names_without_mean_stay(tmp_path: Path) -> None:
    features = np.random.default_rng(0).uniform(-1, 1, size=(30, 8))
    source = open_source([str(write_vectors(tmp_path / "in", features))], num_classes=3)
    (path,) = expand_frames(source, tmp_path / "out", num_frames=(3, 5))
    schema, records = frames_of(path, num_classes=3)
    assert schema.names == ("features",)
    assert {len(record.frames) for record in records} == {3, 4, 5}


def test_features_beyond_the_quantised_range_are_refused_by_video(tmp_path: Path) -> None:
    features = np.zeros((3, 4))
    features[1, 2] = 2.1
    source = open_source([str(write_vectors(tmp_path / "in", features))], num_classes=3)
    with pytest.raises(RecordError, match="range of quantised frames") as caught:
        expand_frames(source, tmp_path / "out")
    assert "id in/mine-1" in caught.value.where
    assert not list((tmp_path / "out").iterdir())


def test_misuse_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = write_vectors(tmp_path / "in", np.zeros((3, 4)))
    source = open_source([str(path)], num_classes=3)
    with pytest.raises(UsageError, match="overwrite the source"):
        expand_frames(source, path.parent)
    with pytest.raises(UsageError, match="5 to 4 frames"):
        expand_frames(source, tmp_path / "out", num_frames=(5, 4))
    (frames,) = expand_frames(source, tmp_path / "out", num_frames=(2, 2))
    with pytest.raises(SchemaError, match="these are frames"):
        expand_frames(open_source([str(frames)], num_classes=3), tmp_path / "again")

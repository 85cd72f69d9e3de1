"""What cannot be encoded, each with its own error and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress.datasets.source import Source
from compress.errors import (
    CompressError,
    CorruptArtifactError,
    NotFoundError,
    RecordError,
    SchemaError,
    UsageError,
)
from tests.encoding.examples import clips, encoded, encoder_run, files, shards, videos


def refused(root: Path, splits: dict[str, Source], run: Path, kind: type[CompressError], **options) -> str:
    with pytest.raises(kind) as caught:
        encoded(root, splits, run, **options)
    assert type(caught.value) is kind
    assert not (root / "out" / "a.h5").exists()
    return str(caught.value)


def test_a_video_in_two_splits(tmp_path: Path):
    splits = {"train": shards(tmp_path, "t", videos(5)), "validate": shards(tmp_path, "v", videos(5, 3))}
    message = refused(tmp_path, splits, encoder_run(tmp_path / "run"), RecordError)
    assert "'v00003' is in train and validate (and 1 more)" in message


def test_features_of_another_size(tmp_path: Path):
    splits = {"train": shards(tmp_path, "t", videos(5, dim=9))}
    assert "reads 12 dimensions, these shards have 9" in refused(
        tmp_path, splits, encoder_run(tmp_path / "run"), SchemaError
    )


def test_features_of_another_size_in_the_second_split(tmp_path: Path):
    splits = {"a": shards(tmp_path, "t", videos(5)), "b": shards(tmp_path, "v", videos(5, 90, dim=9))}
    refused(tmp_path, splits, encoder_run(tmp_path / "run"), SchemaError)


def test_frames_for_an_encoder_of_videos(tmp_path: Path):
    splits = {"train": shards(tmp_path, "f", clips([3, 4]))}
    message = refused(tmp_path, splits, encoder_run(tmp_path / "run"), SchemaError)
    assert "video-level" in message
    assert "frame-level" in message


def test_videos_for_an_encoder_of_frames(tmp_path: Path, splits: dict[str, Source]):
    refused(tmp_path, splits, encoder_run(tmp_path / "run", "lstm", {"sizes": [6, 5]}), SchemaError)


@pytest.mark.parametrize("codec", ["float32", "float16"])
def test_an_encoder_that_gives_nan_names_the_first_video(tmp_path, splits: dict[str, Source], codec: str):
    run = encoder_run(tmp_path / "run", poison=True)
    message = refused(tmp_path, splits, run, RecordError, codec=codec)
    assert "'v00000'" in message
    assert "NaN" in message


def test_an_encoder_that_gives_nan_has_no_ranges_to_calibrate(tmp_path: Path, splits: dict[str, Source]):
    with pytest.raises(CompressError, match="NaN"):
        encoded(tmp_path, splits, encoder_run(tmp_path / "run", poison=True), codec="int8")


@pytest.mark.parametrize(("options", "telling"), [({"codec": "zip"}, "zip"), ({"batch_size": 0}, "batch")])
def test_options_out_of_range(tmp_path: Path, splits: dict[str, Source], options, telling):
    assert telling in refused(tmp_path, splits, encoder_run(tmp_path / "run"), UsageError, **options)


def test_no_training(tmp_path: Path, splits: dict[str, Source]):
    refused(tmp_path, splits, tmp_path / "nothing", NotFoundError)


def test_damaged_weights(tmp_path: Path, splits: dict[str, Source]):
    run = encoder_run(tmp_path / "run")
    weights = next((run / "model").glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert weights.name in refused(tmp_path, splits, run, CorruptArtifactError)
    assert not (tmp_path / "out").exists() or files(tmp_path / "out") == []

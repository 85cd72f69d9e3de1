"""Stores of every codec: calibrated on videos of the first split, checked when they are opened, resumable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.errors import CorruptArtifactError, DataError, UsageError
from compress.store.reader import open_store
from tests.encoding.examples import encoded, encoder_run, shards, videos

CODECS = ("int4", "binary", "pq3", "opq3", "rq2", "rabitq", "rabitq3")


@pytest.mark.parametrize("codec", CODECS)
def test_a_store_opens_with_the_codec_it_was_written_with(tmp_path: Path, codec: str):
    run = encoder_run(tmp_path / "run")
    splits = {"train": shards(tmp_path / "t", "t", videos(300), (100, 200))}
    exact = open_store(encoded(tmp_path / "exact", splits, run).path)
    result = encoded(tmp_path, splits, run, codec=codec)
    store = open_store(result.path, verify=True)
    assert (store.codec.name, store.dim) == (codec, 5)
    assert store.bytes_per_video == result.bytes_per_video == store.codes[0].nbytes
    assert np.array_equal(store.codec.encode(exact.decode(0, 300)), store.codes)
    assert np.isfinite(store.decode(0, 300)).all()


@pytest.mark.parametrize("codec", CODECS)
def test_encoding_again_gives_the_same_bytes(tmp_path: Path, codec: str):
    run = encoder_run(tmp_path / "run")
    splits = {"train": shards(tmp_path / "t", "t", videos(300))}
    first, second = (encoded(tmp_path / name, splits, run, codec=codec).path for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_a_flipped_bit_in_a_centroid_is_noticed(tmp_path: Path):
    splits = {"train": shards(tmp_path / "t", "t", videos(300))}
    path = encoded(tmp_path, splits, encoder_run(tmp_path / "run"), codec="pq3").path
    data = bytearray(path.read_bytes())
    data[data.index(open_store(path).codec.state()["centroids"].tobytes()) + 100] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptArtifactError, match="sha256"):
        open_store(path, verify=True)


def test_too_few_videos_to_train_on_are_said_before_anything_is_written(tmp_path: Path):
    splits = {"train": shards(tmp_path / "t", "t", videos(100))}
    with pytest.raises(DataError, match="pq3 is trained on at least 256 videos, there are only 100"):
        encoded(tmp_path, splits, encoder_run(tmp_path / "run"), codec="pq3")
    assert not (tmp_path / "out" / "a.h5").exists()


def test_more_bytes_than_dimensions_are_refused(tmp_path: Path):
    splits = {"train": shards(tmp_path / "t", "t", videos(300))}
    with pytest.raises(UsageError, match="pq6 needs embeddings of 6 dimensions or more, these have 5"):
        encoded(tmp_path, splits, encoder_run(tmp_path / "run"), codec="pq6")

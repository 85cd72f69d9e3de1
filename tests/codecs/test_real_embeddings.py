"""Codecs of real features: calibrated on some shards of YouTube-8M, measured on another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.codecs import Codec
from compress.datasets import load_table, open_source

# (dimensions, share of the variance that is lost at most); what is trained has 1,136 videos for it.
LOSSES = {
    "float16": (1152, 1e-6),
    "int8": (1152, 5e-4),
    "int4": (1152, 0.03),
    "binary": (1152, 0.5),
    "pq32": (256, 0.55),
    "opq32": (256, 0.45),
    "rq4": (256, 0.92),
    "rabitq": (1152, 0.6),
    "rabitq4": (1152, 0.02),
}


@pytest.fixture(scope="module")
def features(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    folder = shared_data / "yt8m-2018" / "train"
    shards = [str(folder / f"validate{number:04d}.tfrecord") for number in range(5)]
    train, other = (load_table(open_source(part)).features for part in (shards[:4], shards[4:]))
    return np.asarray(train[:], np.float32), np.asarray(other[:], np.float32)


@pytest.mark.parametrize("name", LOSSES)
def test_so_much_is_lost_of_videos_that_were_not_seen(features: tuple[np.ndarray, np.ndarray], name: str):
    dim, most = LOSSES[name]
    train, other = (part[:, :dim] for part in features)
    codec = Codec.fit(name, train)
    codes = codec.encode(other)
    lost = np.square(codec.decode(codes) - other).sum() / np.square(other - train.mean(axis=0)).sum()
    assert lost < most
    assert np.array_equal(codec.encode(other[7:8]), codes[7:8])


def test_the_nearest_video_of_int4_is_mostly_the_nearest(features: tuple[np.ndarray, np.ndarray]):
    train, other = features
    codec = Codec.fit("int4", train)
    decoded = codec.decode(codec.encode(train))
    assert ((other @ decoded.T).argmax(axis=1) == (other @ train.T).argmax(axis=1)).mean() > 0.9

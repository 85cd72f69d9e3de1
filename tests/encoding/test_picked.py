"""Embeddings of some videos of some shards: those that their store has, in the order that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from compress.encoding import encode
from compress.encoding.picked import embed_picked
from compress.store.reader import open_store
from tests.encoding.examples import clips, encoder_run, shards, videos

LENGTHS = [3, 17, 1, 30, 8, 8, 2, 5, 11, 40, 6, 9]


@pytest.fixture(params=["video", "frame"])
def source(request, tmp_path):
    records = videos(60) if request.param == "video" else clips(LENGTHS)
    sizes = (25, 35) if request.param == "video" else (5, 7)
    encoder_run(tmp_path / "run", "linear" if request.param == "video" else "lstm")
    return shards(tmp_path, "s", records, sizes)


@pytest.mark.parametrize("every", [1, 4])
def test_they_are_those_of_the_store(source, every, tmp_path):
    encode(tmp_path / "run", {"input": source}, tmp_path / "a.h5")
    store = open_store(tmp_path / "a.h5")
    ids = np.sort(store.ids)[::every]
    found = embed_picked(tmp_path / "run", source, ids, dim=store.dim, precision="fp32", device="cpu")
    wanted = store.rows([store.row_of(one) for one in ids])
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_videos_that_are_not_there_are_told(source, tmp_path):
    ids = np.array([b"a-stranger", b"f003", b"v00031", b"zz"])
    found = embed_picked(tmp_path / "run", source, ids, dim=5, precision="fp32", device="cpu")
    assert np.isnan(found[[0, 3]]).all()
    assert np.isfinite(found[1:3]).all(axis=1).sum() == 1


def test_of_a_prefix_they_are_the_prefix(tmp_path):
    source = shards(tmp_path, "s", videos(30))
    encoder_run(tmp_path / "run", head="moe", nested_dims=(3, 5))
    encode(tmp_path / "run", {"input": source}, tmp_path / "a.h5", dim=3)
    store = open_store(tmp_path / "a.h5")
    found = embed_picked(tmp_path / "run", source, store.ids, dim=3, precision="fp32", device="cpu")
    np.testing.assert_allclose(found, store.decode(0, 30), rtol=1e-4, atol=1e-5)

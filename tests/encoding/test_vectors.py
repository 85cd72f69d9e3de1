"""Embeddings as arrays, of videos in memory or of some videos of some shards: those that their store has."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compress.datasets.source import open_source
from compress.encoding import embed, encode
from compress.encoding.vectors import embed_picked
from compress.errors import SchemaError, UsageError
from compress.store.reader import open_store
from compress.training import load_model
from tests.encoding.examples import CLASSES, DIM, clips, encoder_run, shards, videos

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
    ids = np.sort(store.id_bytes)[::every]
    found = embed_picked(tmp_path / "run", source, ids, dim=store.dim, precision="fp32", device="cpu")
    wanted = store.rows([store.row_of(one) for one in ids])
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_videos_that_are_not_there_are_told(source, tmp_path):
    ids = np.array([b"a-stranger", b"f003", b"v00031", b"zz"])
    found = embed_picked(tmp_path / "run", source, ids, dim=5, precision="fp32", device="cpu")
    assert np.isnan(found[[0, 3]]).all()
    assert np.isfinite(found[1:3]).all(axis=1).sum() == 1


def test_of_two_videos_of_an_id_it_is_the_first_as_in_the_store(tmp_path):
    records = videos(8)
    records[5] = dataclasses.replace(records[5], video_id=records[2].video_id)
    encoder_run(tmp_path / "run")
    shards(tmp_path, "s", records, (4, 4))
    source = open_source([f"{tmp_path}/s*"], on_corrupt="skip", num_classes=CLASSES)
    encode(tmp_path / "run", {"input": source}, tmp_path / "a.h5")
    store, again = open_store(tmp_path / "a.h5"), open_source([f"{tmp_path}/s*"], num_classes=CLASSES)
    found = embed_picked(
        tmp_path / "run", again, store.id_bytes, dim=store.dim, precision="fp32", device="cpu"
    )
    assert len(store) == 7
    np.testing.assert_allclose(found, store.decode(0, 7), rtol=1e-4, atol=1e-5)


def test_of_a_prefix_they_are_the_prefix(tmp_path):
    source = shards(tmp_path, "s", videos(30))
    encoder_run(tmp_path / "run", head="moe", nested_dims=(3, 5))
    encode(tmp_path / "run", {"input": source}, tmp_path / "a.h5", dim=3)
    store = open_store(tmp_path / "a.h5")
    found = embed_picked(tmp_path / "run", source, store.id_bytes, dim=3, precision="fp32", device="cpu")
    np.testing.assert_allclose(found, store.decode(0, 30), rtol=1e-4, atol=1e-5)


def in_memory(level: str) -> Any:
    if level == "video":
        return np.stack([record.features for record in videos(60)])
    return [record.frames for record in clips(LENGTHS)]


@pytest.mark.parametrize("level", ["video", "frame"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_videos_in_memory_are_embedded_to_the_bit_as_in_a_store(tmp_path: Path, level: str, precision: Any):
    run = encoder_run(tmp_path / "run", "linear" if level == "video" else "lstm")
    source = shards(tmp_path, "s", videos(60) if level == "video" else clips(LENGTHS))
    encode(run, {"input": source}, tmp_path / "a.h5", precision=precision)
    store, (model, _) = open_store(tmp_path / "a.h5"), load_model(str(run))
    for workers in (0, 1, 3):
        found = embed(model, in_memory(level), precision=precision, workers=workers)
        assert found.dtype == np.float32
        assert found.tobytes() == store.decode(0, len(store)).tobytes()
    alone = embed(model, in_memory(level), precision=precision, batch_size=1)
    np.testing.assert_allclose(alone, found, rtol=1e-2 if precision == "bf16" else 1e-4, atol=1e-2)


def test_frames_may_be_numbers_instead_of_codes(tmp_path: Path):
    model, _ = load_model(encoder_run(tmp_path / "run", "lstm"))
    random = np.random.default_rng(0)
    frames = [random.standard_normal((length, DIM)) for length in (3, 9, 1)]
    found = embed(model, frames)
    with torch.inference_mode():
        for video, embedding in zip(frames, found, strict=True):
            inputs = torch.from_numpy(video[None].astype(np.float32)), torch.tensor([len(video)])
            np.testing.assert_allclose(model.embed(inputs)[0].numpy(), embedding, rtol=1e-4, atol=1e-5)
    assert embed(model, []).shape == (0, 5)


def test_a_prefix_of_videos_in_memory(tmp_path: Path):
    model, _ = load_model(encoder_run(tmp_path / "run", head="moe", nested_dims=(3,)))
    whole, prefix = embed(model, in_memory("video"), dim=5), embed(model, in_memory("video"), dim=3)
    lengths = np.linalg.norm(whole[:, :3], axis=1, keepdims=True)
    np.testing.assert_allclose(
        prefix / np.linalg.norm(prefix, axis=1, keepdims=True), whole[:, :3] / lengths, rtol=1e-4, atol=1e-5
    )
    assert embed(model, in_memory("video"), dim=4, any_dim=True).shape == (60, 4)
    with pytest.raises(UsageError, match="not trained for embedding size 4"):
        embed(model, in_memory("video"), dim=4)


@pytest.mark.parametrize(
    ("encoder", "given", "telling"),
    [
        ("linear", [np.zeros((2, DIM))], "reads video-level data, not frames; pass an"),
        ("linear", np.zeros((2, 3, DIM)), "reads video-level data, not frames"),
        ("lstm", np.zeros((2, DIM)), "reads frame-level data, not one row .* pass a list"),
        ("linear", np.zeros((2, 13)), rf"features have shape \(2, 13\), encoder 'linear' reads \(n, {DIM}"),
        ("lstm", [np.zeros((2, DIM)), np.zeros((2, 3))], rf"frames of video 1 have shape .* \(t, {DIM}\)"),
        ("lstm", [np.zeros((0, DIM))], "frames of video 0 have shape"),
        ("lstm", [np.zeros((1, DIM)), np.zeros((1, DIM), np.uint8)], "uint8 codes and some"),
    ],
)
def test_videos_that_do_not_fit_the_encoder_are_refused(
    tmp_path: Path, encoder: str, given: Any, telling: str
):
    model, _ = load_model(encoder_run(tmp_path / "run", encoder))
    with pytest.raises(SchemaError, match=telling):
        embed(model, given)

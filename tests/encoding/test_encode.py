"""What is in a store: the model's embeddings of every video, in order, with ids, labels and splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compress.datasets.record import VideoRecord
from compress.datasets.source import Source
from compress.encoding.embedder import BATCHES_PER_WINDOW
from compress.store.reader import open_store
from compress.training.run import load_model
from tests.encoding.examples import CLASSES, DIM, clips, encoded, encoder_run, shards, videos

EVERYONE = videos(30) + videos(11, 100)


def embedded(run: Path, records: list[VideoRecord], autocast: bool = False) -> np.ndarray:
    """All at once, straight from the model."""
    model, _ = load_model(run)
    features = torch.from_numpy(np.stack([record.features for record in records]))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        return model.embed(features).float().numpy()


@pytest.mark.parametrize("batch_size", [1, 8, 256, None])
def test_a_store_holds_the_embedding_of_every_video(tmp_path, splits: dict[str, Source], batch_size):
    run = encoder_run(tmp_path / "run")
    done = encoded(tmp_path, splits, run, batch_size=batch_size)
    store = open_store(done.path)
    assert store.id_bytes.tolist() == [record.video_id for record in EVERYONE]
    assert store.splits == {"train": range(30), "validate": range(30, 41)}
    assert store.labels is not None
    assert store.labels.num_classes == CLASSES
    assert [list(row) for row in store.labels] == [record.labels.tolist() for record in EVERYONE]
    np.testing.assert_allclose(store.decode(0, 41), embedded(run, EVERYONE), rtol=0, atol=1e-6)
    assert (done.videos, done.resumed_rows, done.bytes_per_video) == (41, 0, 4 * 5)


def test_the_original_features_are_stored_bit_for_bit(tmp_path: Path, splits: dict[str, Source]):
    store = open_store(encoded(tmp_path, splits, encoder_run(tmp_path / "run", "identity")).path)
    wanted = np.stack([record.features for record in EVERYONE])
    assert store.decode(0, 41).tobytes() == wanted.tobytes()


@pytest.mark.parametrize(("codec", "row_bytes"), [("float16", 2), ("int8", 1)])
def test_a_smaller_codec_is_as_near_as_it_can_be(tmp_path, splits: dict[str, Source], codec: str, row_bytes):
    run = encoder_run(tmp_path / "run")
    done = encoded(tmp_path, splits, run, codec=codec)
    wanted, found = embedded(run, EVERYONE), open_store(done.path).decode(0, 41)
    assert done.bytes_per_video == 5 * row_bytes
    if codec == "float16":
        np.testing.assert_allclose(found, wanted, rtol=2**-11, atol=2**-24)
        return
    # Calibrated on the training videos: those are within half a step, others are cut to the range first.
    low, high = wanted[:30].min(axis=0), wanted[:30].max(axis=0)
    step = (high - low) / 255
    assert np.all(np.abs(found - np.clip(wanted, low, high)) <= step / 2 + 1e-5)


def test_frames_are_batched_by_length_within_windows_and_stored_in_order(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(BATCHES_PER_WINDOW, "frame", 2)
    lengths = [2, 5, 3, 3, 9, 1, 4, 30, 2]
    records = clips(lengths)
    run = encoder_run(tmp_path / "run", "lstm", {"sizes": [6, 5]})
    model, _ = load_model(run)
    seen: list[tuple[int, ...]] = []
    embed = type(model).embed

    def watched(self: Any, inputs: Any) -> torch.Tensor:
        seen.append(tuple(inputs[0].shape))
        return embed(self, inputs)

    monkeypatch.setattr(type(model), "embed", watched)
    splits = {"input": shards(tmp_path, "f", records, (4, 5))}
    done = encoded(tmp_path, splits, run, batch_size=3, workers=0)
    assert seen == [(3, 3, DIM), (3, 9, DIM), (3, 30, DIM)]
    with torch.inference_mode():
        alone = [
            embed(model, (torch.from_numpy(one.frames[None]), torch.tensor([len(one.frames)]))).numpy()[0]
            for one in records
        ]
    np.testing.assert_allclose(open_store(done.path).decode(0, 9), np.stack(alone), rtol=0, atol=1e-6)


def test_a_split_without_labels_gets_none_and_the_others_keep_theirs(tmp_path: Path):
    labelled = videos(3)
    splits = {
        "bare": shards(tmp_path, "b", videos(4, 50, labelled=False)),
        "train": shards(tmp_path, "t", labelled),
    }
    store = open_store(encoded(tmp_path, splits, encoder_run(tmp_path / "run")).path)
    assert store.labels is not None
    assert [list(row) for row in store.labels] == [[]] * 4 + [one.labels.tolist() for one in labelled]


def test_a_store_of_unlabelled_videos_has_no_labels(tmp_path: Path):
    splits = {"input": shards(tmp_path, "b", videos(4, labelled=False))}
    assert open_store(encoded(tmp_path, splits, encoder_run(tmp_path / "run")).path).labels is None


def test_a_store_says_where_it_comes_from(tmp_path: Path, splits: dict[str, Source]):
    run = encoder_run(tmp_path / "run")
    metadata = open_store(encoded(tmp_path, splits, run, batch_size=16).path).metadata
    _, facts = load_model(run)
    assert (metadata["run"], metadata["encoder"], metadata["level"]) == ("run", "linear", "video")
    assert metadata["parameters"] == facts["parameters"]
    assert metadata["sources"] == {name: source.fingerprint() for name, source in splits.items()}
    assert (metadata["synthetic_frames"], metadata["batch_size"]) == (False, 16)

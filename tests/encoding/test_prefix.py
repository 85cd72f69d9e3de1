"""A store of the first numbers of an embedding: cut, renormalised, and only where that was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from compress.datasets.source import Source
from compress.errors import UsageError
from compress.evaluation.description import table4_row, title
from compress.evaluation.joint_head import score_joint_head
from compress.store.reader import open_store
from compress.training.run import load_model
from encoders import prefix_embedding
from tests.encoding.examples import clips, encoded, encoder_run, shards, videos
from tests.encoding.test_encode import EVERYONE, embedded


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    return encoder_run(tmp_path / "run", head="moe", nested_dims=(2, 3))


@pytest.mark.parametrize("dim", [2, 3, 5, None])
def test_a_store_holds_the_prefix_of_every_embedding(tmp_path, splits: dict[str, Source], nested: Path, dim):
    done = encoded(tmp_path, splits, nested, dim=dim)
    store, size = open_store(done.path), dim or 5
    wanted = prefix_embedding(torch.from_numpy(embedded(nested, EVERYONE)), size).numpy()
    np.testing.assert_allclose(store.decode(0, 41), wanted, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(store.decode(0, 41), axis=1), np.sqrt(size), rtol=1e-5)
    assert store.dim == size
    assert done.bytes_per_video == 4 * size
    assert store.metadata.get("prefix_of") == (5 if size < 5 else None)


def test_frames_have_prefixes_too(tmp_path: Path):
    run = encoder_run(tmp_path / "run", "lstm", {"sizes": [6, 5]}, head="moe", nested_dims=(2,))
    splits = {"train": shards(tmp_path / "shards", "f", clips([3, 5, 2, 4]))}
    store = open_store(encoded(tmp_path, splits, run, dim=2).path)
    np.testing.assert_allclose(np.linalg.norm(store.decode(0, 4), axis=1), np.sqrt(2), rtol=1e-5)


def test_a_codec_is_calibrated_on_the_prefix(tmp_path: Path, splits: dict[str, Source], nested: Path):
    store = open_store(encoded(tmp_path, splits, nested, dim=3, codec="int8").path)
    wanted = prefix_embedding(torch.from_numpy(embedded(nested, EVERYONE)), 3).numpy()
    half_step = (wanted[:30].max(0) - wanted[:30].min(0)) / 255 / 2
    assert (np.abs(store.decode(0, 30) - wanted[:30]) <= half_step * 1.01 + 1e-6).all()
    assert store.bytes_per_video == 3


@pytest.mark.parametrize(
    ("dim", "any_dim", "telling"),
    [
        (4, False, r"not trained for embedding size 4, only for 2, 3, 5; .*any_dim=True"),
        (6, False, "embeddings have 5 dimensions, not 6"),
        (6, True, "embeddings have 5 dimensions, not 6"),
        (0, True, "not 0"),
    ],
)
def test_a_size_that_was_not_trained_is_refused(tmp_path, splits, nested: Path, dim, any_dim, telling):
    with pytest.raises(UsageError, match=telling):
        encoded(tmp_path, splits, nested, dim=dim, any_dim=any_dim)
    assert not (tmp_path / "out").exists()


def test_any_run_can_be_cut_where_that_is_asked_for(tmp_path: Path, splits: dict[str, Source]):
    run = encoder_run(tmp_path / "run")
    with pytest.raises(UsageError, match="only for 5") as told:
        encoded(tmp_path, splits, run, dim=4)
    assert told.value.hint == "cut it anyway with --any-dim"  # without a head it cannot be trained nested
    store = open_store(encoded(tmp_path, splits, run, dim=4, any_dim=True).path)
    wanted = prefix_embedding(torch.from_numpy(embedded(run, EVERYONE)), 4).numpy()
    np.testing.assert_allclose(store.decode(0, 41), wanted, rtol=0, atol=1e-6)


def test_a_store_of_another_prefix_is_not_taken_for_this_one(tmp_path, splits, nested: Path):
    encoded(tmp_path, splits, nested, dim=3)
    done = encoded(tmp_path, splits, nested, dim=2, replace=True)
    assert (done.resumed_rows, open_store(done.path).dim) == (0, 2)
    assert encoded(tmp_path, splits, nested, dim=2).resumed_rows == 41


@pytest.mark.parametrize("dim", [2, 3, 5])
def test_a_prefix_is_scored_by_its_own_head(tmp_path, splits: dict[str, Source], nested: Path, dim: int):
    store = open_store(encoded(tmp_path, splits, nested, dim=dim).path)
    found = score_joint_head(store, nested, "cpu")
    model, _ = load_model(nested)
    rows = torch.from_numpy(np.stack([record.features for record in videos(11, 100)]))
    with torch.inference_mode():
        wanted = torch.sigmoid(model.logits(model.embed(rows), dim)).sort(1, descending=True).values
    assert found is not None
    np.testing.assert_allclose(found.scores, wanted[:, : found.scores.shape[1]].numpy(), atol=1e-6)


def test_a_prefix_that_was_not_trained_has_no_joint_head(tmp_path, splits: dict[str, Source], nested: Path):
    store = open_store(encoded(tmp_path, splits, nested, dim=4, any_dim=True).path)
    assert score_joint_head(store, nested, "cpu") is None


def test_a_prefix_is_called_one_and_is_no_row_of_table_4():
    facts = {"encoder": "residual_cnn", "encoder_options": {"pooling": "max"}, "prefix_of": 512}
    assert title(facts, 320, "int8") == "ResidualCNN-512, max pooling, first 320 dimensions, int8"
    assert table4_row(facts, 320, "float32") is None
    del facts["prefix_of"]
    assert table4_row(facts, 320, "float32") == "ResidualCNN-320, Max Pooling"

"""Each rival gives the answer of ours on tiny inputs: else it would be a race for different goals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.data import clustered
from benchmarks.paths.agreement import close, same, same_videos
from benchmarks.paths.encode import trained_like
from benchmarks.paths.searching import build, recall, write_store
from benchmarks.rivals import (
    naive_moe,
    padded_lstm,
    plain_faiss,
    plain_h5py,
    plain_residual_cnn,
    protobuf_messages,
    tfrecord_package,
)
from benchmarks.row import Settings, WrongAnswer
from compress.datasets import FeatureSchema, open_source, write_sample
from compress.store.reader import open_store
from encoders import LSTMEncoder, ModelConfig, MoE, ResidualCNN, build_encoder, build_head, build_model

Reader = Callable[[Path, FeatureSchema], object]


def _by_package(shard: Path, schema: FeatureSchema) -> object:
    pytest.importorskip("tfrecord")
    read = tfrecord_package.read_videos(shard, schema)
    return (tfrecord_package.arrays(record, schema) for record in read)


@pytest.mark.parametrize(
    ("level", "read"),
    [
        ("video", _by_package),
        ("video", protobuf_messages.read_videos),
        ("frame", protobuf_messages.read_frames),
    ],
)
def test_readers_give_the_same_videos(level: str, read: Reader, tmp_path: Path):
    (shard,) = write_sample(tmp_path, level=level, num_videos=7, num_classes=9, num_frames=(2, 5))  # type: ignore[arg-type]
    source = open_source([str(shard)], num_classes=9)

    said = same_videos(source.read_blocks(shard, 3), read(shard, source.schema), 7)

    assert said == "ids, labels and numbers of 7 videos exactly equal"


def test_readers_that_disagree_are_told(tmp_path: Path):
    (shard,) = write_sample(tmp_path, level="video", num_videos=3, num_classes=9)
    source = open_source([str(shard)], num_classes=9)
    others = list(protobuf_messages.read_videos(shard, source.schema))[::-1]

    with pytest.raises(WrongAnswer, match="id of video 0"):
        same_videos(source.read_blocks(shard, 3), others, 3)


@pytest.mark.parametrize("training", [False, True])
def test_the_plain_residual_cnn_computes_what_ours_does(training: bool):
    torch.manual_seed(0)
    ours = trained_like(build_model(ModelConfig("residual_cnn", 2, {"dim": 12})))
    assert isinstance(ours.encoder, ResidualCNN)
    rival = plain_residual_cnn.with_weights_of(ours.encoder).train(training)
    features = torch.randn(3, 1152)

    with torch.no_grad():
        close("embeddings", ours.encoder.train(training)(features), rival(features), 1e-4)


def test_the_naive_head_gives_the_probabilities_and_the_loss_of_ours():
    torch.manual_seed(0)
    ours = build_head("moe", 6, 11, {})
    assert isinstance(ours, MoE)
    with torch.no_grad():
        ours.bias.normal_()
    rival, embedding, labels = naive_moe.with_weights_of(ours), torch.randn(5, 6), torch.rand(5, 11) < 0.2

    with torch.no_grad():
        probabilities = rival(embedding)
        close("probabilities", torch.sigmoid(ours(embedding)), probabilities, 1e-5)
        loss = naive_moe.cross_entropy(probabilities, labels.float())
        close("loss", ours.loss(embedding, labels), loss, 1e-4)


def test_the_padded_lstm_computes_what_ours_does():
    torch.manual_seed(0)
    ours = build_encoder("lstm", {"input_dim": 5, "sizes": (4, 3)}).eval()
    assert isinstance(ours, LSTMEncoder)
    rival, frames, lengths = padded_lstm.with_weights_of(ours), torch.randn(3, 6, 5), torch.tensor([6, 2, 4])

    with torch.no_grad():
        close("embeddings", ours(frames, lengths), rival(frames, lengths), 1e-5)


def test_plain_faiss_finds_what_our_index_does(tmp_path: Path):
    threshold = plain_faiss.default_threshold()
    base, asked = clustered(300, 16, 0), clustered(5, 16, 1)
    ours = build(Settings(True, tmp_path), base, "Flat")

    scores, rows = plain_faiss.flat(base, threshold).search(asked, 10)

    close("scores", ours.search(asked, 10).scores, scores, 1e-5)
    assert recall(ours.search(asked, 10).rows, rows) > 0.99


def test_inverted_lists_find_everything_when_all_are_visited():
    threshold = plain_faiss.default_threshold()
    base, asked = clustered(300, 16, 0), clustered(5, 16, 1)
    rival = plain_faiss.inverted_lists(base, 4, 0, threshold)
    rival.index.nprobe = 4

    assert recall(rival.search(asked, 10)[1], plain_faiss.flat(base, threshold).search(asked, 10)[1]) > 0.99


@pytest.mark.parametrize(
    "write", [plain_h5py.write_row_by_row, lambda path, rows: plain_h5py.write_chunked(path, rows, 7)]
)
def test_h5py_reads_back_the_rows_of_our_store(write: Callable[[Path, np.ndarray], None], tmp_path: Path):
    rows = clustered(20, 8, 0)
    write(tmp_path / "rival.h5", rows)
    write_store(tmp_path / "ours.h5", rows)
    ours = open_store(tmp_path / "ours.h5")

    same("rows", ours.decode(0, 20), plain_h5py.read_all(tmp_path / "rival.h5"))
    wanted = np.array([3, 0, 19])
    same("rows", ours.rows(wanted), plain_h5py.read_rows(tmp_path / "rival.h5", wanted))


@pytest.mark.parametrize(
    ("ours", "rival", "said"),
    [
        ([1.0, 2.0], [1.0, 2.1], "differ by"),
        ([1.0], [1.0, 2.0], r"ours is \(1,\)"),
        ([np.nan], [1.0], "differ by"),
    ],
)
def test_numbers_too_far_apart_are_a_wrong_answer(ours: list[float], rival: list[float], said: str):
    with pytest.raises(WrongAnswer, match=said):
        close("numbers", ours, rival, 1e-3)


def test_one_changed_bit_is_a_wrong_answer_where_exactness_is_asked_for():
    with pytest.raises(WrongAnswer, match="rows differ"):
        same("rows", np.float32(1), np.nextafter(np.float32(1), np.float32(2)))

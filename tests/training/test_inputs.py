"""From a table to what a model reads: statistics, batches, orders, fingerprint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.datasets.batches import Position
from compress.datasets.table import FrameTable
from compress.labels import Labels
from compress.training import new_model as module
from compress.training import train
from compress.training.inputs import (
    batch,
    bytes_of,
    device_table,
    fingerprint,
    reading_order,
    training_order,
)
from compress.training.new_model import set_input_statistics
from encoders import InputNorm, InputNormConfig
from tests.training.examples import CLASSES, DIM, IDENTITY, frame_table, video_table


def statistics(table: object, mode: str) -> tuple[np.ndarray, np.ndarray]:
    norm = InputNorm(InputNormConfig(DIM, mode))
    set_input_statistics(norm, table)
    return norm.mean.numpy(), norm.std.numpy()


def seen_by_the_norm(table: object, mode: str) -> np.ndarray:
    """All videos or frames, float64, as the statistics are to see them."""
    if isinstance(table, FrameTable):
        rows = table.frames * (4 / 255) + 4 / 512 - 2
    else:
        rows = table.features.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True) if mode == "l2_standardize" else rows


@pytest.mark.parametrize("block", [4096, 7])
@pytest.mark.parametrize("mode", ["standardize", "l2_standardize"])
@pytest.mark.parametrize("make", [video_table, frame_table])
def test_statistics_are_those_of_numpy(make, mode: str, block: int, monkeypatch) -> None:
    monkeypatch.setattr(module, "_STATISTICS_ROWS", block)
    mean, std = statistics(make(50), mode)
    rows = seen_by_the_norm(make(50), mode)
    np.testing.assert_allclose(mean, rows.mean(0), atol=1e-6)
    np.testing.assert_allclose(std, rows.std(0), atol=1e-6)


def test_many_frames_are_sampled_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    table = frame_table(50)
    monkeypatch.setattr(module, "_STATISTICS_FRAMES", len(table.frames) // 3)
    monkeypatch.setattr(module, "_STATISTICS_ROWS", 5)
    mean, std = statistics(table, "standardize")
    rows = seen_by_the_norm(table, "standardize")[::3]
    np.testing.assert_allclose(mean, rows.mean(0), atol=1e-6)
    np.testing.assert_allclose(std, rows.std(0), atol=1e-6)


def float_frames(videos: int) -> FrameTable:
    """The frames of `frame_table` as the numbers that its codes stand for."""
    table = frame_table(videos)
    numbers = (table.frames * (4 / 255) + 4 / 512 - 2).astype(np.float32)
    return replace(table, frames=numbers, schema=replace(table.schema, float_frames=True))


def test_float_frames_are_read_as_they_are() -> None:
    codes, floats = frame_table(50), float_frames(50)
    for one, other in zip(statistics(floats, "standardize"), statistics(codes, "standardize"), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    rows = np.array([3, 0, 7])
    on_device = device_table(floats, torch.device("cpu")).batch(rows)
    for one, other in zip(on_device[0], batch(floats, rows, torch.device("cpu"))[0], strict=True):
        assert torch.equal(one, other)
    assert on_device[0][0].dtype == torch.float32
    # Four bytes a number instead of one; everything else is the same.
    assert bytes_of(floats) - bytes_of(codes) == 3 * codes.frames.size


@pytest.mark.parametrize("mode", ["l2", "none"])
def test_modes_without_statistics_read_nothing(mode: str) -> None:
    mean, std = statistics(object(), mode)
    assert not mean.any()
    assert (std == 1).all()


def test_a_dimension_that_never_varies_is_only_centred() -> None:
    table = video_table()
    features = table.features.copy()
    features[:, 3] = 7.0
    mean, std = statistics(replace(table, features=features), "standardize")
    assert (mean[3], std[3]) == (7.0, 1.0)


@pytest.mark.parametrize("make", [video_table, frame_table])
def test_memory_mapped_tables_train_without_a_warning(tmp_path: Path, make) -> None:
    table = make(20)
    name = "frames" if isinstance(table, FrameTable) else "features"
    np.save(tmp_path / "table.npy", getattr(table, name))
    mapped = replace(table, **{name: np.load(tmp_path / "table.npy", mmap_mode="r")})
    wanted = statistics(table, "l2_standardize")
    np.testing.assert_array_equal(statistics(mapped, "l2_standardize"), wanted)
    inputs, labels = batch(mapped, np.arange(5), torch.device("cpu"))
    assert labels.shape == (5, CLASSES)
    assert fingerprint(mapped) == fingerprint(table)
    if not isinstance(inputs, tuple):
        assert train(IDENTITY, mapped, make(20, seed=1), tmp_path / "run").best_epoch > 0
    assert not getattr(mapped, name).flags.writeable


def test_batches_hold_what_the_table_holds() -> None:
    rows = np.array([3, 0, 7])
    features, labels = batch(video_table(), rows, torch.device("cpu"))
    assert features.numpy().tobytes() == video_table().features[rows].tobytes()
    assert (labels.numpy() == video_table().labels.multi_hot(rows)).all()
    (frames, num_frames), _ = batch(frame_table(), rows, torch.device("cpu"))
    table = frame_table()
    assert num_frames.tolist() == table.num_frames[rows].tolist()
    for video, length, row in zip(frames, num_frames, rows, strict=True):
        assert (video[:length].numpy() == table.frames[table.indptr[row] : table.indptr[row + 1]]).all()
        assert not video[length:].any()


@pytest.mark.parametrize("make", [video_table, frame_table])
def test_every_video_is_trained_on_once_an_epoch_and_read_once(make) -> None:
    table, seen = make(24), []
    for position, rows in training_order(table, 5, 0, Position()):
        seen += rows.tolist()
        if position.batch == 0:
            break
    assert sorted(seen) == list(range(24))
    assert sorted(np.concatenate(reading_order(table, 5)).tolist()) == list(range(24))


def test_videos_of_like_length_are_read_together() -> None:
    lengths = [frame_table().num_frames[rows] for rows in reading_order(frame_table(), 5)]
    assert (np.diff(np.concatenate(lengths)) >= 0).all()


def test_the_fingerprint_is_a_function_of_the_contents() -> None:
    assert fingerprint(video_table()) == fingerprint(video_table())
    assert fingerprint(frame_table()) == fingerprint(frame_table())
    assert (
        len({fingerprint(video_table()), fingerprint(video_table(seed=1)), fingerprint(frame_table())}) == 3
    )


def changed_labels(labels: Labels) -> Labels:
    rows = [labels[row].tolist() for row in range(len(labels))]
    rows[5] = [(rows[5][0] + 1) % CLASSES]
    return Labels.from_lists(rows, CLASSES)


@pytest.mark.parametrize("make", [video_table, frame_table])
def test_the_fingerprint_changes_with_a_label_an_id_a_number_and_the_schema(make) -> None:
    table = make()
    name = "frames" if isinstance(table, FrameTable) else "features"
    numbers, ids = getattr(table, name).copy(), table.ids.copy()
    numbers[0, 0] += 1
    ids[7] = b"other"
    others = [
        replace(table, labels=changed_labels(table.labels)),
        replace(table, ids=ids),
        replace(table, **{name: numbers}),
        replace(table, schema=replace(table.schema, id_key="video_id")),
    ]
    if isinstance(table, FrameTable):
        indptr = table.indptr.copy()
        indptr[1] -= 1
        others.append(replace(table, indptr=indptr))
    found = {fingerprint(other) for other in (table, *others)}
    assert len(found) == 1 + len(others)


def test_the_fingerprint_reads_every_997th_row_only() -> None:
    table = video_table(1000)
    for row, noticed in ((0, True), (996, False), (997, True)):
        features = table.features.copy()
        features[row] += 1
        assert (fingerprint(replace(table, features=features)) != fingerprint(table)) is noticed


def test_scaled_unit_vectors_have_numbers_of_size_one_and_keep_every_angle():
    norm = InputNorm(module.input_norm_config("l2_scaled", 16))
    features = torch.randn(50, 16, generator=torch.Generator().manual_seed(0)) * 3
    scaled = norm(features)
    assert torch.allclose(scaled.square().mean(1), torch.ones(50), atol=1e-5)
    rotation = torch.linalg.qr(torch.randn(16, 16, generator=torch.Generator().manual_seed(1)))[0]
    assert torch.allclose(norm(features @ rotation), scaled @ rotation, atol=1e-4)

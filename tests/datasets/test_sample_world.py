"""The sample's world resembles YouTube-8M where it matters, and a linear model is not enough in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from compress.datasets.sample.frames import HIGHEST, LOWEST
from compress.datasets.sample.labels import build_taxonomy, draw_labels
from compress.datasets.sample.world import AUDIO, BLOCK, VISUAL, World
from compress.datasets.source import open_source

CLASSES = 150
TRAIN_BLOCKS, VALIDATE_BLOCKS = 12, 4


def draw(world: World, blocks: range) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 (n, 1152) and labels bool (n, C)."""
    drawn = [world.block(index) for index in blocks]
    labels = np.zeros((len(drawn) * BLOCK, world.num_classes), dtype=bool)
    for number, block in enumerate(drawn):
        for row in range(BLOCK):
            labels[number * BLOCK + row, block.labels(row)] = True
    return np.concatenate([block.features for block in drawn]), labels


@pytest.fixture(scope="module")
def world() -> World:
    return World(0, CLASSES)


@pytest.fixture(scope="module")
def train(world: World) -> tuple[np.ndarray, np.ndarray]:
    return draw(world, range(TRAIN_BLOCKS))


@pytest.fixture(scope="module")
def validate(world: World) -> tuple[np.ndarray, np.ndarray]:
    return draw(world, range(1000, 1000 + VALIDATE_BLOCKS))


@pytest.fixture(scope="module")
def many_labels() -> np.ndarray:
    """Label slots of 30,000 videos in a world with as many classes as YouTube-8M."""
    taxonomy = build_taxonomy(3862, np.random.default_rng(0))
    return draw_labels(taxonomy, 30_000, np.random.default_rng(1))


def test_popularity_follows_zipf(many_labels: np.ndarray) -> None:
    counts = np.sort(np.bincount(many_labels[many_labels >= 0], minlength=3862))[::-1][:1000]
    slope = np.polyfit(np.log(np.arange(1, 1001)), np.log(counts), 1)[0]
    assert -1.25 < slope < -0.75
    assert 0.08 < counts[0] / len(many_labels) < 0.3, "the most frequent real class is on 20 % of the videos"


def test_videos_have_one_to_about_fifteen_labels_three_on_average(many_labels: np.ndarray) -> None:
    counts = (many_labels >= 0).sum(axis=1)
    assert counts.min() == 1
    assert 2.5 < counts.mean() < 4.0
    assert 9 <= counts.max() <= 15
    assert all(len(np.unique(row[row >= 0])) == (row >= 0).sum() for row in many_labels[:500])


def test_the_expected_shares_are_what_is_drawn(many_labels: np.ndarray) -> None:
    expected = build_taxonomy(3862, np.random.default_rng(0)).expected[:100]
    drawn = np.bincount(many_labels[many_labels >= 0], minlength=3862)[:100] / len(many_labels)
    assert np.abs(drawn / expected - 1).mean() < 0.1


def test_children_come_with_their_parents_and_topics_stay_together(
    world: World, train: tuple[np.ndarray, np.ndarray]
) -> None:
    labels = train[1]
    parent = world.taxonomy.ancestors[:, 0]
    children = np.flatnonzero(parent >= 0)
    with_parent = (labels[:, children] & labels[:, parent[children]]).sum()
    by_chance = (labels.mean(axis=0)[children] * labels.mean(axis=0)[parent[children]]).sum() * len(labels)
    assert with_parent > 0.65 * labels[:, children].sum()
    assert with_parent > 5 * by_chance
    together = labels.T.astype(float) @ labels
    np.fill_diagonal(together, 0)
    same_topic = world.taxonomy.topic[:, None] == world.taxonomy.topic
    assert together[same_topic].mean() > 10 * together[~same_topic].mean()


def test_features_are_whitened_like_the_real_ones(train: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, audio = train[0][:, :VISUAL], train[0][:, VISUAL:]
    assert audio.shape[1] == AUDIO
    for values, high, low, norm, spread in ((rgb, 0.75, 0.405, 12.7, 0.39), (audio, 0.9, 0.6, 7.1, 0.28)):
        deviation = values.std(axis=0)
        assert np.abs(values.mean(axis=0)).max() < 0.12, "real means: up to 0.13"
        assert deviation[0] == pytest.approx(high, rel=0.15)
        assert deviation[-20:].mean() == pytest.approx(low, rel=0.1)
        correlation = np.corrcoef(values.T)[np.triu_indices(values.shape[1], 1)]
        assert np.abs(correlation).mean() < 0.06
        norms = np.linalg.norm(values, axis=1)
        assert np.median(norms) == pytest.approx(norm, rel=0.1)
        assert np.log(norms).std() == pytest.approx(spread, rel=0.25)
    kurtosis = (((rgb - rgb.mean(axis=0)) / rgb.std(axis=0)) ** 4).mean()
    assert 3.8 < kurtosis < 5.4, "real mean_rgb: 4.8"


def test_features_fit_what_a_quantised_frame_can_hold(train: tuple[np.ndarray, np.ndarray]) -> None:
    assert train[0].dtype == np.float32
    assert train[0].min() >= LOWEST
    assert train[0].max() <= HIGHEST


def test_the_features_match_the_real_ones(train: tuple[np.ndarray, np.ndarray], shared_data: Path) -> None:
    pattern = shared_data / "yt8m-2018" / "train" / "validate000*.tfrecord"
    source = open_source([str(pattern)])
    real = np.stack([record.features for shard in source.shards for record in source.read(shard)])
    for part in (slice(0, VISUAL), slice(VISUAL, None)):
        found, wanted = train[0][:, part], real[:, part]
        np.testing.assert_allclose(found.std(axis=0), wanted.std(axis=0), rtol=0.3)
        for quantile in (0.05, 0.5, 0.95):
            norms = [np.quantile(np.linalg.norm(values, axis=1), quantile) for values in (found, wanted)]
            assert norms[0] == pytest.approx(norms[1], rel=0.15)


def normalised(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def gap(scores: np.ndarray, labels: np.ndarray) -> float:
    """GAP@20, the slow obvious way."""
    top = np.argsort(-scores, axis=1)[:, :20]
    flat = np.take_along_axis(scores, top, axis=1).ravel()
    hits = np.take_along_axis(labels, top, axis=1).ravel()[np.argsort(-flat, kind="stable")]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / np.minimum(labels.sum(axis=1), 20).sum())


def ridge(train: tuple[np.ndarray, np.ndarray], features: np.ndarray, penalty: float) -> np.ndarray:
    known, labels = normalised(train[0]), train[1].astype(np.float32)
    centre, prior = known.mean(axis=0), labels.mean(axis=0)
    known = known - centre
    weights = np.linalg.solve(known.T @ known + penalty * np.eye(known.shape[1]), known.T @ (labels - prior))
    return (normalised(features) - centre) @ weights + prior


def fitted(model: nn.Module, train: tuple[np.ndarray, np.ndarray], features: np.ndarray) -> np.ndarray:
    """Scores after 8 passes of Adam; features are scaled to about 1 each."""
    scale = np.float32(np.sqrt(VISUAL + AUDIO))
    known, asked = (torch.from_numpy(normalised(values) * scale) for values in (train[0], features))
    labels = torch.from_numpy(train[1]).float()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(known)).split(128):
            loss = nn.functional.binary_cross_entropy_with_logits(
                model(known[rows]), labels[rows], reduction="sum"
            )
            optimizer.zero_grad()
            (loss / len(rows)).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        return model(asked).numpy()


def test_a_small_network_beats_linear_models_clearly(
    train: tuple[np.ndarray, np.ndarray], validate: tuple[np.ndarray, np.ndarray]
) -> None:
    features, labels = validate
    prior = gap(np.tile(train[1].mean(axis=0), (len(labels), 1)), labels)
    least_squares = max(gap(ridge(train, features, penalty), labels) for penalty in (1.0, 3.0, 10.0))
    torch.manual_seed(0)
    dim = VISUAL + AUDIO
    logistic, last = nn.Linear(dim, CLASSES), nn.Linear(512, CLASSES)
    for layer in (logistic, last):
        nn.init.constant_(layer.bias, -4.0)
    network = nn.Sequential(nn.Linear(dim, 512), nn.ReLU(), nn.Dropout(0.5), last)
    linear = gap(torch.from_numpy(fitted(logistic, train, features)).sigmoid().numpy(), labels)
    non_linear = gap(torch.from_numpy(fitted(network, train, features)).sigmoid().numpy(), labels)
    assert prior < 0.15
    assert 0.5 < least_squares < 0.65, "on the real data ridge reaches 0.63"
    assert linear > least_squares
    assert non_linear > least_squares + 0.08
    assert non_linear > linear + 0.025


@pytest.mark.parametrize("num_classes", [2, 3, 17, 4716])
def test_a_world_of_any_size_has_classes_in_range(num_classes: int) -> None:
    block = World(1, num_classes).block(0)
    assert block.slots[:, 0].min() >= 0
    assert block.slots.max() < num_classes
    assert np.isfinite(block.features).all()

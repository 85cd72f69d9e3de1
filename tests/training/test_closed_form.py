"""PCA, random projection and identity beside the textbook."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from compress.datasets.table import VideoTable
from compress.errors import UsageError
from compress.progress import Note
from compress.training import load_model, train, train_config
from compress.training.closed_form import random_directions
from compress.training.run import Run
from encoders import Model
from tests.training.examples import DIM, video_table


def fitted(tmp_path: Path, table: VideoTable, encoder: str, dim: int | None, **settings: object) -> Model:
    config = train_config(encoder, dim, "best", settings)
    result = train(config, table, table, tmp_path / f"{encoder}-{dim}")
    assert (result.best_epoch, result.figures) == (0, {})
    model, metadata = load_model(result.run)
    assert model.head is None
    assert metadata["parameters"]["head"] == 0
    assert not Run(result.run).log.exists()
    return model


def embedded(model: Model, table: VideoTable) -> np.ndarray:
    with torch.no_grad():
        return model.embed(torch.from_numpy(table.features)).numpy()


def normalised(model: Model, table: VideoTable) -> np.ndarray:
    return model.input_norm(torch.from_numpy(table.features)).numpy()


@pytest.mark.parametrize("norm", ["l2", "l2_standardize", "standardize", "none"])
@pytest.mark.parametrize("dim", [1, 5, DIM])
def test_pca_is_that_of_scikit_learn_up_to_sign(tmp_path: Path, norm: str, dim: int) -> None:
    table = video_table(200, noise=1.0)
    model = fitted(tmp_path, table, "pca", dim, input_norm=norm)
    features = normalised(model, table).astype(np.float64)
    reference = PCA(dim, svd_solver="full").fit(features)
    weight = model.encoder.weight.detach().numpy()
    cosines = (weight * reference.components_).sum(1)
    np.testing.assert_allclose(np.abs(cosines), 1, atol=1e-5)
    wanted = reference.transform(features) * np.sign(cosines)
    np.testing.assert_allclose(embedded(model, table), wanted, atol=1e-4)


def test_pca_loses_as_little_as_a_subspace_of_its_size_can(tmp_path: Path) -> None:
    table = video_table(200, noise=1.0)
    model = fitted(tmp_path, table, "pca", 6)
    features = normalised(model, table).astype(np.float64)
    kept = embedded(model, table).var(0).sum()
    spectrum = np.linalg.eigvalsh(np.cov(features.T, bias=True))[::-1]
    assert kept == pytest.approx(spectrum[:6].sum(), rel=1e-5)
    np.testing.assert_allclose(embedded(model, table).mean(0), 0, atol=1e-5)


def test_pca_to_more_dimensions_than_the_videos_span_is_told(tmp_path: Path) -> None:
    few, events = video_table(6, noise=1.0), list[object]()
    train(train_config("pca", 5), few, few, tmp_path / "fits", report=events.append)
    assert events == []
    train(train_config("pca", 8), few, few, tmp_path / "more", report=events.append)
    text = "the 6 training videos span 5 dimensions: of --dim 8 the last 3 are the same for all of them; "
    assert events == [Note(text + "--dim 5 keeps as much")]
    model = load_model(tmp_path / "more")[0]
    assert embedded(model, few)[:, 5:].std(0) == pytest.approx(np.zeros(3), abs=1e-5)


def test_pca_of_many_blocks_is_that_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = video_table(50)
    whole = embedded(fitted(tmp_path / "whole", table, "pca", 4), table)
    monkeypatch.setattr("compress.training.closed_form._ROWS", 7)
    np.testing.assert_allclose(embedded(fitted(tmp_path / "parts", table, "pca", 4), table), whole, atol=1e-5)


def test_the_same_data_gives_the_same_pca(tmp_path: Path) -> None:
    first, second = (fitted(tmp_path / name, video_table(), "pca", 4).state_dict() for name in "ab")
    assert all(torch.equal(first[name], second[name]) for name in first)
    weight = first["encoder.weight"]
    assert (weight.gather(1, weight.abs().argmax(1, keepdim=True)) > 0).all()


def test_a_random_projection_keeps_lengths_on_average(tmp_path: Path) -> None:
    vectors = torch.randn(300, 256, generator=torch.Generator().manual_seed(5))
    ratios = (vectors @ random_directions(64, 256, seed=0).T).square().sum(1) / vectors.square().sum(1)
    # A chi-square of 64 degrees: mean 1, deviation sqrt(2 / 64).
    assert ratios.mean() == pytest.approx(1, abs=0.05)
    assert ratios.std() == pytest.approx(np.sqrt(2 / 64), rel=0.2)


def test_a_random_projection_is_linear_in_the_normalised_features(tmp_path: Path) -> None:
    table = video_table()
    model = fitted(tmp_path, table, "random_projection", 5, seed=3)
    wanted = normalised(model, table) @ random_directions(5, DIM, seed=3).numpy().T
    np.testing.assert_allclose(embedded(model, table), wanted, atol=1e-5)


def test_the_seed_decides_a_random_projection_and_nothing_else_does() -> None:
    torch.manual_seed(1)
    first = random_directions(4, 6, seed=2)
    torch.manual_seed(99)
    assert torch.equal(first, random_directions(4, 6, seed=2))
    assert not torch.equal(first, random_directions(4, 6, seed=3))


def test_identity_gives_the_features_back_bit_for_bit(tmp_path: Path) -> None:
    table = video_table()
    model = fitted(tmp_path, table, "identity", None)
    assert embedded(model, table).tobytes() == table.features.tobytes()


@pytest.mark.parametrize(
    ("encoder", "dim", "message"),
    [
        ("pca", DIM + 1, f"pca gives between 1 and {DIM} dimensions, not {DIM + 1}"),
        ("random_projection", DIM + 1, f"between 1 and {DIM}"),
        ("pca", 0, "not 0"),
        ("pca", None, "pca gives between 1 and 16 dimensions, not None"),
        ("identity", 8, f"keeps all {DIM} dimensions"),
    ],
)
def test_sizes_that_cannot_be_are_refused(
    tmp_path: Path, encoder: str, dim: int | None, message: str
) -> None:
    config = train_config(encoder, dim)
    with pytest.raises(UsageError, match=message):
        train(config, video_table(), video_table(), tmp_path / "run")

"""Undoing the whitening of rgb: what the numbers are, where they are kept, and which files are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.datasets.schema import AUDIOSET, YT8M_2018_VIDEO, FeatureSchema
from compress.errors import CorruptArtifactError, NotFoundError, SchemaError, UsageError
from compress.training import TrainConfig, load_model, train
from compress.training.new_model import (
    EPSILON,
    fit_input_norm,
    input_norm_config,
    whitening,
    whitening_sha256,
)
from encoders import InputNorm
from tests.training.examples import CLASSES, DIM, LINEAR, LSTM, tables

EIGENVALUES = np.geomspace(10, 1e-3, 20, dtype=np.float32)[:, None]
SCHEMA = FeatureSchema("video", ("mean_audio", "mean_rgb"), (4, DIM - 4), CLASSES, "id")


def saved(folder: Path, values: np.ndarray = EIGENVALUES, name: str = "eigenvalues.npy") -> str:
    np.save(folder / name, values)
    return str(folder / name)


def rgb_tables(config: TrainConfig) -> list:
    return [replace(t, schema=replace(t.schema, names=("mean_rgb",))) for t in tables(config)]


def test_rgb_is_multiplied_by_the_roots_it_was_divided_by_and_audio_stays(tmp_path: Path) -> None:
    factors = whitening(saved(tmp_path), SCHEMA)
    assert factors.dtype == torch.float32
    assert torch.equal(factors[:4], torch.ones(4))
    wanted = np.sqrt(EIGENVALUES[: DIM - 4, 0].astype(np.float64) + EPSILON)
    torch.testing.assert_close(factors[4:].double(), torch.from_numpy(wanted), rtol=1e-6, atol=0)


@pytest.mark.parametrize("mode", ["l2", "l2_scaled", "l2_standardize", "standardize", "none"])
@pytest.mark.parametrize("recipe", [LINEAR, LSTM], ids=lambda config: config.encoder)
def test_the_norm_is_that_of_the_multiplied_features(tmp_path: Path, mode: str, recipe: TrainConfig) -> None:
    config = replace(recipe, input_norm=mode, undo_whitening=saved(tmp_path))
    table = rgb_tables(recipe)[0]
    norm, plain = (InputNorm(input_norm_config(mode, DIM, undo)) for undo in (True, False))
    fit_input_norm(norm, config, table)
    factors = whitening(config.undo_whitening, table.schema)
    if (
        recipe is LSTM
    ):  # its frames are codes: whatever the statistics are, they are of the multiplied numbers
        plain.set_statistics(norm.mean, norm.std)
        frames, lengths = torch.randn(3, 4, DIM), torch.tensor([4, 2, 0])
        torch.testing.assert_close(norm(frames, lengths), plain(frames * factors, lengths))
        return
    fit_input_norm(plain, config, replace(table, features=table.features * factors.numpy()))
    features = torch.randn(5, DIM)
    torch.testing.assert_close(norm(features), plain(features * factors), rtol=1e-4, atol=1e-4)


def test_a_model_holds_its_whitening_and_needs_the_file_no_more(tmp_path: Path) -> None:
    config = replace(LINEAR, epochs=1, undo_whitening=saved(tmp_path))
    train(config, *rgb_tables(config), tmp_path / "run")
    Path(config.undo_whitening).unlink()
    model, _ = load_model(tmp_path / "run")
    wanted = np.sqrt(EIGENVALUES[:DIM, 0] + EPSILON)
    torch.testing.assert_close(model.input_norm.whitening, torch.from_numpy(wanted.astype(np.float32)))


@pytest.mark.parametrize("encoder", ["pca", "random_projection"])
def test_closed_forms_undo_it_too(tmp_path: Path, encoder: str) -> None:
    config = TrainConfig(encoder, {"dim": 4}, head=None, input_norm="l2", undo_whitening=saved(tmp_path))
    train(config, *rgb_tables(LINEAR), tmp_path / "run")
    assert load_model(tmp_path / "run")[0].input_norm.config.undo_whitening


def test_a_run_goes_on_wherever_the_same_eigenvalues_lie_and_not_with_others(tmp_path: Path) -> None:
    config, both = replace(LINEAR, epochs=1, undo_whitening=saved(tmp_path)), rgb_tables(LINEAR)
    train(config, *both, tmp_path / "run")
    elsewhere = replace(config, undo_whitening=saved(tmp_path, name="elsewhere.npy"))
    assert train(elsewhere, *both, tmp_path / "run").best_epoch == 1
    for other in (saved(tmp_path, 2 * EIGENVALUES, "other.npy"), ""):
        with pytest.raises(UsageError, match="the eigenvalues"):
            train(replace(config, undo_whitening=other), *both, tmp_path / "run")


def test_the_hash_is_of_the_numbers_not_of_the_file(tmp_path: Path) -> None:
    flat = saved(tmp_path, EIGENVALUES[:, 0].astype(np.float64), "flat.npy")
    assert whitening_sha256(saved(tmp_path)) == whitening_sha256(flat)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([1.0, np.nan]), "largest must come first"),
        (np.array([1.0, 2.0]), "largest must come first"),
        (np.array([1.0, -2.0]), "must not be negative"),
        (np.arange(5), "floating-point"),
        (np.ones((2, 2)), "one column"),
        (np.array(1.0), "one column"),
        (np.array([{"a": 1}], dtype=object), "not an npy file"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path: Path, values: np.ndarray, message: str) -> None:
    with pytest.raises(CorruptArtifactError, match=message):
        whitening(saved(tmp_path, values), SCHEMA)


def test_a_file_that_is_none_or_not_there_is_refused(tmp_path: Path) -> None:
    whole = Path(saved(tmp_path)).read_bytes()
    for content in (b"", b"1 2 3", b"PK\x03\x04 no zip", whole[:-1], whole[:9]):
        (tmp_path / "broken.npy").write_bytes(content)
        with pytest.raises(CorruptArtifactError, match="not an npy file"):
            whitening(str(tmp_path / "broken.npy"), SCHEMA)
    with pytest.raises(NotFoundError):
        whitening(str(tmp_path / "missing.npy"), SCHEMA)


def test_features_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="these videos have audio_embedding"):
        whitening(saved(tmp_path), AUDIOSET)
    with pytest.raises(SchemaError, match="20 eigenvalues for the 1024 dimensions of mean_rgb"):
        whitening(saved(tmp_path), YT8M_2018_VIDEO)


def test_a_file_that_does_not_fit_claims_no_folder(tmp_path: Path) -> None:
    config = replace(LINEAR, undo_whitening=str(tmp_path / "missing.npy"))
    with pytest.raises(NotFoundError):
        train(config, *rgb_tables(config), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("change", [{"mixup": 0.2}, {"label_smoothing": 0.1}, {"class_loss": "asymmetric"}])
def test_what_only_training_can_do_is_refused_for_computed_encoders(change: dict) -> None:
    with pytest.raises(UsageError, match="closed-form encoder"):
        TrainConfig("pca", {"dim": 4}, head=None, **change)


def test_the_untouched_features_stay_untouched() -> None:
    with pytest.raises(UsageError, match="identity keeps the features as they are"):
        TrainConfig("identity", head=None, undo_whitening="eigenvalues.npy")


def test_googles_file_undoes_the_1024_numbers_of_rgb(shared_data: Path) -> None:
    factors = whitening(str(shared_data / "yt8m-2018" / "inception_pca_eigenvals.npy"), YT8M_2018_VIDEO)
    assert factors[0] == pytest.approx(14.7386**0.5, rel=1e-4)
    assert torch.equal(factors[1024:], torch.ones(128))

"""PCA with whitening and 8 bits: what it does with many videos, with few, and with the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from compress.datasets.sample.frames import dequantize as of_the_sample
from compress.errors import CorruptArtifactError, DataError, NotFoundError, SchemaError
from compress.extract.projection import Projection, dequantize, fit, quantize
from compress.extract.projection_artifact import check_fits, keep, load

DIM = 12


def videos(count: int, frames: int = 6, seed: int = 0) -> list[np.ndarray]:
    """Frames around a mean of each video's own; variances from 100 down to 0.01."""
    rng = np.random.default_rng(seed)
    spread = np.geomspace(10, 0.1, DIM)
    turn = np.linalg.qr(np.random.default_rng(9).normal(size=(DIM, DIM)))[0]
    means = rng.normal(size=(count, 1, DIM))
    return list(
        (((means + 0.5 * rng.normal(size=(count, frames, DIM))) * spread) @ turn + 3).astype(np.float16)
    )


def fitted(of: Sequence[np.ndarray], components: int = DIM) -> Projection:
    return fit(lambda: iter(of), components)


def test_it_is_pca_with_whitening_when_there_are_many_videos():
    many = videos(1500)
    rows = np.concatenate(many).astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(rows.T, bias=True))
    wanted = (rows[:50] - rows.mean(0)) @ vectors[:, ::-1][:, :5] / np.sqrt(values[::-1][:5])

    found = fitted(many, 5)

    ours = found.values(many[0]) / found.factor
    np.testing.assert_allclose(np.abs(ours), np.abs(wanted[: len(ours)]), atol=0.1)
    np.testing.assert_allclose(found.eigenvalues, values[::-1], rtol=1e-6)
    assert found.whitening > 0.99
    spread = np.concatenate([found.values(video) for video in many]).std(0) / found.factor
    np.testing.assert_allclose(spread, 1, atol=0.06)


def test_with_few_videos_neighbours_stay_neighbours():
    """Of four videos whitened wholly, any two are equally far apart; here the halves of each are near."""
    few = videos(4, frames=20)
    found = fitted(few)
    halves = np.stack([dequantize(found(half)).mean(0) for video in few for half in (video[:10], video[10:])])
    distances = np.linalg.norm(halves[:, None] - halves[None], axis=2) + np.eye(8) * 1e9

    assert (distances.argmin(1) == np.arange(8) ^ 1).all()
    raw = np.stack([half.astype(float).mean(0) for video in few for half in (video[:10], video[10:])])
    far = np.linalg.norm(raw[:, None] - raw[None], axis=2)
    pairs = np.triu_indices(8, 1)
    assert np.corrcoef(distances[pairs], far[pairs])[0, 1] > 0.9
    assert found.whitening < 0.6


def test_more_videos_whiten_more():
    assert fitted(videos(4)).whitening < fitted(videos(40)).whitening < fitted(videos(400)).whitening


def test_a_byte_is_read_as_youtube_8m_is_read():
    """Dequantize of the starter code: q * (4 / 255) + (4 / 512) - 2."""
    every = np.arange(256, dtype=np.uint8)

    np.testing.assert_allclose(dequantize(every), every * (4.0 / 255.0) + (4.0 / 512.0) - 2.0, atol=1e-6)
    np.testing.assert_array_equal(dequantize(every), of_the_sample(every).astype(np.float32))
    np.testing.assert_array_equal(quantize(dequantize(every)), every)
    np.testing.assert_array_equal(quantize(np.array([-9.0, 9.0])), [0, 255])


def test_the_steps_are_where_the_values_are():
    """Another factor, half or twice as large, loses more."""
    many = videos(300)
    found = fitted(many)
    values = np.concatenate([found.values(video) for video in many])

    def lost(scale: float) -> float:
        back = dequantize(quantize(values * scale)) / scale
        return float(np.square(back - values).mean())

    assert lost(1.0) < 0.9 * min(lost(0.5), lost(2.0))
    assert lost(1.0) < 1e-3 * values.var()


def test_scale_of_the_features_does_not_matter():
    small, large = fitted([video / 64 for video in videos(30)]), fitted(videos(30))

    np.testing.assert_allclose(small(videos(2)[1] / 64).astype(int), large(videos(2)[1]).astype(int), atol=1)


@pytest.mark.parametrize("of", [[], [np.ones((1, DIM), np.float16)], [np.ones((5, DIM), np.float16)] * 3])
def test_frames_that_do_not_differ_are_refused_with_advice(of: list[np.ndarray]):
    with pytest.raises(DataError, match="--projection FOLDER"):
        fitted(of)


def test_a_feature_that_never_moves_is_no_division_by_zero():
    still = [np.concatenate([video, np.zeros((len(video), 4), np.float16)], 1) for video in videos(200)]

    assert np.isfinite(fitted(still, 16).components).all()


FACTS = {"rgb": {"name": "tiny", "weights": "0" * 64}}


def test_it_is_kept_and_loaded(tmp_path: Path):
    made = keep(tmp_path / "p", {"rgb": fitted(videos(20))}, FACTS)
    found = load(tmp_path / "p")

    assert (found.fingerprint, found.backbones) == (made.fingerprint, FACTS)
    np.testing.assert_array_equal(found.parts["rgb"](videos(3)[2]), made.parts["rgb"](videos(3)[2]))
    check_fits(found, FACTS, tmp_path)


def test_damage_is_noticed(tmp_path: Path):
    with pytest.raises(NotFoundError):
        load(tmp_path / "none")
    keep(tmp_path / "p", {"rgb": fitted(videos(20))}, FACTS)
    (file,) = (tmp_path / "p").glob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorruptArtifactError, match="sha256"):
        load(tmp_path / "p")


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ({"rgb": {"name": "tiny", "weights": "1" * 64}}, "weights is 0000.*use the backbone tiny"),
        ({**FACTS, "audio": {"name": "v"}}, "without audio; leave out --audio-backbone"),
        ({}, "fitted with rgb as well"),
    ],
)
def test_other_features_are_refused(tmp_path: Path, facts: dict, what: str):
    kept = keep(tmp_path / "p", {"rgb": fitted(videos(20))}, FACTS)

    with pytest.raises(SchemaError, match=what):
        check_fits(kept, facts, tmp_path / "p")

"""Dequantising and normalising: the published constants, and what must not change."""

from __future__ import annotations

import pytest
import torch

from encoders import InputNorm, InputNormConfig, dequantize


def test_dequantize_has_the_published_values() -> None:
    values = dequantize(torch.arange(256, dtype=torch.uint8))
    assert values.dtype == torch.float32
    assert (values[0].item(), values[255].item()) == (-1.9921875, 2.0078125)
    expected = torch.arange(256, dtype=torch.float64) * 4 / 255 + 4 / 512 - 2
    torch.testing.assert_close(values.double(), expected, rtol=0, atol=5e-7)


def test_l2_is_over_the_whole_concatenated_vector() -> None:
    features = torch.randn(3, 1152)
    normed = InputNorm(InputNormConfig())(features)
    torch.testing.assert_close(normed.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(normed, features / features.square().sum(1, keepdim=True).sqrt())


def test_frames_are_normalised_one_by_one_and_padding_is_zero() -> None:
    frames = torch.randint(0, 256, (2, 5, 8), dtype=torch.uint8)
    normed = InputNorm(InputNormConfig(dim=8))(frames, torch.tensor([5, 2]))
    torch.testing.assert_close(normed[0].norm(dim=1), torch.ones(5))
    assert not normed[1, 2:].any()
    wanted = dequantize(frames[1, 1])
    torch.testing.assert_close(normed[1, 1], wanted / wanted.norm())


def test_nan_in_the_padding_stays_there() -> None:
    frames = torch.randn(1, 4, 8)
    frames[0, 2:] = float("nan")
    assert torch.isfinite(InputNorm(InputNormConfig(dim=8))(frames, torch.tensor([2]))).all()


def test_a_zero_vector_stays_zero() -> None:
    assert not InputNorm(InputNormConfig(dim=4))(torch.zeros(1, 4)).any()


@pytest.mark.parametrize("unit", [False, True])
def test_standardize_uses_the_training_statistics(unit: bool) -> None:
    data = torch.randn(1000, 6) * torch.tensor([1, 2, 3, 4, 5, 0.0]) + 7
    norm = InputNorm(InputNormConfig(dim=6, mode="standardize", unit_after=unit, scale=2.0))
    norm.set_statistics(data.mean(0), data.std(0))
    normed = norm(data)
    assert torch.isfinite(normed).all()  # the last dimension never varies
    if unit:
        torch.testing.assert_close(normed.norm(dim=1), torch.full((1000,), 2.0))
    else:
        torch.testing.assert_close(normed.std(0)[:5], torch.full((5,), 2.0))
    restored = InputNorm(norm.config)
    restored.load_state_dict(norm.state_dict())
    assert torch.equal(restored(data), normed)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_features_become_float32(dtype: torch.dtype) -> None:
    features = (torch.randn(2, 8) * 1000).to(dtype)  # squares overflow float16
    normed = InputNorm(InputNormConfig(dim=8))(features)
    assert normed.dtype == torch.float32
    torch.testing.assert_close(normed.norm(dim=1), torch.ones(2))


def test_mode_none_changes_nothing() -> None:
    features = torch.randn(2, 8)
    assert torch.equal(InputNorm(InputNormConfig(dim=8, mode="none"))(features), features)


@pytest.mark.parametrize(
    ("features", "num_frames", "message"),
    [
        (torch.zeros(2, 7), None, r"takes \(B, 8\), not \(2, 7\)"),
        (torch.zeros(2, 3, 8), None, r"takes \(B, 8\)"),
        (torch.zeros(2, 8), torch.tensor([1, 1]), r"takes \(B, T, 8\) with num_frames"),
        (torch.zeros(2, 3, 8), torch.tensor([1, 4]), r"must be in \[0, 3\].* found 1 to 4"),
        (torch.zeros(2, 8, dtype=torch.int64), None, "floating point or uint8"),
    ],
)
def test_wrong_input_is_refused(
    features: torch.Tensor, num_frames: torch.Tensor | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        InputNorm(InputNormConfig(dim=8))(features, num_frames)


def test_wrong_options_and_statistics_are_refused() -> None:
    with pytest.raises(ValueError, match="unit_after needs mode 'standardize'"):
        InputNormConfig(unit_after=True)
    with pytest.raises(ValueError, match="scale must be positive"):
        InputNormConfig(scale=0.0)
    norm = InputNorm(InputNormConfig(dim=3))
    with pytest.raises(ValueError, match=r"std must be \(3,\) finite"):
        norm.set_statistics(torch.zeros(3), torch.tensor([1.0, float("inf"), 1.0]))


def test_whitening_is_undone_before_anything_else_and_travels_with_the_weights() -> None:
    factors = torch.tensor([2.0, 1.0, 0.5])
    norm = InputNorm(InputNormConfig(dim=3, undo_whitening=True))
    norm.set_whitening(factors)
    features = torch.randn(4, 3)
    wanted = InputNorm(InputNormConfig(dim=3))(features * factors)
    torch.testing.assert_close(norm(features), wanted)
    restored = InputNorm(norm.config)
    restored.load_state_dict(norm.state_dict())
    assert torch.equal(restored(features), norm(features))
    assert "whitening" not in InputNorm(InputNormConfig(dim=3)).state_dict()


@pytest.mark.parametrize(
    ("undo", "factors", "message"),
    [
        (False, torch.ones(3), "does not undo"),
        (True, torch.ones(2), "finite positive numbers"),
        (True, torch.zeros(3), "finite positive numbers"),
        (True, torch.full((3,), float("nan")), "finite positive numbers"),
    ],
)
def test_wrong_whitening_is_refused(undo: bool, factors: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InputNorm(InputNormConfig(dim=3, undo_whitening=undo)).set_whitening(factors)

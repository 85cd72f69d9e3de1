"""Weights in few bytes: layouts of zeros, 8 bits per row, and the state dict again, equal or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compress.training.weights import (
    PRECISIONS,
    WeightPrecision,
    bytes_by_part,
    matrices_of,
    not_zero_by_part,
    pack,
    quantise_rows,
    restore_rows,
    row_length,
    spread,
    squeeze,
    unpack,
)
from encoders import list_encoders
from tests.encoders.examples import model_inputs_for, small_model

MATRICES = ["encoder.weight", "head.weight"]


def state(pruned: float = 0.0) -> dict[str, Tensor]:
    torch.manual_seed(0)
    found = {
        "encoder.weight": torch.randn(8, 64),
        "encoder.norm.running_var": torch.rand(8) + 1e5,  # beyond the range of float16
        "encoder.norm.num_batches_tracked": torch.tensor(3),
        "head.weight": torch.randn(5, 30, 32),
        "head.bias": torch.randn(2, 30),
        "side_heads.a.weight": torch.randn(4, 30),
    }
    for name in MATRICES:
        found[name][torch.rand_like(found[name]) < pruned] = 0
    return found


@pytest.mark.parametrize("pruned", [0.0, 0.8, 0.97, 1.0])
@pytest.mark.parametrize(("precision", "off"), [("float32", 0.0), ("float16", 5e-4), ("int8", 4e-3)])
def test_matrices_come_back_as_exact_as_their_bits_allow_and_zeros_as_zeros(
    precision: WeightPrecision, off: float, pruned: float
) -> None:
    before = state(pruned)
    after = unpack(*pack(before, MATRICES, precision), before)
    assert after.keys() == before.keys()
    for name, value in before.items():
        assert after[name].dtype == value.dtype
        error = (after[name].double() - value.double()).abs().max()
        assert error <= (off * float(value.abs().max()) if name in MATRICES else 0)
        assert not after[name][value == 0].any()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_packing_what_was_unpacked_changes_nothing(precision: WeightPrecision) -> None:
    first, description = pack(state(0.5), MATRICES, precision)
    second, _ = pack(unpack(first, description, state()), MATRICES, precision)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_fewer_bits_and_more_zeros_take_fewer_bytes() -> None:
    def size(precision: WeightPrecision, pruned: float) -> int:
        return sum(bytes_by_part(pack(state(pruned), MATRICES, precision)[0]).values())

    assert size("float32", 0) > size("float16", 0) > size("int8", 0) > size("int8", 0.8) > size("int8", 0.95)
    weights = sum(state()[name].numel() for name in MATRICES)
    assert size("float32", 0.8) < (0.22 * 4 + 1 / 8) * weights + 1500, "a bit each, and a fifth of them"


def test_what_is_left_out_is_zero_again() -> None:
    before = state()
    packed, description = pack(before, MATRICES, "int8", left_out=["side_heads.a.weight"])
    assert not any(name.startswith("side_heads") for name in packed)
    after = unpack(packed, description, before)
    assert torch.equal(after["side_heads.a.weight"], torch.zeros(4, 30))


def test_bytes_and_numbers_are_told_by_part() -> None:
    packed, _ = pack(state(0.5), MATRICES, "float16")
    assert bytes_by_part(packed).keys() == {"encoder", "head", "side_heads"}
    assert sum(bytes_by_part(packed).values()) == sum(t.numel() * t.element_size() for t in packed.values())
    assert not_zero_by_part(state(1.0)) == {"encoder": 9, "head": 60, "side_heads": 120}


@pytest.mark.parametrize(
    ("precision", "value"),
    [("int8", float("nan")), ("float16", float("inf")), ("float32", float("nan")), ("float16", 1e6)],
)
def test_weights_that_cannot_be_kept_are_refused_by_name(precision: WeightPrecision, value: float) -> None:
    tensors = state()
    tensors["head.weight"][0, 0, 0] = value
    with pytest.raises(ValueError, match=r"head\.weight: a weight is"):
        pack(tensors, MATRICES, precision)


def wrong_type(packed: dict[str, Tensor], description: dict[str, Any]) -> None:
    packed["encoder.weight#values"] = packed["encoder.weight#values"].float()


def no_factors(packed: dict[str, Tensor], description: dict[str, Any]) -> None:
    del packed["encoder.weight#factors"]


def too_few(packed: dict[str, Tensor], description: dict[str, Any]) -> None:
    packed["encoder.weight#values"] = packed["encoder.weight#values"][:-1]


def other_factors(packed: dict[str, Tensor], description: dict[str, Any]) -> None:
    packed["encoder.weight#factors"] = packed["encoder.weight#factors"][:-1]


def unknown(packed: dict[str, Tensor], description: dict[str, Any]) -> None:
    description["precision"] = "int3"


@pytest.mark.parametrize("damage", [wrong_type, no_factors, too_few, other_factors, unknown])
def test_parts_that_do_not_fit_are_refused(damage: Any) -> None:
    packed, description = pack(state(), MATRICES, "int8")
    damage(packed, description)
    with pytest.raises(ValueError, match=r"encoder\.weight: |precision of weights"):
        unpack(packed, description, state())


@pytest.mark.parametrize("missing", ["head.weight#values", "matrix"])
def test_a_missing_tensor_is_a_key_that_is_missing(missing: str) -> None:
    packed, description = pack(state(), MATRICES, "float16")
    packed.pop(missing, None)
    description["matrices"] += [missing] if missing == "matrix" else []
    with pytest.raises(KeyError):
        unpack(packed, description, state())


def test_matrices_are_weights_and_no_biases_norms_or_statistics() -> None:
    found = matrices_of(small_model("linear"))
    assert found.keys() == {"encoder.weight", "head.weight"}
    assert all("bias" not in name and "norm" not in name for name in matrices_of(small_model("nextvlad")))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", list_encoders())
def test_every_encoder_computes_nearly_the_same_from_packed_weights(
    name: str, precision: WeightPrecision
) -> None:
    model = small_model(name).eval()
    inputs, state = model_inputs_for(model, 4), model.state_dict()
    with torch.no_grad():
        before = model(inputs)
        model.load_state_dict(unpack(*pack(state, matrices_of(model), precision), state))
        after = model(inputs)
    assert (after - before).abs().max() <= {"float32": 0.0, "float16": 0.02, "int8": 0.2}[precision]


TYPES = [np.int8, np.float16, np.float32]


def numbers(share_of_zeros: float, count: int = 4000, kind: type = np.int8) -> np.ndarray:
    random = np.random.default_rng(7)
    values = random.integers(1, 100, count) * random.choice([-1, 1], count)
    return np.where(random.random(count) < share_of_zeros, 0, values).astype(kind)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 0.95, 0.9995, 1.0])
def test_every_share_of_zeros_comes_back(share: float, kind: type) -> None:
    wanted = numbers(share, kind=kind)
    parts = squeeze(wanted)
    found = spread(parts, len(wanted))
    assert found.dtype == wanted.dtype
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("share", "layout"),
    [(0.0, {"values"}), (0.5, {"values", "mask"}), (0.8, {"values", "mask"}), (0.95, {"values", "gaps"})],
)
def test_the_smallest_layout_is_chosen(share: float, layout: set[str]) -> None:
    assert set(squeeze(numbers(share))) == layout


@pytest.mark.parametrize("places", [[], [0], [254], [255], [256], [509, 510, 511], [0, 255, 3999], [3999]])
def test_gaps_longer_than_a_byte_come_back(places: list[int]) -> None:
    wanted = np.zeros(4000, dtype=np.int8)
    wanted[places] = 5
    parts = squeeze(wanted)
    assert "gaps" in parts
    assert np.array_equal(spread(parts, 4000), wanted)
    assert parts["gaps"].tolist() == gaps_one_by_one(wanted)


def gaps_one_by_one(values: np.ndarray) -> list[int]:
    found, zeros = [], 0
    for value in values.tolist():
        if value:
            found += [255] * (zeros // 255) + [zeros % 255]
            zeros = 0
        else:
            zeros += 1
    return found


def test_a_mask_has_its_first_number_in_the_lowest_bit() -> None:
    parts = squeeze(np.array([0, 7, 0, 0, 0, 0, 0, 0, 0, 9] + [0] * 30, dtype=np.float32))
    assert parts["values"].tolist() == [7, 9]
    assert parts["mask"].tolist() == [2, 2, 0, 0, 0] if "mask" in parts else parts["gaps"].tolist() == [1, 7]


def test_nothing_is_nothing() -> None:
    assert len(spread(squeeze(np.zeros(0, dtype=np.int8)), 0)) == 0


VALUES = np.array([1, 2], dtype=np.int8)


@pytest.mark.parametrize(
    "parts",
    [
        {"values": VALUES},
        {"values": VALUES, "mask": np.array([3, 0], dtype=np.uint8)},
        {"values": VALUES, "mask": np.array([7], dtype=np.uint8)},
        {"values": VALUES, "mask": np.array([3], dtype=np.int32)},
        {"values": VALUES, "mask": np.array([[3]], dtype=np.uint8)},
        {"values": VALUES, "mask": np.array([129], dtype=np.uint8)},
        {"values": VALUES, "gaps": np.array([0], dtype=np.uint8)},
        {"values": VALUES, "gaps": np.array([0, 255, 255, 3], dtype=np.uint8)},
        {"values": VALUES[None], "gaps": np.array([0], dtype=np.uint8)},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="weights"):
        spread(parts, 5)


@pytest.mark.parametrize(
    ("shape", "length"),
    [
        ((3862, 320), 320),
        ((5, 3862, 320), 320),
        ((5, 12, 8), 96),  # numbers of one class are too few for a factor of their own
        ((64, 1, 49), 49),
        ((256, 128, 1), 128),
        ((8, 4), 4),
    ],
)
def test_a_row_is_what_makes_one_output(shape: tuple[int, ...], length: int) -> None:
    assert row_length(shape) == length


def test_codes_are_those_computed_one_by_one() -> None:
    weights = np.random.default_rng(0).standard_normal((6, 20)).astype(np.float32)
    weights[2] = 0
    weights[3, :5] = 0
    codes, factors = quantise_rows(weights)
    for row, values in enumerate(weights):
        largest = float(np.abs(values).max())
        assert factors[row] == np.float32(largest / 127)
        wanted = [0 if largest == 0 else round(float(value / factors[row])) for value in values]
        assert codes[row].tolist() == wanted
    restored = restore_rows(codes, factors)
    assert np.abs(restored - weights).max() <= factors.max() / 2 * 1.001
    assert np.array_equal(restored == 0, codes == 0)


@pytest.mark.parametrize("value", [0.0, 1e-45, 1e-42, 1e-38, 3e38])
def test_very_small_and_very_large_weights_stay_finite(value: float) -> None:
    weights = np.full((2, 20), value, dtype=np.float32)
    restored = restore_rows(*quantise_rows(weights))
    assert np.isfinite(restored).all()
    assert np.allclose(restored, weights, rtol=0.01, atol=1e-43)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        quantise_rows(np.array([[1.0, value]], dtype=np.float32))


def test_factors_that_are_not_one_a_row_are_refused() -> None:
    codes, factors = quantise_rows(np.ones((4, 20), dtype=np.float32))
    for wrong in (factors[:3], factors.astype(np.float64), factors[:, None]):
        with pytest.raises(ValueError, match="factors"):
            restore_rows(codes, wrong)


def test_an_empty_matrix_has_no_codes() -> None:
    codes, factors = quantise_rows(np.zeros((0, 20), dtype=np.float32))
    assert restore_rows(codes, factors).shape == (0, 20)

"""State dicts to the tensors of a file and back, and what they are refused for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from compress.weights import PRECISIONS, WeightPrecision, matrices_of, pack, unpack
from compress.weights.sizes import bytes_by_part, not_zero_by_part
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
    with pytest.raises(ValueError, match=r"encoder\.weight: |weights in"):
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

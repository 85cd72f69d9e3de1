"""Numbers with zeros among them come back as they were, and take the fewest bytes of the three layouts."""

from __future__ import annotations

import numpy as np
import pytest

from compress.weights.layouts import spread, squeeze

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

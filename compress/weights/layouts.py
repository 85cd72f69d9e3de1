"""Numbers of which many are 0, in the fewest bytes: all of them, or the others and where they stand.

"dense": every number. "mask": one bit each, and those that are not 0. "gaps": one byte each of those that are
not 0, how many zeros come before it, and they themselves; a byte of 255 stands for 255 zeros and no number.
A mask is the smallest where less than about 7 of 8 are 0, gaps beyond that.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Parts = dict[str, np.ndarray]
_LONG = 255


def squeeze(numbers: np.ndarray) -> Parts:
    """The smallest of the layouts.

    Args:
        numbers: (n,).

    Returns:
        By part: {"values"}; {"values", "mask"} with the mask as bits, uint8 (ceil(n / 8),), the first number
        the lowest bit; or {"values", "gaps"}, uint8.
    """
    places = np.flatnonzero(numbers)
    values = numbers[places]
    layouts: list[Parts] = [{"values": numbers}]
    layouts.append({"values": values, "mask": np.packbits(numbers != 0, bitorder="little")})
    if len(values) < len(numbers) // 4:  # more would not pay, and take memory to find out
        layouts.append({"values": values, "gaps": _gaps(places)})
    return min(layouts, key=lambda parts: sum(part.nbytes for part in parts.values()))


def spread(parts: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """The numbers (count,) that `squeeze` was given; ValueError where the parts are not of so many."""
    values = parts["values"]
    if values.ndim != 1 or any(part.ndim != 1 or part.dtype != np.uint8 for part in _places(parts)):
        raise ValueError("places of weights are not bytes")
    if "mask" in parts:
        places = _from_mask(parts["mask"], count)
    elif "gaps" in parts:
        places = _from_gaps(parts["gaps"])
    else:
        places = np.arange(len(values))
        if len(values) != count:
            raise ValueError(f"{len(values)} weights, not {count}")
    if len(places) != len(values) or (len(places) and places[-1] >= count):
        raise ValueError(f"{len(values)} weights at {len(places)} places of {count}")
    numbers = np.zeros(count, dtype=values.dtype)
    numbers[places] = values
    return numbers


def _places(parts: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [part for name, part in parts.items() if name != "values"]


def _from_mask(mask: np.ndarray, count: int) -> np.ndarray:
    if len(mask) != -(-count // 8):
        raise ValueError(f"{len(mask)} bytes of mask for {count} weights")
    return np.flatnonzero(np.unpackbits(mask, bitorder="little"))


def _gaps(places: np.ndarray) -> np.ndarray:
    gaps = np.diff(places, prepend=-1) - 1
    found = np.full(len(gaps) + int((gaps // _LONG).sum()), _LONG, dtype=np.uint8)
    found[np.cumsum(gaps // _LONG + 1) - 1] = gaps % _LONG
    return found


def _from_gaps(gaps: np.ndarray) -> np.ndarray:
    after = np.cumsum(np.where(gaps == _LONG, _LONG, gaps.astype(np.int64) + 1))
    return after[gaps != _LONG] - 1

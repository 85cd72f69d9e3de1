"""How the weights of a model are kept small in a file: fewer bits each, and nothing for those that are 0.

A matrix called `name` becomes `name#values`, and where it has them `name#factors` (8 bits, one per row),
`name#mask` or `name#gaps` (where the values stand). Everything else stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

WeightPrecision = Literal["float32", "float16", "int8"]
PRECISIONS: tuple[WeightPrecision, ...] = get_args(WeightPrecision)
_PARTS = ("values", "factors", "mask", "gaps")
Parts = dict[str, np.ndarray]
_LONG = 255
TOP = 127
_SHORTEST_ROW = 16  # numbers that share a factor of 4 bytes; the 1 or 3 taps of a convolution would not pay
_FIRST = {"head": "head", "nested_heads": "nested_heads", "side_heads": "side_heads"}
ENCODER = "encoder"  # with the input norm, and all else that an embedding needs


def pack(
    tensors: Mapping[str, Tensor],
    matrices: Collection[str],
    precision: WeightPrecision,
    left_out: Collection[str] = (),
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What to write into a file, and what `unpack` must know.

    Args:
        tensors: a state dict.
        matrices: names of its tensors that are made small, float32.
        precision: of their weights.
        left_out: names of tensors that are not kept at all.

    Raises:
        ValueError: a weight is not finite, or too large for 16 bits.
    """
    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in left_out:
            continue
        if name not in matrices:
            packed[name] = tensor
            continue
        for part, array in _squeezed(name, tensor.detach().cpu().numpy(), precision).items():
            packed[f"{name}#{part}"] = torch.from_numpy(np.ascontiguousarray(array))
    kept = [name for name in matrices if name not in left_out]
    return packed, {"precision": precision, "matrices": sorted(kept), "left_out": sorted(left_out)}


def unpack(
    packed: Mapping[str, Tensor], description: Mapping[str, Any], like: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The state dict again; matrices are float32, what was left out is 0.

    Args:
        packed, description: as `pack` gave them.
        like: a state dict of the same names and shapes: how large a matrix is, nothing in the file decides.

    Raises:
        KeyError: a tensor is missing.
        ValueError: the parts of a matrix do not fit together, or are not of its size.
    """
    precision = description["precision"]
    if precision not in PRECISIONS:
        raise ValueError(f"weights in {precision!r}")
    matrices = set(description["matrices"])
    ours = {f"{name}#{part}" for name in matrices for part in _PARTS}
    tensors = {name: value for name, value in packed.items() if name not in ours}
    tensors |= {name: torch.zeros_like(like[name]) for name in description["left_out"]}
    for name in sorted(matrices):
        parts = {part: packed[f"{name}#{part}"].numpy() for part in _PARTS if f"{name}#{part}" in packed}
        tensors[name] = torch.from_numpy(_spread(name, parts, precision, like[name].shape))
    return tensors


def _squeezed(name: str, weights: np.ndarray, precision: WeightPrecision) -> dict[str, np.ndarray]:
    if not np.isfinite(weights).all():
        raise ValueError(f"{name}: a weight is not finite")
    if precision == "int8":
        codes, factors = quantise_rows(weights)
        return {**squeeze(codes.reshape(-1)), "factors": factors}
    if precision == "float16":
        with np.errstate(over="ignore"):
            weights = weights.astype(np.float16)
        if not np.isfinite(weights).all():
            raise ValueError(f"{name}: a weight is too large for float16")
    return squeeze(weights.reshape(-1))


def _spread(
    name: str, parts: dict[str, np.ndarray], precision: WeightPrecision, shape: torch.Size
) -> np.ndarray:
    factors = parts.pop("factors", None)
    if parts["values"].dtype != np.dtype(precision) or (factors is None) == (precision == "int8"):
        raise ValueError(f"{name}: not weights in {precision}")
    try:
        numbers = spread(parts, shape.numel()).reshape(shape)
        return numbers.astype(np.float32) if factors is None else restore_rows(numbers, factors)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


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


def row_length(shape: Sequence[int]) -> int:
    """How many numbers of a contiguous array share a factor: the last axes, but never the first.

    Example:
        >>> row_length((5, 3862, 320)), row_length((256, 128, 1)), row_length((64, 1, 49))
        (320, 128, 49)
    """
    length = 1
    for size in reversed(shape[1:]):
        if length >= _SHORTEST_ROW:
            break
        length *= size
    return length


def quantise_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes and factors of a matrix.

    Args:
        weights: float32, two axes or more.

    Returns:
        int8 of the same shape, and float32 (rows,); a row of zeros has the factor 0.

    Raises:
        ValueError: a weight is not finite.
    """
    rows = weights.reshape(-1, row_length(weights.shape) or 1)
    largest = np.abs(rows).max(axis=1, initial=0)
    if not np.isfinite(largest).all():
        raise ValueError("a weight is not finite")
    factors = (largest / TOP).astype(np.float32)
    # A row of numbers so small that their factor is 0 is nothing but zeros.
    codes = np.rint(rows / np.where(factors > 0, factors, np.inf)[:, None]).clip(-TOP, TOP)
    return codes.astype(np.int8).reshape(weights.shape), factors


def restore_rows(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """float32 of the shape of `codes`; ValueError where the factors are not one per row."""
    rows = codes.reshape(-1, row_length(codes.shape) or 1)
    if factors.shape != (len(rows),) or factors.dtype != np.float32:
        raise ValueError(f"{factors.shape} factors for {len(rows)} rows of weights")
    return (rows * factors[:, None]).reshape(codes.shape)


def is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a matrix (or a convolution's kernel), by its shape and its name.

    The MoE's biases are (K, C): their shape is that of a matrix, their name is not.
    """
    return parameter.dim() > 1 and not name.endswith("bias")


def matrices_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """The matrices of a model by the names that its state dict has for them."""
    return {name: value for name, value in model.named_parameters() if is_matrix(name, value)}


def bytes_by_part(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Bytes of a file's tensors: {"encoder", "head"} and what else there is of _FIRST."""
    found: Counter[str] = Counter({ENCODER: 0})
    for name, tensor in tensors.items():
        found[part_of(name)] += tensor.numel() * tensor.element_size()
    return dict(found)


def not_zero_by_part(parameters: Mapping[str, Tensor]) -> dict[str, int]:
    """How many numbers are not 0, by part."""
    found: Counter[str] = Counter({ENCODER: 0})
    for name, tensor in parameters.items():
        found[part_of(name)] += int(tensor.count_nonzero())
    return dict(found)


def part_of(name: str) -> str:
    """The part of a model that a tensor of its state dict, or of its file, belongs to."""
    return _FIRST.get(name.split(".")[0], ENCODER)

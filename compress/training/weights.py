"""Small files of weights: fewer bits per weight, and nothing for zeros.

A matrix `name` becomes `name#values`, with int8 `name#factors` (one per row), and if zeros are left out
`name#mask` or `name#gaps` (the places of the values). All other tensors stay as they are.
"""

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
_LONG = 255  # a gap byte that only says: 255 zeros more
TOP = 127  # int8 without -128, so that the range is symmetric
_SHORTEST_ROW = 16  # weights per factor of 4 bytes: for the 1 or 3 taps of a convolution a factor is too much
_HEADS = ("head", "nested_heads", "side_heads", "readout")
ENCODER = "encoder"  # with the input norm and everything else that an embedding needs


def pack(
    tensors: Mapping[str, Tensor],
    matrices: Collection[str],
    precision: WeightPrecision,
    left_out: Collection[str] = (),
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file, and the description that `unpack` needs.

    Args:
        tensors: a state dict.
        matrices: names of its tensors to make small, float32.
        precision: of their weights.
        left_out: names of tensors that are not kept.

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
    """The reverse of `pack`: matrices are float32, tensors that were left out are 0.

    `like` is a state dict with the same names and shapes, so that no size comes from the file.

    Raises:
        KeyError: a tensor is missing.
        ValueError: the parts of a matrix do not fit together, or do not have its size.
    """
    precision = description["precision"]
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision of weights: {precision!r}")
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
    """The smallest layout of numbers (n,), by part.

    {"values"}; {"values", "mask"}, a bit per number, uint8 (ceil(n / 8),), the first in the lowest bit; or
    {"values", "gaps"}, uint8 numbers of zeros before each value.
    """
    places = np.flatnonzero(numbers)
    values = numbers[places]
    layouts: list[Parts] = [{"values": numbers}]
    layouts.append({"values": values, "mask": np.packbits(numbers != 0, bitorder="little")})
    if len(values) < len(numbers) // 4:  # with more values gaps are never the smallest
        layouts.append({"values": values, "gaps": _gaps(places)})
    # Dense int8 may be the smallest even with many zeros: a mask costs a bit per number.
    return min(layouts, key=lambda parts: sum(part.nbytes for part in parts.values()))


def spread(parts: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """The reverse of `squeeze`: numbers (count,); ValueError if the parts do not give so many."""
    values = parts["values"]
    others = [part for name, part in parts.items() if name != "values"]
    if values.ndim != 1 or any(part.ndim != 1 or part.dtype != np.uint8 for part in others):
        raise ValueError("places of weights are not bytes")
    if "mask" in parts:
        if len(parts["mask"]) != -(-count // 8):
            raise ValueError(f"{len(parts['mask'])} bytes of mask for {count} weights")
        places = np.flatnonzero(np.unpackbits(parts["mask"], bitorder="little"))
    elif "gaps" in parts:
        gaps = parts["gaps"]
        after = np.cumsum(np.where(gaps == _LONG, _LONG, gaps.astype(np.int64) + 1))
        places = after[gaps != _LONG] - 1
    else:
        places = np.arange(len(values))
        if len(values) != count:
            raise ValueError(f"{len(values)} weights, not {count}")
    if len(places) != len(values) or (len(places) and places[-1] >= count):
        raise ValueError(f"{len(values)} weights at {len(places)} places of {count}")
    numbers = np.zeros(count, dtype=values.dtype)
    numbers[places] = values
    return numbers


def _gaps(places: np.ndarray) -> np.ndarray:
    gaps = np.diff(places, prepend=-1) - 1
    found = np.full(len(gaps) + int((gaps // _LONG).sum()), _LONG, dtype=np.uint8)
    found[np.cumsum(gaps // _LONG + 1) - 1] = gaps % _LONG
    return found


def row_length(shape: Sequence[int]) -> int:
    """How many weights of a contiguous array share a factor: those of the last axes, never the first.

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
    """int8 codes in the shape of `weights`, and float32 factors (rows,); ValueError if one is not finite."""
    rows = weights.reshape(-1, row_length(weights.shape) or 1)
    largest = np.abs(rows).max(axis=1, initial=0)
    if not np.isfinite(largest).all():
        raise ValueError("a weight is not finite")
    factors = (largest / TOP).astype(np.float32)
    # Weights so small that their factor is 0 become 0.
    codes = np.rint(rows / np.where(factors > 0, factors, np.inf)[:, None]).clip(-TOP, TOP)
    return codes.astype(np.int8).reshape(weights.shape), factors


def restore_rows(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """float32 weights in the shape of `codes`; ValueError unless there is one factor per row."""
    rows = codes.reshape(-1, row_length(codes.shape) or 1)
    if factors.shape != (len(rows),) or factors.dtype != np.float32:
        raise ValueError(f"{factors.shape} factors for {len(rows)} rows of weights")
    return (rows * factors[:, None]).reshape(codes.shape)


def is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a matrix or a convolution's kernel."""
    # By its name too: the MoE's biases are (K, C).
    return parameter.dim() > 1 and not name.endswith("bias")


def matrices_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """The matrices of a model by their names in its state dict."""
    return {name: value for name, value in model.named_parameters() if is_matrix(name, value)}


def bytes_by_part(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Bytes of a file's tensors, by part."""
    found: Counter[str] = Counter({ENCODER: 0})
    for name, tensor in tensors.items():
        found[part_of(name)] += tensor.numel() * tensor.element_size()
    return dict(found)


def not_zero_by_part(parameters: Mapping[str, Tensor]) -> dict[str, int]:
    """Number of weights that are not 0, by part."""
    found: Counter[str] = Counter({ENCODER: 0})
    for name, tensor in parameters.items():
        found[part_of(name)] += int(tensor.count_nonzero())
    return dict(found)


def part_of(name: str) -> str:
    """The part that a tensor of a state dict or file belongs to: ENCODER, or a name of _HEADS."""
    first = name.split(".")[0]
    return first if first in _HEADS else ENCODER

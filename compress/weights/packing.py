"""The tensors of a model <-> the tensors of a file.

A matrix called `name` becomes `name#values`, and where it has them `name#factors` (8 bits, one a row),
`name#mask` or `name#gaps` (where the values stand, see layouts.py). Everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from compress.weights.layouts import spread, squeeze
from compress.weights.rows import quantise_rows, restore_rows

WeightPrecision = Literal["float32", "float16", "int8"]
PRECISIONS: tuple[WeightPrecision, ...] = get_args(WeightPrecision)

_PARTS = ("values", "factors", "mask", "gaps")


def pack(
    tensors: Mapping[str, Tensor],
    matrices: Collection[str],
    precision: WeightPrecision,
    left_out: Collection[str] = (),
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What to write into a file, and what `unpack` must be told.

    Args:
        tensors: a state dict.
        matrices: names of its tensors that are made small, float32.
        precision: of their numbers.
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

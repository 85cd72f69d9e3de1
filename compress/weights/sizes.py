"""How much of a model is where: bytes on the disk, and numbers that are not 0, by part of the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from torch import Tensor

_FIRST = {"head": "head", "nested_heads": "nested_heads", "side_heads": "side_heads"}
ENCODER = "encoder"  # with the input norm, and all else that an embedding needs


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

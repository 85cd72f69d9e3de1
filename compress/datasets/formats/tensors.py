"""Tensors in a .pt file of PyTorch, memory-mapped. Nothing else is read: it could run any program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.formats.arrays import ArrayType, ReadArray
from compress.datasets.formats.columns import kind_of
from compress.datasets.formats.row_reader import array_format
from compress.doors.tensors import read_torch
from compress.errors import DataError


class TensorFile:
    """One tensor, or a dict of tensors and of lists of texts or numbers by name.

    Args:
        path: the file.
        name: what a single tensor is called.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self._name = path, name
        self.arrays = {key: _type(array) for key, array in _load(path, name).items()}

    @contextmanager
    def opened(self) -> Iterator[ReadArray]:
        arrays = _load(self.path, self._name)
        yield lambda name, start, stop: arrays[name][start:stop] if arrays[name].ndim else arrays[name]


FORMAT = array_format("PyTorch", (".pt", ".pth"), TensorFile, takes_labels_file=True)


def _type(array: np.ndarray) -> ArrayType:
    return ArrayType(kind_of(array.dtype), array.shape, str(array.dtype), array.dtype.itemsize)


def _load(path: Path, name: str) -> dict[str, np.ndarray]:
    import torch

    hint = "only tensors, and dicts of them, are read: torch.save(tensor.cpu(), 'video.pt')"
    found = read_torch(path, mapped=True, hint=hint)
    if isinstance(found, torch.Tensor):
        return {name: _array(found)}
    if isinstance(found, Mapping) and found:
        return dict(_flat(found, ""))
    what = f"holds {'nothing' if isinstance(found, Mapping) else f'a {type(found).__name__}'}"
    hint = "a tensor, or a dict of tensors by name, is read: torch.save({'video-1': tensor}, 'videos.pt')"
    raise DataError(what, where=path, hint=hint)


def _flat(found: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, np.ndarray]]:
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", _array(value)


def _array(value: Any) -> np.ndarray:
    import torch

    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided or value.is_quantized:
            return np.empty((), dtype=object)
        # numpy has no bfloat16.
        plain = value.detach().float() if value.dtype == torch.bfloat16 else value.detach()
        return plain.resolve_conj().resolve_neg().numpy()
    if isinstance(value, str | int | float | bool):
        return np.array(value)
    is_list = isinstance(value, list | tuple) and len({type(item) for item in value}) == 1
    if is_list and isinstance(value[0], str | int | float | bool):
        return np.array(value)
    return np.empty((), dtype=object)

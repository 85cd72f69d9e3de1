"""Tensors in files of PyTorch and in safetensors files: nothing is run, nothing is larger than its file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.artifacts import disk
from compress.doors.claims import check_claim, check_inside, size_of
from compress.doors.guard import guarded
from compress.errors import CompressError, DataError

if TYPE_CHECKING:  # loads for seconds
    from torch import Tensor

_DEEPEST = 20


def read_torch(path: Path, *, mapped: bool = False, hint: str = "") -> Any:
    """What torch.save wrote: tensors and plain containers, on the CPU; never any other object.

    Args:
        path: the file.
        mapped: leave the numbers on the disk, where the file allows it.
        hint: of the error.

    Raises:
        DataError: damaged, it holds other Python objects, or it claims what it cannot hold.
        NotFoundError, StorageError: it cannot be read.
    """
    import torch

    kind = "a file of PyTorch"
    with disk.reading(path), path.open("rb") as file:
        is_zip = file.read(2) == b"PK"  # not one that a version before 1.6 wrote, which cannot be mapped
        if is_zip:
            with guarded(path, kind, hint=hint), zipfile.ZipFile(file) as archive:
                _check_stored(archive, path)
    try:
        with guarded(path, kind, hint=hint):
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped and is_zip)
    except DataError as error:
        if "weights only" in error.what.lower().replace("_", " "):  # torch's advice is to read it unsafely
            raise DataError("holds other Python objects than tensors", where=path, hint=hint) from error
        raise DataError(f"is damaged or not {kind}", where=path, hint=hint) from error
    _check_values(path, found, size_of(path), [0], 0)
    return found


def read_safetensors(
    path: Path, *, error: type[CompressError] = DataError, hint: str = ""
) -> dict[str, Tensor]:
    """The tensors of a safetensors file; `error` if it is not one."""
    from safetensors.torch import load_file

    with disk.reading(path), path.open("rb"):
        pass
    with guarded(path, "a safetensors file", error=error, hint=hint):
        found: dict[str, Tensor] = load_file(path)
        return found


def read_safetensors_arrays(
    path: Path, *, error: type[CompressError] = DataError, hint: str = ""
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """(arrays, metadata) of a safetensors file; `error` if it is not one."""
    from safetensors import safe_open

    with disk.reading(path), path.open("rb"):
        pass
    with (
        guarded(path, "a safetensors file", error=error, hint=hint),
        safe_open(path, framework="numpy") as file,
    ):
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def _check_stored(archive: zipfile.ZipFile, path: Path) -> None:
    """torch packs nothing: a member that unpacks to more than the file has is a bomb."""
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise DataError("is packed, which torch.save does not do", where=path)
    check_inside(path, "it", sum(member.file_size for member in members), size_of(path))


def _check_values(path: Path, value: Any, size: int, seen: list[int], depth: int) -> None:
    """Tensors may show the same numbers many times, and dicts hold themselves; the file has to explain it."""
    import torch

    seen[0] += 1
    if depth > _DEEPEST or seen[0] > size:
        raise DataError("is damaged: its dicts are nested without end", where=path)
    if isinstance(value, torch.Tensor):
        check_claim(path, "a tensor", value.numel() * max(1, value.element_size()), size)
    elif isinstance(value, Mapping):
        for item in value.values():
            _check_values(path, item, size, seen, depth + 1)

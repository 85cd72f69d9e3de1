"""Weights that somebody has on disk, as tensors by name; nothing in the file is run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from compress.doors.tensors import read_safetensors, read_torch
from compress.errors import DataError, SchemaError

_NESTED = ("state_dict", "model_state_dict", "model")
_PARALLEL = "module."


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of a .pth or .pt file of tensors.

    Raises:
        NotFoundError: no such file.
        DataError: damaged, or it holds code or other objects (only tensors are read).
    """
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    hint = "save the model's state_dict() instead: torch.save(model.state_dict(), FILE)"
    found = read_torch(path, hint=hint)
    for key in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found or not all(map(torch.is_tensor, found.values())):
        raise DataError("holds no tensors by name", where=path)
    return {str(name).removeprefix(_PARALLEL): tensor for name, tensor in found.items()}


def put_weights(network: nn.Module, weights: Mapping[str, Tensor], where: str, unused: str = "") -> None:
    """Give a network its weights.

    Args:
        unused: beginning of the names of weights that the network has no use for, such as its classifier's.

    Raises:
        SchemaError: weights are missing, left over, or of another shape.
    """
    kept = {name: tensor for name, tensor in weights.items() if not (unused and name.startswith(unused))}
    own = network.state_dict()
    missing, extra = sorted(own.keys() - kept.keys()), sorted(kept.keys() - own.keys())
    if missing or extra:
        words = [
            f"{name} is {state}"
            for state, names in (("missing", missing), ("unknown", extra))
            for name in names[:1]
        ]
        raise SchemaError(f"are not weights of this network ({'; '.join(words)})", where=where)
    try:
        network.load_state_dict(kept)
    except RuntimeError as error:  # shapes
        first = str(error).split("\n")[1:2] or [str(error)]
        raise SchemaError(f"are not weights of this network ({first[0].strip()})", where=where) from error


def fingerprint(network: nn.Module) -> str:
    """sha256 (64 hex digits) of names, shapes and values of all weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {tuple(values.shape)} {values.dtype}\n".encode())
        digest.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()

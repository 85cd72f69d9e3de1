"""Codecs by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from compress.codecs.base import Codec
from compress.codecs.float16 import Float16
from compress.codecs.float32 import Float32
from compress.codecs.int8 import Int8
from compress.errors import DataError, UsageError


@dataclass(frozen=True)
class _Entry:
    state_names: frozenset[str]
    build: Callable[[int, np.ndarray], Codec]
    restore: Callable[[int, dict[str, np.ndarray]], Codec]


_CODECS = {
    "float32": _Entry(frozenset(), lambda dim, sample: Float32(dim), lambda dim, state: Float32(dim)),
    "float16": _Entry(frozenset(), lambda dim, sample: Float16(dim), lambda dim, state: Float16(dim)),
    "int8": _Entry(
        frozenset({"minimum", "maximum"}), lambda dim, sample: Int8.calibrate(sample), Int8.restore
    ),
}


def codec_names() -> tuple[str, ...]:
    """The names that `build_codec` knows, largest codes first."""
    return tuple(_CODECS)


def needs_sample(name: str) -> bool:
    """Whether `build_codec(name, ...)` needs a sample of embeddings to calibrate on."""
    return bool(_entry(name).state_names)


def build_codec(name: str, dim: int, sample: np.ndarray | None = None) -> Codec:
    """A new codec.

    Args:
        name: one of `codec_names()`.
        dim: size of the embeddings.
        sample: f32 (m, dim), embeddings that `int8` takes its ranges from; the others ignore it.

    Raises:
        UsageError: unknown name, or a sample is needed and missing, or has another shape.
        DataError: the sample is empty or holds NaN or Inf.
    """
    entry = _entry(name)
    if dim < 1:
        raise UsageError(f"embeddings need at least 1 dimension, not {dim}")
    if entry.state_names and sample is None:
        raise UsageError(f"codec {name} needs a sample of embeddings to calibrate on")
    if sample is not None and (sample.ndim != 2 or sample.shape[1] != dim):
        raise UsageError(f"the sample has shape {sample.shape}, codec {name} needs (m, {dim})")
    return entry.build(dim, np.zeros((0, dim), dtype=np.float32) if sample is None else sample)


def restore_codec(name: str, dim: int, state: Mapping[str, np.ndarray]) -> Codec:
    """The codec that was stored as `(name, dim, state)`.

    Raises:
        DataError: no codec has this name, or its state lacks arrays, has others, or holds nonsense.
    """
    if name not in _CODECS:
        raise DataError(f"codec {name!r} is not one of {', '.join(_CODECS)}", hint="upgrade compress")
    if dim < 1:
        raise DataError(f"embeddings need at least 1 dimension, not {dim}")
    wanted = _CODECS[name].state_names
    if set(state) != wanted:
        raise DataError(f"codec {name} has the arrays {sorted(state)}, it needs {sorted(wanted)}")
    return _CODECS[name].restore(dim, dict(state))


def _entry(name: str) -> _Entry:
    if name not in _CODECS:
        raise UsageError(f"unknown codec {name!r}", hint=f"choose one of {', '.join(_CODECS)}")
    return _CODECS[name]

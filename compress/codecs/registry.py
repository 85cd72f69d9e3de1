"""Codecs by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from compress.codecs.base import Codec
from compress.codecs.binary import Binary
from compress.codecs.centroids import SAMPLE_ROWS
from compress.codecs.float16 import Float16
from compress.codecs.float32 import Float32
from compress.codecs.int4 import Int4
from compress.codecs.int8 import Int8
from compress.codecs.names import CodecSpec, parse_codec
from compress.codecs.product import Product
from compress.codecs.rabitq import RaBitQ
from compress.codecs.residual import Residual
from compress.codecs.rotated_product import RotatedProduct
from compress.errors import DataError, UsageError

_RANGE_ROWS = 8192
State = dict[str, np.ndarray]


@dataclass(frozen=True)
class _Family:
    """What there is to know of the codecs of one family.

    Args:
        state_names: of the arrays of `state()`.
        sample_rows: embeddings that calibration wants; 0 when it needs none.
        build: from (parameter, dim, sample).
        restore: from (parameter, dim, state).
    """

    state_names: frozenset[str]
    sample_rows: int
    build: Callable[[int, int, np.ndarray], Codec]
    restore: Callable[[int, int, State], Codec]


_FAMILIES = {
    "float32": _Family(
        frozenset(), 0, lambda _, dim, sample: Float32(dim), lambda _, dim, state: Float32(dim)
    ),
    "float16": _Family(
        frozenset(), 0, lambda _, dim, sample: Float16(dim), lambda _, dim, state: Float16(dim)
    ),
    "int8": _Family(
        frozenset({"minimum", "maximum"}),
        _RANGE_ROWS,
        lambda _, dim, sample: Int8.calibrate(sample),
        lambda _, dim, state: Int8.restore(dim, state),
    ),
    "int4": _Family(
        frozenset({"lowest", "step"}),
        _RANGE_ROWS,
        lambda _, dim, sample: Int4.calibrate(sample),
        lambda _, dim, state: Int4.restore(dim, state),
    ),
    "binary": _Family(
        frozenset({"threshold", "low", "high"}),
        _RANGE_ROWS,
        lambda _, dim, sample: Binary.calibrate(sample),
        lambda _, dim, state: Binary.restore(dim, state),
    ),
    "pq": _Family(
        frozenset({"centroids"}),
        SAMPLE_ROWS,
        lambda m, dim, sample: Product.train(m, sample),
        Product.restore,
    ),
    "opq": _Family(
        frozenset({"centroids", "rotation"}),
        SAMPLE_ROWS,
        lambda m, dim, sample: RotatedProduct.train(m, sample),
        RotatedProduct.restore,
    ),
    "rq": _Family(
        frozenset({"centroids"}),
        SAMPLE_ROWS,
        lambda m, dim, sample: Residual.train(m, sample),
        Residual.restore,
    ),
    "rabitq": _Family(
        frozenset({"centre", "rotation"}),
        _RANGE_ROWS,
        lambda bits, dim, sample: RaBitQ.calibrate(bits, sample),
        RaBitQ.restore,
    ),
}


def sample_rows(name: str) -> int:
    """How many embeddings `build_codec(name, ...)` wants as its sample; 0 when it needs none."""
    return _FAMILIES[parse_codec(name).family].sample_rows


def build_codec(name: str, dim: int, sample: np.ndarray | None = None) -> Codec:
    """A new codec; the same sample gives the same one, for any number of threads.

    Args:
        name: see `compress.codecs.names`.
        dim: size of the embeddings.
        sample: f32 (m, dim), embeddings to calibrate or train on, m about `sample_rows(name)`; `float32` and
            `float16` ignore it.

    Raises:
        UsageError: unknown name, more bytes than dimensions (pq, opq), or a sample is needed and missing, or
            has another shape.
        DataError: the sample is empty, too small (pq, opq, rq: fewer than 256 rows), or holds NaN or Inf.
        Interrupted: on request.
    """
    spec = parse_codec(name)
    family = _FAMILIES[spec.family]
    if dim < 1:
        raise UsageError(f"embeddings need at least 1 dimension, not {dim}")
    if family.sample_rows and sample is None:
        raise UsageError(f"codec {name} needs a sample of embeddings to calibrate on")
    if sample is not None and (sample.ndim != 2 or sample.shape[1] != dim):
        raise UsageError(f"the sample has shape {sample.shape}, codec {name} needs (m, {dim})")
    given = np.zeros((0, dim), dtype=np.float32) if sample is None else sample
    return family.build(spec.parameter or 0, dim, given)


def restore_codec(name: str, dim: int, state: Mapping[str, np.ndarray]) -> Codec:
    """The codec that was stored as `(name, dim, state)`.

    Raises:
        DataError: no codec has this name, or its state lacks arrays, has others, or holds nonsense.
    """
    spec = _stored_spec(name)
    if dim < 1:
        raise DataError(f"embeddings need at least 1 dimension, not {dim}")
    family = _FAMILIES[spec.family]
    if set(state) != family.state_names:
        raise DataError(f"codec {name} has the arrays {sorted(state)}, it needs {sorted(family.state_names)}")
    if spec.family in ("pq", "opq") and (spec.parameter or 0) > dim:
        raise DataError(f"codec {name} cannot be of {dim} dimensions")
    return family.restore(spec.parameter or 0, dim, dict(state))


def _stored_spec(name: str) -> CodecSpec:
    try:
        spec = parse_codec(name)
    except UsageError as error:
        raise DataError(
            f"codec {name!r} is not one of {', '.join(_FAMILIES)}", hint="upgrade compress"
        ) from error
    if spec.name != name:
        raise DataError(f"codec {name!r} is not how {spec.name} is stored")
    return spec

"""What a codec is: a fixed number of stored elements a video, and the way there and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from compress.errors import DataError, RecordError


class Codec(Protocol):
    """Turns embeddings into what is stored, row by row, and back.

    `width` differs from `dim` where a code is not one number a dimension (product quantisation). A codec is
    complete with `(name, dim, state())`: `restore_codec` makes it again from these.
    """

    @property
    def name(self) -> str:
        """The name in the registry and in the store."""

    @property
    def dim(self) -> int:
        """Size of an embedding."""

    @property
    def dtype(self) -> np.dtype:
        """Type of the stored elements, little-endian."""

    @property
    def width(self) -> int:
        """Stored elements a video."""

    @property
    def bytes_per_video(self) -> int:
        """Stored bytes a video."""

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        """Bool (n,): which rows of `embedding`, f32 (n, dim), can be stored; NaN and Inf never can."""

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        """Codes, `dtype` (n, width), of `embedding`, f32 (n, dim); RecordError for a row it cannot store."""

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Embedding, f32 (n, dim), of `codes`, `dtype` (n, width)."""

    def state(self) -> dict[str, np.ndarray]:
        """Calibration by name; {} when the codec needs none."""

    def code_index(self, codes: np.ndarray, metric: str) -> Any:
        """A FAISS index of `codes`, `dtype` (n, width), that searches them without decoding them, or None.

        Its scores are, within float32 rounding, the inner products of the queries with the decoded rows.
        Only "ip" has one: cosine divides by the length of each decoded row, which FAISS knows of no code.

        Args:
            metric: "cosine" or "ip".
        """


@runtime_checkable
class ByteTables(Protocol):
    """A codec whose decoded rows are sums of what each of their bytes stands for."""

    def byte_tables(self, queries: np.ndarray) -> np.ndarray:
        """Float32 (q, width, 256): what each value of each byte adds to the inner product with a query.

        The inner product of query `i` and the decoded row of `code`, uint8 (width,), is the sum over `b` of
        `tables[i, b, code[b]]`, within float32 rounding.

        Args:
            queries: float32 (q, dim).
        """


def finite_rows(embedding: np.ndarray) -> np.ndarray:
    """Bool (n,): the rows of `embedding`, f32 (n, dim), without NaN and Inf."""
    return np.isfinite(embedding).all(axis=1)


def refuse_unrepresentable(codec: Codec, embedding: np.ndarray) -> None:
    """Raise RecordError naming the first row that `codec` cannot store."""
    bad = np.flatnonzero(~codec.representable(embedding))
    if len(bad):
        worst = embedding[bad[0]][np.argmax(np.abs(embedding[bad[0]]))]
        raise RecordError(f"value {worst} cannot be stored as {codec.name}", where=f"row {bad[0]}")


def refuse_sample(name: str, sample: np.ndarray, least_rows: int = 1) -> None:
    """Raise DataError unless `sample`, f32 (m, dim), can calibrate or train the codec `name`."""
    if len(sample) == 0:
        raise DataError(f"{name} needs a sample of embeddings to find its ranges, this one is empty")
    if not finite_rows(sample).all():
        raise DataError(f"{name} cannot be calibrated on a sample with NaN or Inf")
    if len(sample) < least_rows:
        raise DataError(
            f"{name} is trained on at least {least_rows} videos, there are only {len(sample)}",
            hint="choose int8, int4 or binary, or encode more videos",
        )


def refuse_state(name: str, state: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise DataError unless the arrays of `state` are finite float32 of the given shapes."""
    for key, shape in shapes.items():
        array = state[key]
        if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
            size = " x ".join(map(str, shape))
            raise DataError(f"{key} of the {name} codec is not {size} finite float32 numbers")

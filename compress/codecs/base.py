"""What a codec is: a fixed number of stored elements a video, and the way there and back."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from compress.errors import RecordError


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

    def code_index(self, metric: str) -> Any:
        """An empty, trained FAISS index that searches codes without decoding them, or None.

        `index.add_sa_codes(codes)` takes what `encode` gives, uint8 (n, width); the scores that its `search`
        gives are, within float32 rounding, the inner products of the queries with the decoded rows. Only
        "ip" has one: cosine divides by the length of each decoded row, which FAISS knows of no code.

        Args:
            metric: "cosine" or "ip".
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

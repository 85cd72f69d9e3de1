"""What a codec is: a fixed number of stored elements per video, and the way there and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from compress.codecs.names import FAMILIES, CodecSpec, Family, parse_codec
from compress.errors import DataError, RecordError, UsageError

State = Mapping[str, np.ndarray]
# Rows that a range or a mean is taken from.
RANGE_ROWS = 8192


@dataclass(frozen=True)
class Lookup:
    """Scores of codes for q queries: offset + scale * the sum of what each byte of a code stands for.

    Args:
        tables: float32 (q, bytes, 256); `tables[i, b, value]` is added for byte `b` of a code.
        offsets: float32 (q,), or None for 0.
        scale: from codes to float32 (n,), a factor of each row, or None for 1.
    """

    tables: np.ndarray
    offsets: np.ndarray | None = None
    scale: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class Weighing:
    """Scores of codes for q queries: offset + the sum of each stored number times its weight.

    Args:
        weights: float32 (q, dim).
        offsets: float32 (q,), or None for 0.
        halves: whether a byte holds the numbers of two dimensions, the even one in its lower half.
    """

    weights: np.ndarray
    offsets: np.ndarray | None = None
    halves: bool = False


class Codec(ABC):
    """Turns embeddings into what is stored, row by row, and back.

    Every subclass that names a `family` is registered: it can be asked for by name wherever a codec can, and
    `compress.codecs` only has to import its file. A codec is complete with `(name, dim, state())`.

    Class attributes:
        family: what its codecs are called.
        dtype: type of the stored elements, little-endian.
        sample_rows: rows that `fit` wants; 0 where it needs none.
        least_rows: rows that `fit` needs.
        splits_dims: whether every byte stands for dimensions of its own, so that there are no more bytes.
    """

    family: ClassVar[Family]
    dtype: ClassVar[np.dtype] = np.dtype("u1")
    sample_rows: ClassVar[int] = RANGE_ROWS
    least_rows: ClassVar[int] = 1
    splits_dims: ClassVar[bool] = False

    def __init__(self, dim: int, number: int = 0) -> None:
        self.dim = dim
        """Size of an embedding."""
        self.name = CodecSpec(self.family, number).name
        """The name of the codec, as in the store."""
        self.width = self.width_of(dim, number)
        """Stored elements per video; not `dim` where an element is not one number."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if (known := _CLASSES.get(cls.family.name)) and known.__qualname__ != cls.__qualname__:
            raise TypeError(f"two codecs are called {cls.family.name}: {known} and {cls}")
        FAMILIES[cls.family.name], _CLASSES[cls.family.name] = cls.family, cls

    def __repr__(self) -> str:
        return f"<Codec {self.name} of {self.dim} dimensions, {self.bytes_per_video} bytes per video>"

    @staticmethod
    def fit(name: str, embeddings: np.ndarray) -> Codec:
        """A new codec; the same embeddings give the same one, for any number of threads.

        Args:
            name: see `compress.codecs.names`.
            embeddings: float (m, dim), to take ranges from or to train on, m about `sample_rows(name)`; of
                `float32` and `float16` only their size matters.

        Raises:
            UsageError: unknown name, or more bytes than dimensions (pq, opq).
            DataError: no embeddings, too few (pq, opq, rq: fewer than 256), or NaN or Inf among them.
            Interrupted: on request.
        """
        kind, number = _class_of(name)
        sample = np.asarray(embeddings, np.float32)
        if sample.ndim != 2:
            raise UsageError(f"the embeddings have shape {sample.shape}, codec {name} needs (m, dim)")
        kind._check_dim(sample.shape[1], number)
        if kind.sample_rows:
            _refuse_sample(name, sample, kind.least_rows)
        return kind._fit(number, sample)

    @staticmethod
    def restore(name: str, dim: int, state: State) -> Codec:
        """The codec that was stored as `(name, dim, state)`.

        Raises:
            DataError: no codec has this name, or its state lacks arrays, has others, or holds nonsense.
        """
        try:
            kind, number = _class_of(name)
            kind._check_dim(dim, number)
        except UsageError as error:
            raise DataError(f"stored as {name!r}: {error.what}", hint="upgrade compress") from error
        if (written := CodecSpec(kind.family, number).name) != name:
            raise DataError(f"codec {name!r} is not how {written} is stored")
        shapes = kind._state_shapes(dim, number)
        if set(state) != set(shapes):
            raise DataError(f"codec {name} has the arrays {sorted(state)}, it needs {sorted(shapes)}")
        for key, shape in shapes.items():
            array = state[key]
            if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
                size = " x ".join(map(str, shape))
                raise DataError(f"{key} of the {name} codec is not {size} finite float32 numbers")
        return kind._restore(dim, number, state)

    @property
    def bytes_per_video(self) -> int:
        """Stored bytes of one embedding."""
        return self.width * self.dtype.itemsize

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        """Bool (n,): which rows of `embedding`, f32 (n, dim), can be stored; NaN and Inf never can."""
        return finite_rows(embedding)

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        """Codes, `dtype` (n, width), of `embedding`, f32 (n, dim); RecordError for a row it cannot store."""
        bad = np.flatnonzero(~self.representable(embedding))
        if len(bad):
            worst = embedding[bad[0]][np.argmax(np.abs(embedding[bad[0]]))]
            raise RecordError(f"value {worst} cannot be stored as {self.name}", where=f"row {bad[0]}")
        return self._encode(embedding)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Embedding, f32 (n, dim), of `codes`, `dtype` (n, width)."""
        return self._decode(codes)

    @classmethod
    @abstractmethod
    def width_of(cls, dim: int, number: int) -> int:
        """Stored elements per video of a codec with this number in its name, of embeddings of size `dim`."""

    @classmethod
    def _check_dim(cls, dim: int, number: int) -> None:
        if dim < 1:
            raise UsageError(f"embeddings need at least 1 dimension, not {dim}")
        if cls.splits_dims and number > dim:
            name = cls.family.name
            raise UsageError(
                f"codec {name}{number} needs embeddings of {number} dimensions or more, these have {dim}",
                hint=f"choose {name}{dim} or fewer bytes, or rq{number}",
            )

    @classmethod
    @abstractmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        """The codec for embeddings like `sample`, finite f32 (m, dim)."""

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays of `state()`, all float32."""
        return {}

    @classmethod
    @abstractmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        """The codec whose `state()` this is, its shapes checked; DataError when its numbers make no codec."""

    @abstractmethod
    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        """As `encode`, of rows that are representable."""

    @abstractmethod
    def _decode(self, codes: np.ndarray) -> np.ndarray:
        """As `decode`."""

    def state(self) -> dict[str, np.ndarray]:
        """Calibration by name; {} when the codec needs none."""
        return {}

    @property
    def searchable(self) -> bool:
        """Whether codes can be searched as they are; those of float32 are the numbers themselves."""
        return self.scoring(np.zeros((1, self.dim), np.float32)) is not None

    def scoring(self, queries: np.ndarray) -> Lookup | Weighing | None:
        """How codes are compared with `queries`, float32 (q, dim), without decoding them; None: not at all.

        Scores are, within float32 rounding, the inner products of the queries and the decoded rows.
        """
        return None


_CLASSES: dict[str, type[Codec]] = {}


def _class_of(name: str) -> tuple[type[Codec], int]:
    spec = parse_codec(name)
    return _CLASSES[spec.family.name], spec.number


def sample_rows(name: str) -> int:
    """How many embeddings `Codec.fit(name, ...)` wants; 0 when it needs none."""
    return _class_of(name)[0].sample_rows


def stored_bytes(name: str, dim: int) -> int:
    """Stored bytes per video of a codec that need not be fitted yet."""
    kind, number = _class_of(name)
    return kind.width_of(dim, number) * kind.dtype.itemsize


def finite_rows(embedding: np.ndarray) -> np.ndarray:
    """Bool (n,): the rows of `embedding`, f32 (n, dim), without NaN and Inf."""
    return np.isfinite(embedding).all(axis=1)


def spread_evenly(rows: np.ndarray, wanted: int) -> np.ndarray:
    """About `wanted` of `rows` (fewer than twice as many), the same ones each time."""
    return rows[:: max(1, len(rows) // wanted)]


def _refuse_sample(name: str, sample: np.ndarray, least_rows: int) -> None:
    if len(sample) == 0:
        raise DataError(f"{name} needs a sample of embeddings to find its ranges, this one is empty")
    if not finite_rows(sample).all():
        raise DataError(f"{name} cannot be calibrated on a sample with NaN or Inf")
    if len(sample) < least_rows:
        raise DataError(
            f"{name} is trained on at least {least_rows} videos, there are only {len(sample)}",
            hint="choose int8, int4 or binary, or encode more videos",
        )

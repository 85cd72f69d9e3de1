"""What a codec is: a fixed number of stored elements per video, and the way there and back."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from compress.arrays import as_features, as_path, numbers
from compress.artifacts.atomic import read_bytes, write_bytes
from compress.artifacts.manifest import check_version
from compress.codecs.names import FAMILIES, CodecSpec, Family, parse_codec
from compress.codecs.scoring import Lookup, Weighing
from compress.doors.guard import guarded
from compress.doors.npy import read_npz
from compress.errors import CorruptArtifactError, DataError, RecordError, SchemaError, UsageError

State = Mapping[str, np.ndarray]
RANGE_ROWS = 8192  # rows that a range or a mean is taken from


class Codec(ABC):
    """Turns embeddings into what is stored, row by row, and back.

    Made by `fit` from embeddings, or by `load`; `(name, dim, state())` define it completely. A subclass
    registers itself under the name of its `family` and works wherever a codec is named; `compress.codecs`
    only has to import its file.

    Example:
        >>> import compress
        >>> codec = compress.Codec.fit("int8", [[0.0, 2.0], [1.0, 4.0]])
        >>> codec.decode(codec.encode([[0.5, 3.0]])).round(2).tolist()
        [[0.5, 3.0]]

    Class attributes:
        family: the names of its codecs.
        dtype: type of the stored elements, little-endian.
        sample_rows: rows that `fit` can use; 0 when it needs no calibration.
        least_rows: rows that `fit` needs.
        splits_dims: whether each byte encodes dimensions of its own, which limits the bytes to `dim`.
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
        """Stored elements per video; it differs from `dim` when an element is not one dimension."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if (known := _CLASSES.get(cls.family.name)) and known.__qualname__ != cls.__qualname__:
            raise TypeError(f"two codecs are called {cls.family.name}: {known} and {cls}")
        FAMILIES[cls.family.name], _CLASSES[cls.family.name] = cls.family, cls

    def __repr__(self) -> str:
        return f"<Codec {self.name} of {self.dim} dimensions, {self.bytes_per_video} bytes per video>"

    @staticmethod
    def fit(name: str, embeddings: Any) -> Codec:
        """A new codec; the same embeddings give the same one, for any number of threads.

        Args:
            name: see `compress.codecs.names`.
            embeddings: numbers (m, dim), as an array, tensor or list, to take ranges from or to train on; ten
                or twenty thousand are enough. For `float32` and `float16` only the size matters.

        Raises:
            UsageError: unknown name, or more bytes than dimensions (pq, opq).
            SchemaError: not numbers (m, dim).
            DataError: no embeddings, too few (pq, opq, rq: fewer than 256), or NaN or Inf among them.
            Interrupted: on request.
        """
        kind, number = _class_of(name)
        sample = _rows(embeddings)
        kind._check_dim(sample.shape[1], number)
        if kind.sample_rows:
            _refuse_sample(name, sample, kind.least_rows)
        return kind._fit(number, sample)

    @staticmethod
    def restore(name: str, dim: int, state: State) -> Codec:
        """The codec that was stored as `(name, dim, state)`.

        Raises:
            DataError: no codec has this name, or its state has missing, unknown or invalid arrays.
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
            # A damaged file must not reach the decoder.
            if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
                size = " x ".join(map(str, shape))
                raise DataError(f"{key} of the {name} codec is not {size} finite float32 numbers")
        return kind._restore(dim, number, state)

    def save(self, path: str | Path) -> None:
        """Write the codec to one file, an .npz of numpy without pickle."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"version": 1, "codec": self.name, "dim": self.dim, **self.state()}
        np.savez(buffer, **arrays)
        write_bytes(as_path(path), buffer.getvalue())

    @staticmethod
    def load(path: str | Path) -> Codec:
        """The codec that `save` wrote.

        Raises:
            NotFoundError: no such file. CorruptArtifactError: not a codec, or damaged.
            NewerVersionError: written by a newer version of this project.
        """
        data, kind = read_bytes(as_path(path)), "the file of a codec"
        found = read_npz(data, as_path(path), kind=kind, error=CorruptArtifactError)
        arrays = {key: np.ascontiguousarray(array) for key, array in found.items()}
        with guarded(path, kind, error=CorruptArtifactError):
            version, name, dim = (arrays.pop(key).item() for key in ("version", "codec", "dim"))
        check_version(version, 1, as_path(path))
        return Codec.restore(name, dim, arrays)

    @property
    def bytes_per_video(self) -> int:
        """Stored bytes of one embedding."""
        return self.width * self.dtype.itemsize

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        """Bool (n,): which rows of `embedding`, f32 (n, dim), can be stored; NaN and Inf never can."""
        return finite_rows(embedding)

    def encode(self, embeddings: Any) -> np.ndarray:
        """The codes of embeddings; a row gets the same code alone and among others.

        Args:
            embeddings: numbers (n, dim), as an array, tensor or list.

        Returns:
            `dtype` (n, width).

        Raises:
            SchemaError: not numbers (n, dim). DataError: a row that the codec cannot store; names it.
        """
        embedding = _rows(embeddings)
        if embedding.shape[1] != self.dim:
            raise SchemaError(
                f"the embeddings have {embedding.shape[1]} dimensions, this codec is of {self.dim}",
                hint="use embeddings of one encoder, or fit another codec",
            )
        bad = np.flatnonzero(~self.representable(embedding))
        if len(bad):
            worst = embedding[bad[0]][np.argmax(np.abs(embedding[bad[0]]))]
            raise RecordError(f"value {worst} cannot be stored as {self.name}", where=f"row {bad[0]}")
        return self._encode(embedding)

    def decode(self, codes: Any) -> np.ndarray:
        """The embeddings, float32 (n, dim), that `codes`, `dtype` (n, width), stand for.

        Raises:
            SchemaError: `codes` are no codes of this codec.
        """
        return self._decode(self.as_codes(codes))

    def as_codes(self, codes: Any) -> np.ndarray:
        """The same codes as `dtype` (n, width); SchemaError when they are not codes of this codec."""
        given = numbers(codes, "codes")
        fits = given.ndim == 2 and given.shape[1] == self.width
        if fits and given.dtype == self.dtype:
            return given
        wanted = f"codes of {self.name} are {self.dtype.name} (n, {self.width})"
        # Lists come as int64 and float64. Codes of another codec, narrower or signed otherwise, may hold
        # numbers that are codes here too, and would be decoded to nonsense.
        alike = given.dtype.kind in ("f" if self.dtype.kind == "f" else "iu")
        if not (fits and alike and np.can_cast(self.dtype, given.dtype)):
            raise SchemaError(f"{wanted}, these are {given.dtype} {given.shape}", hint="encode makes codes")
        with np.errstate(invalid="ignore", over="ignore"):
            same = given.astype(self.dtype)
        if not np.array_equal(same, given):
            raise SchemaError(f"{wanted}, these are other numbers, {given.dtype}", hint="encode makes codes")
        return same

    @classmethod
    def width_of(cls, dim: int, number: int) -> int:
        """Stored elements per video of a codec with this number in its name, for embeddings of size `dim`."""
        return number if cls.family.counts_bytes else dim

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
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        """The codec for embeddings like `sample`, finite f32 (m, dim); by default without calibration."""
        return cls(sample.shape[1], number)

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays of `state()`, all float32."""
        return {}

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        """The codec with this `state()`, whose shapes were checked; DataError when its values are invalid."""
        return cls(dim, number)

    @abstractmethod
    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        """As `encode`, for representable rows."""

    @abstractmethod
    def _decode(self, codes: np.ndarray) -> np.ndarray:
        """As `decode`."""

    def state(self) -> dict[str, np.ndarray]:
        """Calibration by name; {} when the codec needs none."""
        return {}

    @property
    def searchable(self) -> bool:
        """Whether queries can be compared with codes without decoding them; not for float32."""
        return self.scoring(np.zeros((1, self.dim), np.float32)) is not None

    def scoring(self, queries: np.ndarray) -> Lookup | Weighing | None:
        """How to score codes against `queries`, float32 (q, dim), without decoding; None when impossible.

        Scores equal the inner products of the queries and the decoded rows within float32 rounding.
        """
        return None


_CLASSES: dict[str, type[Codec]] = {}


def _class_of(name: str) -> tuple[type[Codec], int]:
    spec = parse_codec(name)
    return _CLASSES[spec.family.name], spec.number


def sample_rows(name: str) -> int:
    """How many embeddings `Codec.fit(name, ...)` can use; 0 when it needs none."""
    return _class_of(name)[0].sample_rows


def stored_bytes(name: str, dim: int) -> int:
    """Stored bytes per video of a codec, known before it is fitted."""
    kind, number = _class_of(name)
    return kind.width_of(dim, number) * kind.dtype.itemsize


def finite_rows(embedding: np.ndarray) -> np.ndarray:
    """Bool (n,): the rows of `embedding`, f32 (n, dim), without NaN and Inf."""
    return np.isfinite(embedding).all(axis=1)


def spread_evenly(rows: np.ndarray, wanted: int) -> np.ndarray:
    """About `wanted` of `rows` (fewer than twice as many), always the same ones."""
    return rows[:: max(1, len(rows) // wanted)]


def _rows(embeddings: Any) -> np.ndarray:
    # float32 matrices of this package pass unchecked, also empty ones; `encode` itself names rows with NaN.
    if type(embeddings) is np.ndarray and embeddings.ndim == 2 and embeddings.dtype == np.float32:
        return embeddings
    return as_features(embeddings, "embeddings")


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

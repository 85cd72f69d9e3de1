"""An index of codes on disk: codes, lengths and the arrays of the codec, each file an array of numpy's."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from compress.artifacts.manifest import Manifest
from compress.codecs import Codec
from compress.errors import CorruptArtifactError
from compress.index.codes.index import CodesIndex

_CODES, _LENGTHS, _STATE = "codes.npy", "lengths.npy", "codec-{}.npy"
_ROWS_AT_ONCE = 65_536
_REBUILD = "run `compress index` again"

Content = bytes | Callable[[Path], None]


def codes_files(index: CodesIndex) -> dict[str, Content]:
    """What to commit, by name."""

    def write_codes(path: Path) -> None:
        # Not by np.save: what it raises on a full disk does not say that the disk is full.
        with path.open("wb") as file:
            header = {"descr": index.codec.dtype.str, "fortran_order": False, "shape": index.codes.shape}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(index), _ROWS_AT_ONCE):
                file.write(np.ascontiguousarray(index.codes[start : start + _ROWS_AT_ONCE]).data)

    files: dict[str, Content] = {_CODES: write_codes}
    if index.lengths is not None:
        files[_LENGTHS] = _npy(index.lengths)
    return files | {_STATE.format(name): _npy(array) for name, array in index.codec.state().items()}


def read_codes(manifest: Manifest, codec_name: str, dim: int, num_vectors: int, metric: str) -> CodesIndex:
    """The index that was committed, its codes mapped from the disk.

    Raises:
        CorruptArtifactError: an array is missing, or its shape, type or numbers are not what they should be.
        DataError: this version does not know the codec, or the codec's arrays hold nonsense.
    """
    codec = Codec.restore(codec_name, dim, _state(manifest))
    codes = _array(manifest, _CODES, mapped=True)
    _agree(manifest, _CODES, codes, codec.dtype, (num_vectors, codec.width))
    if metric == "ip":
        return CodesIndex(codec, codes, None)
    lengths = _array(manifest, _LENGTHS)
    _agree(manifest, _LENGTHS, lengths, np.dtype("<f4"), (num_vectors,))
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise CorruptArtifactError(
            "holds lengths that no video has", where=manifest.path(_LENGTHS), hint=_REBUILD
        )
    return CodesIndex(codec, codes, lengths)


def _state(manifest: Manifest) -> Mapping[str, np.ndarray]:
    before, after = _STATE.split("{}")
    names = [name for name in manifest.files if name.startswith(before)]
    return {name[len(before) : -len(after)]: _array(manifest, name) for name in names}


def _array(manifest: Manifest, name: str, mapped: bool = False) -> np.ndarray:
    if name not in manifest.files:
        raise CorruptArtifactError(f"has no {name}", where=manifest.folder, hint=_REBUILD)
    path = manifest.path(name)
    try:
        return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise CorruptArtifactError(f"is not an array ({error})", where=path, hint=_REBUILD) from error


def _agree(manifest: Manifest, name: str, array: np.ndarray, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise CorruptArtifactError(
            f"holds {array.dtype} {array.shape}, not {dtype} {shape}",
            where=manifest.path(name),
            hint=_REBUILD,
        )


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()

"""An index on disk: FAISS's file or codes, the ids of its videos and where they come from, as one commit."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from compress import faiss_engine
from compress.artifacts.atomic import read_bytes
from compress.artifacts.folder import Content, commit_folder, read_folder
from compress.artifacts.hashed import Verify
from compress.artifacts.manifest import MANIFEST, Manifest, parse_manifest
from compress.codecs import Codec
from compress.errors import CorruptArtifactError, DataError, UsageError
from compress.index.codes import CodesIndex
from compress.index.faiss_index import check_loaded
from compress.index.tuning import Setting

KIND = "index"
_INDEX, _IDS = "index.faiss", "ids.npy"
_CODES, _LENGTHS, _STATE = "codes.npy", "lengths.npy", "codec-{}.npy"
_ROWS_AT_ONCE = 65_536
_REBUILD = "run `compress index` again"


@dataclass(frozen=True)
class IndexFacts:
    """What an index says about itself.

    Args:
        kind: FAISS factory string, or "codes": the codes of the store, as they are.
        metric: "cosine" or "ip".
        dim: numbers of a vector.
        num_vectors: videos in the index.
        first_row: row of the store that is row 0 of the index.
        split: name of the split that was indexed, or None for the whole store.
        store_sha256: of the store it was built from.
        nprobe, k_factor: how it is searched (see `Setting`).
        recall_at_10: share of the true 10 nearest neighbours that it finds, in [0, 1].
        recall_queries: stored videos on which that was measured.
        wanted_recall: what was asked for.
        seed: of the samples and of the clustering.
        device: where it was built, "cpu" or "cuda".
        codec: of the codes, by name; None for an index of FAISS.
    """

    kind: str
    metric: str
    dim: int
    num_vectors: int
    first_row: int
    split: str | None
    store_sha256: str
    nprobe: int
    k_factor: int
    recall_at_10: float
    recall_queries: int
    wanted_recall: float
    seed: int
    device: str
    codec: str | None = None

    @property
    def setting(self) -> Setting:
        """How to search it."""
        return Setting(self.nprobe, self.k_factor)


def save(folder: Path, engine: Any, ids: np.ndarray, facts: IndexFacts) -> Manifest:
    """Commit an index to `folder`: the old one or the new one is there, never a mixture.

    Raises:
        UsageError: the folder holds a model or whatever else is no index.
        StorageError: the disk refused; an older index is intact.
    """
    if (folder / MANIFEST).exists():
        with suppress(DataError):  # A damaged one may be replaced.
            found = parse_manifest(read_bytes(folder / MANIFEST), folder).kind
            if found != KIND:
                raise UsageError(f"holds a {found}, which an index would replace", where=folder)

    def write_index(path: Path) -> None:
        faiss_engine.write_index(engine, path)

    files = _codes_files(engine) if isinstance(engine, CodesIndex) else {_INDEX: write_index}
    return commit_folder(folder, KIND, {**files, _IDS: _npy(ids)}, asdict(facts))


def load(folder: Path, verify: Verify) -> tuple[Any, np.ndarray, IndexFacts]:
    """Read back what `save` committed, after checking that its parts belong together.

    Returns:
        (FAISS index or CodesIndex, ids bytes (n,), facts), the first two mapped from disk.

    Raises:
        NotFoundError, CorruptArtifactError, DataError: see `open_index`.
    """
    manifest = read_folder(folder, KIND, verify)
    facts = _facts(manifest.metadata, folder)
    ids = _ids(manifest.path(_IDS))
    _agree(manifest.path(_IDS), "ids", len(ids), facts.num_vectors)
    if facts.codec is not None:
        return _read_codes(manifest, facts.codec, facts), ids, facts
    return _faiss_index(manifest.path(_INDEX), facts), ids, facts


def _faiss_index(path: Path, facts: IndexFacts) -> Any:
    index = faiss_engine.read_index(path)
    check_loaded(index, path)
    inner_product = faiss_engine.faiss().METRIC_INNER_PRODUCT
    _agree(path, "metric type", index.metric_type, inner_product)
    _agree(path, "dimensions", index.d, facts.dim)
    _agree(path, "vectors", index.ntotal, facts.num_vectors)
    return index


def _facts(metadata: dict[str, Any], folder: Path) -> IndexFacts:
    known = {field.name for field in fields(IndexFacts)}
    needed = {field.name for field in fields(IndexFacts) if field.default is MISSING}
    if not needed <= set(metadata) <= known:
        odd = ", ".join(sorted((needed - set(metadata)) | (set(metadata) - known)))
        raise CorruptArtifactError(f"its manifest lacks or adds: {odd}", where=folder, hint=_REBUILD)
    return IndexFacts(**metadata)


def _ids(path: Path) -> np.ndarray:
    try:
        ids = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise CorruptArtifactError(f"is not an array of ids ({error})", where=path, hint=_REBUILD) from error
    if ids.dtype.kind != "S" or ids.ndim != 1:
        raise CorruptArtifactError(f"holds {ids.dtype} {ids.shape}, not ids", where=path, hint=_REBUILD)
    return np.asarray(ids)


def _agree(path: Path, what: str, found: int, promised: int) -> None:
    if found != promised:
        raise CorruptArtifactError(
            f"has {found} as its number of {what}, the manifest says {promised}", where=path, hint=_REBUILD
        )


def _codes_files(index: CodesIndex) -> dict[str, Content]:
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


def _read_codes(manifest: Manifest, codec_name: str, facts: IndexFacts) -> CodesIndex:
    before, after = _STATE.split("{}")
    names = [name for name in manifest.files if name.startswith(before)]
    state = {name[len(before) : -len(after)]: _array(manifest, name) for name in names}
    codec = Codec.restore(codec_name, facts.dim, state)
    codes = _array(manifest, _CODES, mapped=True)
    _check_array(manifest, _CODES, codes, codec.dtype, (facts.num_vectors, codec.width))
    if facts.metric == "ip":
        return CodesIndex(codec, codes, None)
    lengths = _array(manifest, _LENGTHS)
    _check_array(manifest, _LENGTHS, lengths, np.dtype("<f4"), (facts.num_vectors,))
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise CorruptArtifactError(
            "holds lengths that no video has", where=manifest.path(_LENGTHS), hint=_REBUILD
        )
    return CodesIndex(codec, codes, lengths)


def _array(manifest: Manifest, name: str, mapped: bool = False) -> np.ndarray:
    if name not in manifest.files:
        raise CorruptArtifactError(f"has no {name}", where=manifest.folder, hint=_REBUILD)
    path = manifest.path(name)
    try:
        return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise CorruptArtifactError(f"is not an array ({error})", where=path, hint=_REBUILD) from error


def _check_array(
    manifest: Manifest, name: str, array: np.ndarray, dtype: np.dtype, shape: tuple[int, ...]
) -> None:
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

"""An index on disk, as one commit: FAISS's file or the codes, the ids of the videos, and its facts."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from compress import faiss_engine
from compress.artifacts.folder import Content, commit_folder, load_folder
from compress.artifacts.hashed import Verify
from compress.artifacts.manifest import Manifest
from compress.artifacts.npy import npy_array, npy_file
from compress.codecs import Codec
from compress.doors.npy import read_npy
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
        kind: FAISS factory string, or "codes" for a search of the stored codes.
        metric: "cosine" or "ip".
        dim: embedding size.
        num_vectors: videos in the index.
        first_row: row of the store that is row 0 of the index.
        split: name of the split that was indexed, or None for the whole store.
        store_sha256: of the store it was built from.
        nprobe, k_factor: search setting (see `Setting`).
        recall_at_10: share of the 10 nearest by an exact search of the stored (decoded) rows that it finds,
            in [0, 1].
        recall_queries: stored videos on which recall was measured.
        wanted_recall: the recall that was asked for.
        seed: of the samples and the clustering.
        device: it was built on, "cpu" or "cuda".
        codec: of the codes, by name; None for a FAISS index.
        zero_vectors: rows of zeros, which for cosine count as 0 similar to every query.
        recall_at_10_float32: the same share of the 10 nearest by an exact search of the float32 embeddings
            that the rows were made from; None where these were not given.
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
    zero_vectors: int = 0
    recall_at_10_float32: float | None = None

    @property
    def setting(self) -> Setting:
        """How to search it."""
        return Setting(self.nprobe, self.k_factor)


def save(folder: Path, engine: Any, ids: np.ndarray, facts: IndexFacts) -> Manifest:
    """Commit an index to `folder`; errors as `commit_folder`."""
    files: dict[str, Content] = {_IDS: npy_array(ids)}
    if isinstance(engine, CodesIndex):
        starts = range(0, len(engine), _ROWS_AT_ONCE)
        blocks = (engine.codes[start : start + _ROWS_AT_ONCE] for start in starts)
        files[_CODES] = npy_file(engine.codes.shape, engine.codec.dtype, blocks)
        if engine.lengths is not None:
            files[_LENGTHS] = npy_array(engine.lengths)
        files |= {_STATE.format(name): npy_array(array) for name, array in engine.codec.state().items()}
    else:
        files[_INDEX] = partial(_write_and_open, engine, facts)
    metadata = asdict(facts)
    if not facts.zero_vectors:
        del metadata["zero_vectors"]  # earlier versions read the index, too
    if facts.recall_at_10_float32 is None:
        del metadata["recall_at_10_float32"]
    return commit_folder(folder, KIND, files, metadata)


def _write_and_open(engine: Any, facts: IndexFacts, path: Path) -> None:
    """Write FAISS's file, and open it again before it is committed; UsageError where that does not work."""
    faiss_engine.write_index(engine, path)
    try:
        _faiss_index(path, facts)
    except DataError as error:
        raise UsageError(
            f"FAISS wrote {facts.kind!r} and cannot open it again: {error.what}",
            where="--factory",
            hint="use another --factory, such as IVF1024,Flat",
        ) from error


def load(folder: Path, verify: Verify) -> tuple[Any, np.ndarray, IndexFacts]:
    """(FAISS index or CodesIndex, ids bytes (n,), facts) that `save` committed, the arrays mapped from disk.

    Raises:
        NotFoundError, CorruptArtifactError, DataError: see `open_index`.
    """
    return load_folder(folder, KIND, _opened, verify)


def _opened(manifest: Manifest) -> tuple[Any, np.ndarray, IndexFacts]:
    facts = _facts(manifest.metadata, manifest.folder)
    ids, path = _array(manifest, _IDS, mapped=True), manifest.path(_IDS)
    if ids.dtype.kind != "S" or ids.ndim != 1:
        raise CorruptArtifactError(f"holds {ids.dtype} {ids.shape}, not ids", where=path, hint=_REBUILD)
    _agree(path, "ids", len(ids), facts.num_vectors)
    if facts.codec is not None:
        return _read_codes(manifest, facts.codec, facts), np.asarray(ids), facts
    return _faiss_index(manifest.path(_INDEX), facts), np.asarray(ids), facts


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
    facts = IndexFacts(**metadata)
    for name, kinds in get_type_hints(IndexFacts).items():
        kinds = int | float if kinds is float else kinds
        if not isinstance(getattr(facts, name), kinds) or isinstance(getattr(facts, name), bool):
            raise CorruptArtifactError(f"its manifest says a wrong {name}", where=folder, hint=_REBUILD)
    return facts


def _agree(path: Path, what: str, found: int, promised: int) -> None:
    if found != promised:
        raise CorruptArtifactError(
            f"has {found} as its number of {what}, the manifest says {promised}", where=path, hint=_REBUILD
        )


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
            "holds norms that are not positive numbers", where=manifest.path(_LENGTHS), hint=_REBUILD
        )
    return CodesIndex(codec, codes, lengths)


def _array(manifest: Manifest, name: str, mapped: bool = False) -> np.ndarray:
    if name not in manifest.files:
        raise CorruptArtifactError(f"has no {name}", where=manifest.folder, hint=_REBUILD)
    path = manifest.path(name)
    return read_npy(path, mapped=mapped, error=CorruptArtifactError, hint=_REBUILD)


def _check_array(
    manifest: Manifest, name: str, array: np.ndarray, dtype: np.dtype, shape: tuple[int, ...]
) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise CorruptArtifactError(
            f"holds {array.dtype} {array.shape}, not {dtype} {shape}",
            where=manifest.path(name),
            hint=_REBUILD,
        )

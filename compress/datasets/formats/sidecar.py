"""Labels and ids of an array file, from a .csv or .npz beside it."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.datasets.formats.vectors import check_indptr
from compress.errors import SchemaError

COLUMNS = ("id", "labels")
_HINT = "labels are integers separated by spaces, as in: my-video,3 17"


@dataclass(frozen=True)
class Sidecar:
    """Labels of N rows: `indices[indptr[i]:indptr[i + 1]]` int64, and their ids, None for default ones."""

    indptr: np.ndarray
    indices: np.ndarray
    ids: list[bytes] | None

    @property
    def largest_label(self) -> int:
        """-1 when there is no label at all."""
        return int(self.indices.max()) if len(self.indices) else -1


def find_sidecar(path: Path) -> Path | None:
    """The labels file of an array file, by its name."""
    beside = [path.with_name(path.stem + ending) for ending in (".labels.csv", ".labels.npz")]
    present = [file for file in beside if file.is_file()]
    if len(present) > 1:
        what = f"both {present[0].name} and {present[1].name} exist"
        raise SchemaError(what, where=path, hint="name the labels file with --labels, or remove one")
    return present[0] if present else None


def read_sidecar(path: Path, num_rows: int) -> Sidecar:
    """Labels of `num_rows` rows; SchemaError when the file holds anything else."""
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".npz"):
        raise SchemaError(f"cannot read labels from '{suffix}' files", where=path, hint="use .csv or .npz")
    return _read_csv(path, num_rows) if suffix == ".csv" else _read_npz(path, num_rows)


def _read_csv(path: Path, num_rows: int) -> Sidecar:
    ids: list[bytes] = []
    labels: list[int] = []
    ends = [0]
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            rows = csv.reader(text, strict=True)
            header = tuple(next(rows, ()))
            if header != COLUMNS:
                what = f"the columns are {','.join(header) or 'missing'}; id,labels expected"
                raise SchemaError(what, where=path, hint=_HINT)
            for row in rows:
                if len(row) != len(COLUMNS):
                    what = f"{len(row)} columns instead of 2"
                    raise SchemaError(what, where=f"{path}: line {rows.line_num}", hint=_HINT)
                ids.append(row[0].encode())
                labels.extend(_integers(row[1], path, rows.line_num))
                ends.append(len(labels))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SchemaError(f"is not a UTF-8 CSV file ({error})", where=path) from error
    indptr = check_indptr(path, np.array(ends), len(labels), num_rows)
    return Sidecar(indptr, np.array(labels, dtype=np.int64), ids)


def _integers(text: str, path: Path, line: int) -> list[int]:
    try:
        return np.array(text.split(), dtype=np.int64).tolist()
    except (ValueError, OverflowError) as error:
        raise SchemaError(
            f"'{text[:40]}' are not labels", where=f"{path}: line {line}", hint=_HINT
        ) from error


def _read_npz(path: Path, num_rows: int) -> Sidecar:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ("indptr", "indices", "ids") if name in arrays}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise SchemaError(f"is not a .npz file of plain arrays ({error})", where=path) from error
    missing = [name for name in ("indptr", "indices") if name not in found]
    if missing:
        raise SchemaError(
            f"has no array '{missing[0]}'", where=path, hint="it needs indptr and indices, and may have ids"
        )
    indptr, indices = found["indptr"], found["indices"]
    if indices.dtype.kind not in "iu" or indices.ndim != 1:
        raise SchemaError(f"indices are {indices.dtype} {indices.shape}; integers (n,) expected", where=path)
    bounds = check_indptr(path, indptr, len(indices), num_rows)
    ids = _ids(path, found["ids"], num_rows) if "ids" in found else None
    return Sidecar(bounds, indices.astype(np.int64), ids)


def _ids(path: Path, ids: np.ndarray, num_rows: int) -> list[bytes]:
    if ids.dtype.kind not in "SU" or ids.shape != (num_rows,):
        raise SchemaError(f"ids are {ids.dtype} {ids.shape}; {num_rows} strings expected", where=path)
    return [name.encode() if isinstance(name, str) else name for name in ids.tolist()]

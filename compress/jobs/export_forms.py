"""The forms in which embeddings leave: each is written in one pass over the rows, in the memory of a block.

Only the FAISS file is made in memory, because FAISS writes an index as a whole.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from compress import faiss_engine
from compress.datasets.vocabulary import Vocabulary
from compress.errors import DataError
from compress.foreign_text import csv_cell, one_line
from compress.index.rows import Selection
from compress.labels import Labels
from compress.progress import Progress, Reporter, check_interrupt

Writer = Callable[[Selection, Labels | None, Vocabulary, Mapping[str, str], Sequence[Path], Reporter], None]
_AGAIN = "nothing was written; run the same command again"


def check_ids(ids: np.ndarray, path: Path) -> None:
    """DataError if an id, bytes (n,), has a line break in it: `path` has one id in each line."""
    for row, name in enumerate(ids.tolist()):
        if len(name.decode("utf-8", "backslashreplace").splitlines()) > 1 or name[-1:] in (b"\n", b"\r"):
            shown = one_line(name.decode("utf-8", "backslashreplace"))
            hint = "use --format parquet, which holds any id"
            raise DataError(f"the id {shown!r} (row {row}) has a line break in it", where=path, hint=hint)


def _parquet(
    rows: Selection,
    labels: Labels | None,
    names: Vocabulary,
    facts: Mapping[str, str],
    files: Sequence[Path],
    report: Reporter,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"id": pa.string(), "embedding": pa.list_(pa.float32(), rows.store.dim)}
    if labels is not None:
        columns["labels"] = pa.list_(pa.int32())
    if labels is not None and len(names):
        columns["label_names"] = pa.list_(pa.string())
    schema = pa.schema(columns, metadata={f"compress.{name}": value for name, value in facts.items()})
    with pq.ParquetWriter(files[0], schema) as writer:
        for first, block in _blocks(rows, report):
            numbers = pa.array(np.ascontiguousarray(block).reshape(-1))
            arrays = [
                pa.array(_ids(rows, first, len(block)), pa.string()),
                pa.FixedSizeListArray.from_arrays(numbers, rows.store.dim),
            ]
            if labels is not None:
                start = rows.store_rows.start + first
                part = labels.between(start, start + len(block))
                ends = pa.array(part.indptr, pa.int32())
                arrays.append(pa.ListArray.from_arrays(ends, pa.array(part.indices, pa.int32())))
                if len(names):
                    shown = [names.shown(label) for label in part.indices.tolist()]
                    arrays.append(pa.ListArray.from_arrays(ends, pa.array(shown, pa.string())))
            writer.write_table(pa.table(arrays, schema=schema))


def _npy(
    rows: Selection,
    labels: Labels | None,
    names: Vocabulary,
    facts: Mapping[str, str],
    files: Sequence[Path],
    report: Reporter,
) -> None:
    shape = {"descr": "<f4", "fortran_order": False, "shape": (len(rows), rows.store.dim)}
    with files[0].open("wb") as out:
        np.lib.format.write_array_header_1_0(out, shape)
        for _, block in _blocks(rows, report):
            out.write(np.ascontiguousarray(block, "<f4").data)
    _write_ids(rows, files[1])


def _safetensors(
    rows: Selection,
    labels: Labels | None,
    names: Vocabulary,
    facts: Mapping[str, str],
    files: Sequence[Path],
    report: Reporter,
) -> None:
    shape = [len(rows), rows.store.dim]
    tensor = {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * shape[0] * shape[1]]}
    header = json.dumps({"__metadata__": dict(facts), "embeddings": tensor}).encode()
    header += b" " * (-len(header) % 8)
    with files[0].open("wb") as out:
        out.write(struct.pack("<Q", len(header)) + header)
        for _, block in _blocks(rows, report):
            out.write(np.ascontiguousarray(block, "<f4").data)
    _write_ids(rows, files[1])


def _faiss(
    rows: Selection,
    labels: Labels | None,
    names: Vocabulary,
    facts: Mapping[str, str],
    files: Sequence[Path],
    report: Reporter,
) -> None:
    index = faiss_engine.faiss().IndexFlatIP(rows.store.dim)
    for _, block in _blocks(rows, report):
        index.add(np.ascontiguousarray(block))
    faiss_engine.write_index(index, files[0])
    _write_ids(rows, files[1])


def _projector(
    rows: Selection,
    labels: Labels | None,
    names: Vocabulary,
    facts: Mapping[str, str],
    files: Sequence[Path],
    report: Reporter,
) -> None:
    with files[0].open("w", encoding="ascii", newline="") as out:
        for _, block in _blocks(rows, report):
            np.savetxt(out, block, fmt="%.9g", delimiter="\t")  # 9 digits give back every float32
    with files[1].open("w", encoding="utf-8", newline="") as out:
        out.write("id\tlabels\n" if labels is not None else "")  # one column has no header there
        for row, name in enumerate(_ids(rows, 0, len(rows)), start=rows.store_rows.start):
            shown = "" if labels is None else ", ".join(map(names.shown, labels[row].tolist()))
            cells = (name,) if labels is None else (name, shown)
            out.write("\t".join(csv_cell(one_line(cell)) for cell in cells) + "\n")


def _blocks(rows: Selection, report: Reporter) -> Iterator[tuple[int, np.ndarray]]:
    for first, block in rows.decoded():
        check_interrupt(_AGAIN)
        yield first, block
        report(Progress("export", first + len(block), len(rows)))


def _ids(rows: Selection, first: int, count: int) -> list[str]:
    start = rows.store_rows.start + first
    ids = rows.store.id_bytes[start : start + count].tolist()
    return [name.decode("utf-8", "backslashreplace") for name in ids]


def _write_ids(rows: Selection, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        out.writelines(f"{name}\n" for name in _ids(rows, 0, len(rows)))


WRITERS: Mapping[str, Writer] = {
    "parquet": _parquet,
    "npy": _npy,
    "safetensors": _safetensors,
    "faiss": _faiss,
    "projector": _projector,
}
"""How each form is written: rows, labels, names of classes, facts for the header, files, progress."""

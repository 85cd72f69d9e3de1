"""Tables in Arrow files: Feather, streams, folders of the library `datasets`. Needs pyarrow, an extra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from compress.artifacts import disk
from compress.datasets.formats.arrow_columns import need_pyarrow
from compress.datasets.formats.arrow_rows import ArrowFile, ArrowRows
from compress.datasets.formats.row_reader import row_format
from compress.doors.claims import check_claim
from compress.doors.guard import each_guarded, guarded

_KIND = "an Arrow file"
_FILE_MARK = b"ARROW1"


@contextmanager
def _opened(path: Path) -> Iterator[ArrowFile]:
    need_pyarrow(path)
    import pyarrow
    import pyarrow.ipc

    with disk.reading(path), guarded(path, _KIND):
        mapped = pyarrow.memory_map(str(path))
    with mapped:
        with guarded(path, _KIND):
            is_file = mapped.read(len(_FILE_MARK)) == _FILE_MARK
            mapped.seek(0)
            reader = pyarrow.ipc.open_file(mapped) if is_file else pyarrow.ipc.open_stream(mapped)
            rows = sum(map(len, _batches(path, reader, mapped, is_file)))
        check_claim(path, "its number of rows", rows, path.stat().st_size)

        def cut(names: Sequence[str], size: int) -> Iterator[Any]:
            for batch in _batches(path, reader, mapped, is_file):
                chosen = batch.select(list(names))
                chosen.validate(full=True)  # nothing has looked at the offsets of lists and texts yet
                for start in range(0, len(batch), size):
                    yield chosen.slice(start, size)

        yield ArrowFile(
            reader.schema, rows, lambda names, size: each_guarded(path, _KIND, lambda: cut(names, size))
        )


def _batches(path: Path, reader: Any, mapped: Any, is_file: bool) -> Iterator[Any]:
    """All record batches; they stay in the file until their numbers are read."""
    import pyarrow.ipc

    if is_file:
        yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
        return
    mapped.seek(0)
    yield from pyarrow.ipc.open_stream(mapped)


FORMAT = row_format(
    "Arrow", (".arrow", ".feather", ".ipc"), lambda path: ArrowRows(path, partial(_opened, path))
)

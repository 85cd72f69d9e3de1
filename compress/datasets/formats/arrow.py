"""Tables in Arrow files: Feather, streams, folders of the library `datasets`. Needs pyarrow, an extra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from compress.datasets.formats.arrow_columns import need_pyarrow
from compress.datasets.formats.arrow_rows import ArrowFile, ArrowRows
from compress.datasets.formats.row_reader import row_format
from compress.errors import DataError

_FILE_MARK = b"ARROW1"


@contextmanager
def _opened(path: Path) -> Iterator[ArrowFile]:
    need_pyarrow(path)
    import pyarrow
    import pyarrow.ipc

    try:
        with pyarrow.memory_map(str(path)) as mapped:
            is_file = mapped.read(len(_FILE_MARK)) == _FILE_MARK
            mapped.seek(0)
            reader = pyarrow.ipc.open_file(mapped) if is_file else pyarrow.ipc.open_stream(mapped)
            rows = sum(len(batch) for batch in _batches(path, reader, mapped, is_file))

            def batches(names: Sequence[str], size: int) -> Iterator[Any]:
                for batch in _batches(path, reader, mapped, is_file):
                    chosen = batch.select(list(names))
                    for start in range(0, len(batch), size):
                        yield chosen.slice(start, size)

            yield ArrowFile(reader.schema, rows, batches)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"is damaged or not an Arrow file ({error})", where=path) from error


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

"""Metadata: columns of Arrow, made of what people pass; one type per name in the whole collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import SchemaError, UnavailableError

if TYPE_CHECKING:
    import pyarrow as pa

EXTRA = "compress-video-embeddings[collection]"
ROW = "compress row"
RESERVED = ("video_id", "labels", ROW)
_MOST_COLUMNS, _LONGEST_NAME = 1000, 128
_FORMS = "pass {name: values}, a list with a dict for each video, or a table of pyarrow"


def need_arrow() -> None:
    """UnavailableError where pyarrow or duckdb is not installed."""
    try:
        import duckdb  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        what = "metadata and filters of a collection need duckdb and pyarrow"
        raise UnavailableError(what, hint=f"pip install '{EXTRA}'") from error


def as_table(metadata: Any, num_videos: int) -> pa.Table | None:
    """The columns of some videos; None where there are none.

    Args:
        metadata: column -> values, a list of dicts, a table of pyarrow; in the order of the videos.
        num_videos: how many values each column must have.

    Raises:
        UnavailableError: pyarrow is not installed.
        SchemaError: none of these forms, another number of rows, a name or a type that no column can have.
    """
    if metadata is None:
        return None
    need_arrow()
    import pyarrow as pa

    table = metadata if isinstance(metadata, pa.Table) else _built(metadata)
    if table.num_columns == 0:
        return None
    if table.num_rows != num_videos:
        raise SchemaError(f"metadata has {table.num_rows} rows for {num_videos} videos")
    _check_names(table.column_names)
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = _plain(column.type)
        if kind is None:
            raise SchemaError(
                f"column {name!r} of the metadata is of type {column.type}",
                hint="give numbers, text, true and false, dates, times, or lists of these",
            )
        try:
            columns[name] = column.cast(kind)
            columns[name].validate(full=True)
        except pa.ArrowException as error:
            raise SchemaError(f"column {name!r} of the metadata: {_line(error)}") from error
    return pa.table(columns)


def united(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """The columns of several tables: all names, each of the type that holds the values of all.

    Raises:
        SchemaError: a column is text here and a number there, or two names differ in case alone.
    """
    import pyarrow as pa

    kinds: dict[str, Any] = {}
    for schema in schemas:
        for item in schema:
            known = kinds.get(item.name, item.type)
            pair = [pa.schema([(item.name, kind)]) for kind in (known, item.type)]
            try:
                kinds[item.name] = pa.unify_schemas(pair, promote_options="permissive").field(0).type
            except pa.ArrowException as error:
                raise SchemaError(
                    f"column {item.name!r} of the metadata is {item.type}, and was {known} before",
                    hint="convert it, or give it another name",
                ) from error
    _check_names(list(kinds))
    return pa.schema(kinds.items())


def fitted(table: pa.Table | None, num_rows: int, schema: pa.Schema) -> pa.Table:
    """The same rows with exactly the columns of `schema`, which are null where the table has none."""
    import pyarrow as pa

    columns = {}
    for item in schema:
        if table is None or item.name not in table.column_names:
            columns[item.name] = pa.chunked_array([pa.nulls(num_rows, item.type)])
        else:
            columns[item.name] = table.column(item.name).cast(item.type)
    return pa.table(columns)


def joined(parts: Sequence[tuple[pa.Table | None, int]]) -> pa.Table | None:
    """The rows of several tables, each with its number of rows, as one table; None without columns."""
    tables = [table for table, _ in parts if table is not None]
    if not tables:
        return None
    import pyarrow as pa

    schema = united(table.schema for table in tables)
    return pa.concat_tables([fitted(table, rows, schema) for table, rows in parts])


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # Without what pandas or others noted in the schema: it may hold values.
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    return bytes(sink.getvalue())


def id_column(ids: np.ndarray) -> pa.Array:
    """Ids, S (n,), as text."""
    import pyarrow as pa

    return pa.array(ids.tolist(), pa.binary()).cast(pa.large_string())


def _built(metadata: Any) -> pa.Table:
    import pyarrow as pa

    if isinstance(metadata, Mapping):
        columns = {name: list(values) for name, values in metadata.items()}
    elif isinstance(metadata, Sequence) and all(isinstance(row, Mapping) for row in metadata):
        names = dict.fromkeys(name for row in metadata for name in row)
        columns = {name: [row.get(name) for row in metadata] for name in names}
    else:
        raise SchemaError(f"metadata is a {type(metadata).__name__}", hint=_FORMS)
    _check_names(list(columns))
    arrays = {}
    for name, values in columns.items():
        try:
            plain = [value.item() if isinstance(value, np.generic) else value for value in values]
            arrays[name] = pa.array(plain)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise SchemaError(f"column {name!r} of the metadata: {_line(error)}") from error
    if len({len(array) for array in arrays.values()}) > 1:
        sizes = ", ".join(f"{name} {len(array)}" for name, array in arrays.items())
        raise SchemaError(f"columns of the metadata differ in length: {sizes}")
    return pa.table(arrays)


def _check_names(names: Sequence[Any]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
            raise SchemaError(f"{str(name)[:40]!r} cannot be the name of a column of metadata")
        if not name.isprintable() or name.lower() in RESERVED:
            raise SchemaError(f"{name!r} cannot be the name of a column of metadata", hint="rename it")
        if name.lower() in seen:
            raise SchemaError(
                f"the columns {seen[name.lower()]!r} and {name!r} of the metadata are one in SQL",
                hint="rename one of them",
            )
        seen[name.lower()] = name
    if len(seen) > _MOST_COLUMNS:
        raise SchemaError(f"metadata has {len(seen):,} columns, at most {_MOST_COLUMNS:,} are kept")


def _plain(kind: Any) -> Any:
    """The type that a column of this type is kept as; None for types that are not kept."""
    import pyarrow as pa
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return _plain(kind.value_type)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return pa.large_string()  # of more than 2 GB in all, too
    if types.is_float16(kind):
        return pa.float32()
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        inner = _plain(kind.value_type)
        return None if inner is None or types.is_nested(inner) else pa.large_list(inner)
    tests = (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_null)
    times = (types.is_date, types.is_timestamp, types.is_time)
    return kind if any(test(kind) for test in (*tests, *times)) else None


def _line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

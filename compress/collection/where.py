"""A filter: one SQL expression over the columns of videos, evaluated by DuckDB.

DuckDB runs in memory, without files, network, extensions and variables of Python, and its configuration is
locked. What it gets is one expression: its syntax tree is looked at first. So a filter reads the columns
of the videos, and nothing else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.collection.columns import ROW, need_arrow
from compress.errors import CompressError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

WHERE = "--where"
SECONDS = 10.0
"""A filter that takes longer is stopped."""
_LONGEST, _LONGEST_REASON = 10_000, 300
_MOST_BRACKETS = 500  # the parser takes time by the square of open ones: 7 s for 3,000
_SETTINGS: dict[str, Any] = {
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "1GB",
    "threads": "1",
}
_REFUSED = {
    "SUBQUERY": "a query within it",
    "STAR": "*",
    "WINDOW": "a window function",
    "PARAMETER": "a parameter",
    "POSITIONAL_REFERENCE": "a column by its place",
    "DEFAULT": "DEFAULT",
}
# Functions that tell of the session and not of a video; those without a fixed answer are asked for.
_OF_THE_SESSION = {"current_setting", "getvariable", "getenv", "current_query", "txid_current"}
_EXAMPLE = "such as \"duration > 60 AND 'Cooking' IN labels\" (`compress collection stats` lists columns)"
_local = threading.local()


@dataclass(frozen=True)
class Where:
    """A filter: its text, and every name in it that may be a column, in lower case."""

    text: str
    names: frozenset[str]


def parse_where(text: str) -> Where:
    """A filter.

    Args:
        text: one expression, true for the videos that may be found: "duration > 60 AND 'Cooking' IN labels".

    Raises:
        UsageError: not one expression, or one that asks for more than the columns of a video.
        UnavailableError: duckdb is not installed.
    """
    if not isinstance(text, str) or not text.strip():
        raise UsageError("is empty, not an SQL expression", where=WHERE, hint=_EXAMPLE)
    if len(text) > _LONGEST:
        raise UsageError(f"has {len(text):,} characters, at most {_LONGEST:,} are read", where=WHERE)
    if text.count("(") > _MOST_BRACKETS:
        raise UsageError(f"has more than {_MOST_BRACKETS} brackets", where=WHERE)
    need_arrow()
    import duckdb

    try:
        connection = _connection()
        found = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {text}"]).fetchall()
        tree = json.loads(found[0][0])
    except (duckdb.Error, UnicodeError, RecursionError, ValueError) as error:
        raise _refused(error) from error
    if tree.get("error"):
        raise UsageError(f"{tree.get('error_message', 'is no SQL')}", where=WHERE, hint=_EXAMPLE)
    statements = tree["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    if node.get("type") != "SELECT_NODE" or len(node["select_list"]) != 1 or not _is_bare(node):
        raise UsageError("is not one SQL expression", where=WHERE, hint=_EXAMPLE)
    expression = node["select_list"][0]
    names: set[str] = set()
    for part in _parts(expression):
        if what := _REFUSED.get(part.get("class", "")):
            raise UsageError(f"has {what}, which no filter may have", where=WHERE, hint=_EXAMPLE)
        if part.get("class") == "FUNCTION" and (name := part["function_name"].lower()) in _unsteady():
            raise UsageError(f"calls {name}, which does not follow from a video", where=WHERE)
        names.update(name.lower() for name in part.get("column_names", ()))
    return Where(text, frozenset(names))


def passing(where: Where, table: pa.Table) -> np.ndarray:
    """Which rows of a table pass, bool (n,); a row for which the expression is null does not.

    Args:
        where: the filter.
        table: the columns that it names, and row numbers in `ROW`.

    Raises:
        UsageError: a column that is not there, types that do not fit, more time or memory than it may take.
    """
    mask = np.zeros(table.num_rows, dtype=bool)
    with _asking(table) as connection:
        # The line break ends a comment.
        query = f'SELECT "{ROW}" FROM videos WHERE ({where.text}\n)'
        mask[connection.execute(query).fetchnumpy()[ROW]] = True
    return mask


def sql_types(table: pa.Table) -> dict[str, str]:
    """DuckDB's type of each column of a table."""
    with _asking(table) as connection:
        found = connection.execute("DESCRIBE videos").fetchall()
    return {row[0]: row[1] for row in found}


@contextmanager
def _asking(table: pa.Table) -> Iterator[Any]:
    """A connection that sees a table as `videos`, and is stopped after `SECONDS`; its errors are ours."""
    import duckdb

    connection = _connection()
    connection.register("videos", table)
    timer = threading.Timer(SECONDS, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield connection
    except (duckdb.Error, UnicodeError) as error:
        raise _refused(error) from error
    finally:
        timer.cancel()
        connection.unregister("videos")


def _connection() -> Any:
    """This thread's connection, made once: that takes 30 ms, which is more than most filters."""
    if not hasattr(_local, "connection"):
        import duckdb

        connection = duckdb.connect(":memory:", config=_SETTINGS)
        connection.execute("SET lock_configuration = true")
        _local.connection = connection
    return _local.connection


@cache
def _unsteady() -> frozenset[str]:
    """Functions whose answer is not the same each time, and those that tell of the session."""
    found = _connection().execute(
        "SELECT DISTINCT lower(function_name) FROM duckdb_functions() "
        "WHERE stability = 'VOLATILE' OR has_side_effects"
    )
    return frozenset({row[0] for row in found.fetchall()} | _OF_THE_SESSION)


def _is_bare(node: dict[str, Any]) -> bool:
    """Whether a SELECT is nothing but its list."""
    empty = ("where_clause", "having", "qualify", "sample", "group_expressions", "group_sets", "modifiers")
    return (
        node["from_table"]["type"] == "EMPTY"
        and not any(node.get(name) for name in empty)
        and not node["cte_map"]["map"]
        and not node["select_list"][0].get("alias")
    )


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a syntax tree."""
    left = [node]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)


def _refused(error: BaseException) -> CompressError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    if "interrupt" in text.lower():
        text = f"takes longer than {SECONDS:g} seconds"
    return UsageError(text[:_LONGEST_REASON], where=WHERE, hint=_EXAMPLE)

"""A table of points, as all tables of the trade-off are."""

from __future__ import annotations

from collections.abc import Sequence

from compress.reports.document import FILES, Column, Group, Row, Table
from compress.reports.rounding import count
from compress.reports.tradeoff.table import Point


def points_table(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    """A table of points; its rows begin with the name of the point and its `size_of`."""
    sizes = (Column("Dims", shown=FILES), Column("Codec", left=True, shown=FILES))
    return Table(
        caption, (Column("Point", left=True), Column("Bytes"), *sizes, *columns), (Group("", tuple(rows)),)
    )


def size_of(point: Point) -> tuple[str, ...]:
    """Bytes, dimensions and codec of a point."""
    return count(point.bytes_per_video), count(point.dim), point.codec

"""How well neighbours are found, of each row of Table 4."""

from __future__ import annotations

from collections.abc import Iterator

from compress.evaluation.row import Row
from compress.reports.document import Cell, Part, Section, cell, plain_table, row
from compress.reports.rounding import count, figure
from compress.reports.table_4.table import Table4


def retrieval_section(table: Table4) -> Iterator[Section]:
    """The table of neighbours; nothing where none were measured."""
    rows = [
        row(
            row_name(one),
            count(found.queries),
            figure(found.label_precision_at_10),
            figure(found.map_at_10),
            figure(found.ndcg_at_10),
            figure(found.neighbour_recall_at_10),
        )
        for _, one in table.measured
        if (found := one.retrieval) is not None
    ]
    caption = (
        "The ten nearest neighbours of each query. A neighbour counts when it shares a label; nDCG "
        "(normalised discounted cumulative gain) is graded by the overlap of labels; neighbour recall is "
        "the share of the original features' ten neighbours that were found."
    )
    titles = ("Row", "Queries", "Label precision@10", "MAP@10", "nDCG@10", "Neighbour recall@10")
    if rows:
        yield Section("Retrieval", (plain_table(caption, titles, rows),))


def row_name(row: Row) -> Cell:
    """The first cell of a row that is told by title and name."""
    return cell(row.title, Part(row.row, "name"))

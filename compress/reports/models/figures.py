"""The charts of a table of models: the GAP of each row, and the order of the models beside the paper's."""

from __future__ import annotations

from compress.reports.charts import PAPER, SERIES, Mark, rows_chart, scatter
from compress.reports.document import Chart, Key
from compress.reports.models.findings import order_kept
from compress.reports.models.table import Judgement, ModelTable
from compress.reports.rounding import bracket, figure
from compress.reports.svg import legend_mark

LEAST = 3  # fewer rows have hardly an order


def gap_chart(table: ModelTable) -> Chart | None:
    """The measured GAP of each row and the paper's beside it; None when fewer than two were measured."""
    marks = [
        Mark(
            name=line.run,
            value=model.figures.gap,
            look=SERIES[0] if line.published else SERIES[1],
            words=f"{line.run}: {figure(model.figures.gap.value)} {bracket(model.figures.gap)}",
            paper=(line.published.gap, f"the paper {figure(line.published.gap)}") if line.published else None,
        )
        for line, model in table.measured
    ]
    printed = sum(line in table.paper for line, _ in table.measured)
    title = f"{table.title}: GAP of each measured row"
    return rows_chart(marks, title=title, axis="GAP", break_at=printed) if len(marks) > 1 else None


def order_chart(table: ModelTable) -> Chart | None:
    """The measured GAP of each printed row against the paper's; None for fewer rows than `LEAST`."""
    marks = [
        Mark(
            name=line.run,
            value=model.figures.gap,
            look=SERIES[0],
            words=f"{line.run}: the paper {figure(line.published.gap)}, measured "
            f"{figure(model.figures.gap.value)} {bracket(model.figures.gap)}",
            x=line.published.gap,
        )
        for line, model in table.measured
        if line.published
    ]
    if len(marks) < LEAST:
        return None
    title = "Measured GAP against the paper's GAP of the same row"
    return scatter(marks, title=title, across="the paper's GAP, on its data", upwards="measured GAP")


def gap_caption(table: ModelTable) -> str:
    """What the charts show, and what they do not."""
    parts = ["GAP of each measured row with its 95 % interval, in the order of the table."]
    printed = [line for line, _ in table.measured if line.published]
    if printed:
        other_data = any(line.judgement is Judgement.NOT_JUDGED for line in table.paper)
        what = "of other data than ours" if other_data else "of one run, without an interval"
        parts.append(
            "Diamonds: the GAP that the paper prints for the row, on an axis of its own. It is "
            f"{what}, so distances on the two axes do not compare."
        )
    if len(printed) >= LEAST:
        agreeing, pairs = order_kept(table)
        parts.append(
            "The other chart shows the same figures against each other: if the order of the models agreed, "
            f"the points would rise from left to right. {agreeing} of {pairs} pairs of rows are in the "
            "paper's order, whether or not their intervals overlap."
        )
    return " ".join(parts)


def gap_legend(table: ModelTable) -> tuple[Key, ...]:
    """What the marks mean."""
    printed = {line.published is not None for line, _ in table.measured}
    legend = (
        ("measured, a row of the paper", SERIES[0], True in printed),
        ("measured, not in the papers", SERIES[1], False in printed),
        ("the paper's figure", PAPER, True in printed),
    )
    return tuple(Key(label, legend_mark(look)) for label, look, shown in legend if shown)

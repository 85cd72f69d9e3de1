"""The plots of a table of models for its page, each drawn for a wide page and for a phone, with captions."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from compress.reports.models.gap_plot import model_plot
from compress.reports.models.order_plot import LEAST, order_plot, printed_rows
from compress.reports.models.sentences import order_kept
from compress.reports.models.table import Judgement, ModelTable

WIDE, NARROW = (560.0, 440.0), (372.0, 400.0)


def plot_values(table: ModelTable) -> dict[str, Any]:
    """What templates/model_plots.html.jinja shows: `gap_plots`, `gap_words` and `gap_ours`."""
    if len(table.measured) < 2:
        return {"gap_plots": [], "gap_words": "", "gap_ours": False}

    def rows(kind: str, width: float) -> Markup:
        return Markup(model_plot(table, width=width, name=f"{kind}-rows"))

    def order(kind: str, size: tuple[float, float]) -> Markup:
        return Markup(order_plot(table, width=size[0], height=size[1], name=f"{kind}-order"))

    plots = [(rows("wide", WIDE[0]), rows("narrow", NARROW[0]))]
    if len(printed_rows(table)) >= LEAST:
        plots.append((order("wide", WIDE), order("narrow", NARROW)))
    ours = any(line.published is None for line, _ in table.measured)
    return {"gap_plots": plots, "gap_words": gap_caption(table), "gap_ours": ours}


def gap_caption(table: ModelTable) -> str:
    """What the plots show, and what they do not."""
    parts = ["GAP of each measured row with its 95 % interval, in the order of the table."]
    printed = printed_rows(table)
    if printed:
        parts.append(
            "Diamonds: the GAP that the paper prints for the row, on an axis of its own: "
            f"{_papers_data(table)}, so lengths on the two axes do not compare."
        )
    if len(printed) >= LEAST:
        agreeing, pairs = order_kept(table)
        parts.append(
            "The other plot has the same figures against each other: if the order of the models agreed, the "
            f"points would rise from left to right. {agreeing} of {pairs} pairs of rows stand in the paper's "
            "order, whether or not their intervals overlap."
        )
    return " ".join(parts)


def _papers_data(table: ModelTable) -> str:
    if any(line.judgement is Judgement.NOT_JUDGED for line in table.paper):
        return "it is of other data than ours"
    return "it is of one run, without an interval"

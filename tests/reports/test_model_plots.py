"""The plots of a table of models: every row once, the paper beside it on another axis, the order of both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from compress.errors import NotFoundError
from compress.reports import ModelTable, load_models, model_table, models_to_html
from compress.reports.models.gap_plot import model_plot
from compress.reports.models.order_plot import order_plot
from compress.reports.models.plots import NARROW, WIDE, gap_caption
from compress.reports.wording import bracket, figure
from tests.reports.model_files import FULL, model_json, write_models
from tests.reports.test_renderers import PROVENANCE, Page

GAPS = {
    "lstm-1x1024": 0.60, "lstm-2x1024": 0.62, "stacked-bilstm-res3-1024": 0.63, "multi-modal-lstm": 0.61,
    "nextvlad": 0.64,
}  # fmt: skip


def table_of(folder: Path, gaps: dict[str, float], **changes: Any) -> ModelTable:
    models = (model_json(run, gap, **changes) for run, gap in gaps.items())
    return model_table("2", load_models(write_models(folder / "models", *models)))


@pytest.fixture
def table(tmp_path: Path) -> ModelTable:
    return table_of(tmp_path, GAPS)


def marks(root: ElementTree.Element, style: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if element.get("class") == f"mark {style}"]


def centre(mark: ElementTree.Element) -> tuple[float, float]:
    """Of a circle, a square or a diamond."""
    if mark.get("cx"):
        return float(mark.get("cx", "")), float(mark.get("cy", ""))
    corners = [tuple(map(float, pair.split(","))) for pair in mark.get("points", "").split()]
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4


@pytest.mark.parametrize("width", [WIDE[0], NARROW[0]])
def test_each_measured_row_is_drawn_with_its_interval_and_the_papers_figure(
    table: ModelTable, width: float
) -> None:
    root = ElementTree.fromstring(model_plot(table, width=width, name="plot"))
    printed, ours, paper = (marks(root, style) for style in ("encoder", "second", "paper"))
    assert (len(printed), len(ours), len(paper)) == (4, 1, 4)
    labels = [e.text for e in root.iter("text") if (e.get("class") or "").startswith("label")]
    assert labels == [line.run for line, _ in table.measured]
    assert [centre(mark)[1] for mark in printed] == pytest.approx([centre(mark)[1] for mark in paper], abs=1)
    # In the order of their figures on either axis, and the axes do not share a place.
    for drawn, values in (
        (printed, [model.figures.gap.value for line, model in table.measured if line.published]),
        (paper, [line.published.gap for line, _ in table.measured if line.published]),
    ):
        by_place = sorted(range(4), key=lambda i, drawn=drawn: centre(drawn[i])[0])
        assert by_place == sorted(range(4), key=lambda i, values=values: values[i])
    assert max(centre(mark)[0] for mark in [*printed, *ours]) < min(centre(mark)[0] for mark in paper)
    description = root.findtext("desc") or ""
    for line, model in table.measured:
        gap = model.figures.gap
        assert f"{line.run}: {figure(gap.value)} {bracket(gap)}" in description
    assert description.count("the paper ") == 4


@pytest.mark.parametrize("width", [WIDE[0], NARROW[0]])
def test_everything_drawn_lies_inside(table: ModelTable, width: float) -> None:
    root = ElementTree.fromstring(model_plot(table, width=width, name="plot"))
    height = float(root.get("viewBox", "").split()[3])
    for line in root.iter("line"):
        assert all(0 <= float(line.get(end) or -1) <= width for end in ("x1", "x2"))
        assert all(0 <= float(line.get(end) or -1) <= height for end in ("y1", "y2"))
    for text in root.iter("text"):
        start = float(text.get("x") or 0) if text.get("text-anchor") == "start" else 0
        assert start + 6.7 * len(text.text or "") <= width + 1


def test_rows_of_ours_alone_have_no_axis_of_the_paper(tmp_path: Path) -> None:
    table = table_of(tmp_path, {"nextvlad": 0.64})
    text = model_plot(table, width=560, name="plot")
    assert ">the paper<" not in text
    assert not marks(ElementTree.fromstring(text), "paper")
    assert "paper" not in gap_caption(table)


def test_a_single_row_is_no_comparison_and_has_no_plot(tmp_path: Path) -> None:
    assert "plots-heading" not in models_to_html(table_of(tmp_path, {"lstm-1x1024": 0.6}), PROVENANCE)


def test_nothing_measured_is_an_error_and_a_page_without_plots() -> None:
    empty = model_table("2", [])
    with pytest.raises(NotFoundError, match="measured"):
        model_plot(empty, width=560, name="plot")
    assert "plots-heading" not in models_to_html(empty, PROVENANCE)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_order_plot_has_the_paper_across_and_ours_upwards(
    table: ModelTable, size: tuple[float, float]
) -> None:
    root = ElementTree.fromstring(order_plot(table, width=size[0], height=size[1], name="plot"))
    rows = [(line, model) for line, model in table.measured if line.published]
    points = [centre(mark) for mark in marks(root, "encoder")]
    assert len(points) == len(rows)
    for (line, model), (x, y) in zip(rows, points, strict=True):
        for (other, another), (other_x, other_y) in zip(rows, points, strict=True):
            assert (line.published.gap < other.published.gap) == (x < other_x)
            assert (model.figures.gap.value < another.figures.gap.value) == (y > other_y)
    labels = {e.text for e in root.iter("text") if (e.get("class") or "").startswith("label")}
    assert labels == {line.run for line, _ in rows}


def test_two_rows_have_no_order_plot(tmp_path: Path) -> None:
    table = table_of(tmp_path, {"lstm-1x1024": 0.6, "lstm-2x1024": 0.61})
    with pytest.raises(NotFoundError, match="3 measured rows, there are 2"):
        order_plot(table, width=560, height=440, name="plot")
    assert "wide-order-title" not in models_to_html(table, PROVENANCE)


def test_the_caption_says_whose_data_and_counts_the_pairs(tmp_path: Path) -> None:
    caption = gap_caption(table_of(tmp_path, GAPS))
    assert "of other data than ours, so lengths on the two axes do not compare" in caption
    assert "6 of 6 pairs of rows stand in the paper's order" in caption
    full = gap_caption(table_of(tmp_path, GAPS, data=FULL))
    assert "one run, without an interval" in full
    assert "other data" not in full


def test_the_page_with_plots_is_whole_and_its_ids_are_unique(table: ModelTable) -> None:
    text = models_to_html(table, PROVENANCE)
    page = Page(text)
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {"wide-rows-title", "narrow-rows-title", "wide-order-title", "narrow-order-title"} <= set(ids)
    named = " ".join(a["aria-labelledby"] or "" for _, a in page.tags if "aria-labelledby" in a).split()
    assert set(named) <= set(ids)
    # An attribute that was escaped as text shows as a strange name.
    assert all(re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]*", name) for _, a in page.tags for name in a)
    assert gap_caption(table).replace(" %", "\N{NO-BREAK SPACE}%") in page.prose

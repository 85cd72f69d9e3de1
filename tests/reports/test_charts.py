"""The charts: every figure with its exact words, labels that do not touch, the same bytes every time."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.evaluation.models.row import ModelRow, load_models
from compress.evaluation.row import Row
from compress.metrics import Interval
from compress.reports import ModelTable, load_rows, model_table, models_page, table4, to_html
from compress.reports.charts import SERIES, Mark, front, scatter
from compress.reports.classes.figures import frequency_charts, frequency_figure, looks, zipf_chart
from compress.reports.classes.frequency import class_frequency
from compress.reports.classes.zipf import zipf
from compress.reports.document import Chart
from compress.reports.drawing import Box, place_labels
from compress.reports.models.figures import gap_caption, gap_chart, order_chart
from compress.reports.rounding import bracket, figure, points, points_bracket
from compress.reports.svg import colours
from compress.reports.table_4.figures import forest, tradeoff
from tests.reports.model_files import FULL, model_json, write_models
from tests.reports.scored_videos import scored
from tests.reports.test_renderers import PROVENANCE, Page

GAPS = {
    "lstm-1x1024": 0.60, "lstm-2x1024": 0.62, "stacked-bilstm-res3-1024": 0.63, "multi-modal-lstm": 0.61,
    "nextvlad": 0.64,
}  # fmt: skip
coordinate = st.integers(0, 500)


def of_both_sizes(chart: Chart) -> list[ElementTree.Element]:
    """Both drawings, after what holds for every drawing."""
    roots = [ElementTree.fromstring(text) for text in (chart.wide, chart.narrow)]
    for root in roots:
        width, height = map(float, root.get("viewBox", "").split()[2:])
        assert (root.get("aria-label"), root.findtext("title")) == (chart.title, chart.title)
        assert root.findtext("desc") == chart.description
        assert not [e for e in root.iter() if e.get("id") or e.tag.endswith("use")]
        named = set(re.findall(r"var\(--([a-z]+)\)", ElementTree.tostring(root, encoding="unicode")))
        assert named <= set(colours())
        for text in root.iter("text"):
            x, y = place(text)
            assert 0 <= x <= width
            assert 0 <= y <= height
            if "text-anchor" not in text.attrib:
                assert x + 6 * len(text.text or "") <= width + 12
    return roots


def place(element: ElementTree.Element) -> tuple[float, float]:
    """Where a text or a marker is."""
    x, y = element.get("x"), element.get("y")
    found = re.match(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    return (float(x or "nan"), float(y or "nan")) if found is None else (float(found[1]), float(found[2]))


def words(root: ElementTree.Element) -> list[str]:
    """What shows when something is pointed at; of a mark and of its interval alike."""
    return [group.findtext("title") or "" for group in root.iter("g") if group.find("title") is not None]


def texts(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter("text")]


def places(root: ElementTree.Element) -> dict[str, tuple[float, float]]:
    """Where the marker with some words stands."""
    return {
        group.findtext("title") or "": place(path)
        for group in root.iter("g")
        for path in group.findall("path")
        if path.get("transform")
    }


def slow_front(points: list[tuple[float, float]]) -> set[tuple[float, float]]:
    """The points that no other point beats, straight from the definition."""

    def beaten(cost: float, quality: float) -> bool:
        return any(c <= cost and q >= quality and (c, q) != (cost, quality) for c, q in points)

    return {point for point in points if not beaten(*point)}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_front_equals_its_definition(points: list[tuple[float, float]]) -> None:
    found = [points[i] for i in front(points)]
    assert set(found) == slow_front(points)
    assert len(found) == len(set(found))
    assert found == sorted(found)


@given(st.lists(st.tuples(coordinate, coordinate, st.integers(20, 120)), max_size=14))
def test_labels_never_touch_each_other_nor_leave_the_area(points: list[tuple[int, int, int]]) -> None:
    area = Box(0, 0, 500, 500)
    obstacles = [Box(x - 5, y - 5, 10, 10) for x, y, _ in points]
    sizes = [(width, 14) for *_, width in points]
    placed = place_labels([(x, y) for x, y, _ in points], sizes, obstacles, area)
    boxes = [box for box in placed if box]
    assert all(box.within(area) for box in boxes)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert not any(box.overlaps(obstacle) for box in boxes for obstacle in obstacles)


def test_a_label_without_room_is_left_out() -> None:
    assert place_labels([(5, 5)], [(50, 14)], [], Box(0, 0, 20, 20)) == [None]


def test_names_stay_text_whatever_is_in_them() -> None:
    name = "<b> & $x_1$ 'q' \\"
    (wide, narrow) = of_both_sizes(
        scatter(
            [Mark(name, Interval(0.5, 0.4, 0.6), SERIES[0], f"{name}: 0.500", 1.0)],
            title="Title of <b>",
            across="across",
            upwards="upwards",
        )
    )
    for root in (wide, narrow):
        assert name in texts(root)
        assert set(words(root)) == {f"{name}: 0.500"}


@pytest.mark.parametrize("metric", ["gap", "map"])
def test_every_row_is_marked_named_and_told_in_the_tradeoff(rows: list[Row], metric: str) -> None:
    chart = tradeoff(table4(rows), metric)
    for root in of_both_sizes(chart):
        assert {row.row for row in rows} <= set(texts(root))
        for row in rows:
            value = getattr(row.figures, metric)
            told = f"{row.row}: {row.bytes_per_video:,} bytes, {figure(value.value)} {bracket(value)}"
            assert told in words(root)
            assert told in chart.description
        assert len(places(root)) == len(rows)


def test_forest_marks_each_difference_and_the_papers(rows: list[Row]) -> None:
    table = table4(rows)
    chart = forest(table, "gap")
    assert chart is not None
    for root in of_both_sizes(chart):
        told = words(root)
        compared = [(line, row) for line, row in table.measured if row.delta is not None]
        assert len(compared) == len(rows) - 1
        for line, row in compared:
            assert row.delta is not None
            delta = row.delta.gap
            wanted = f"{points(delta.value)} {points_bracket(delta)} points, {line.verdict('gap')}"
            assert f"{row.row}: {wanted}" in told
            assert wanted in chart.description
        assert sum(text.startswith("the paper ") for text in told) == 3


def test_forest_without_differences_is_not_drawn(evaluation: Callable[..., Path]) -> None:
    assert forest(table4(load_rows(evaluation("original"))), "gap") is None


def test_a_single_row_can_be_drawn(evaluation: Callable[..., Path]) -> None:
    def flat(row: dict[str, dict[str, dict[str, float]]]) -> None:
        row["figures"]["gap"] = {"value": 0.5, "low": 0.5, "high": 0.5}

    of_both_sizes(tradeoff(table4(load_rows(evaluation("original", change=flat))), "gap"))


def test_two_drawings_of_the_same_rows_are_the_same_bytes(rows: list[Row]) -> None:
    assert tradeoff(table4(rows), "gap").wide == tradeoff(table4(rows), "gap").wide
    first, second = (forest(table4(rows), "gap") for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.narrow == second.narrow


def table_of(folder: Path, gaps: dict[str, float], **changes: Any) -> ModelTable:
    models = (model_json(run, gap, **changes) for run, gap in gaps.items())
    return model_table("2", load_models(write_models(folder / "models", *models)))


@pytest.fixture
def table(tmp_path: Path) -> ModelTable:
    return table_of(tmp_path, GAPS)


def test_each_measured_model_is_drawn_with_its_interval_and_the_papers_figure(table: ModelTable) -> None:
    chart = gap_chart(table)
    assert chart is not None
    for root in of_both_sizes(chart):
        drawn = places(root)
        told = {line.run: f"{line.run}: {_gap(model)}" for line, model in table.measured}
        printed = {
            line.run: f"the paper {figure(line.published.gap)}"
            for line, _ in table.measured
            if line.published
        }
        assert set(drawn) == {*told.values(), *printed.values()}
        assert all(text in chart.description for text in drawn)
        # From top to bottom as in the table; on an axis of its own what the paper says.
        heights = {run: drawn[text][1] for run, text in told.items()}
        assert all(drawn[text][1] == heights[run] for run, text in printed.items())
        assert sorted(heights.values()) == list(heights.values())
        assert max(drawn[t][0] for t in told.values()) < min(drawn[t][0] for t in printed.values())
        assert list(told) == [text for text in texts(root) if text in GAPS]


def _gap(model: ModelRow) -> str:
    return f"{figure(model.figures.gap.value)} {bracket(model.figures.gap)}"


def test_models_of_ours_alone_have_no_axis_of_the_paper(tmp_path: Path) -> None:
    table = table_of(tmp_path, {"nextvlad": 0.64, "netfv": 0.63})
    chart = gap_chart(table)
    assert chart is not None
    assert all("the paper" not in texts(root) for root in of_both_sizes(chart))
    assert "paper" not in gap_caption(table)


def test_the_order_chart_has_the_paper_across_and_ours_upwards(table: ModelTable) -> None:
    chart = order_chart(table)
    assert chart is not None
    rows = [(line, model) for line, model in table.measured if line.published]
    for root in of_both_sizes(chart):
        drawn = places(root)
        assert len(drawn) == len(rows)
        found = [
            next(place for text, place in drawn.items() if text.startswith(f"{line.run}: "))
            for line, _ in rows
        ]
        for (line, model), (x, y) in zip(rows, found, strict=True):
            for (other, another), (other_x, other_y) in zip(rows, found, strict=True):
                assert line.published is not None
                assert other.published is not None
                assert (line.published.gap < other.published.gap) == (x < other_x)
                assert (model.figures.gap.value < another.figures.gap.value) == (y > other_y)
        assert {line.run for line, _ in rows} <= set(texts(root))


def test_one_model_is_no_comparison_and_two_have_no_order(tmp_path: Path) -> None:
    assert gap_chart(table_of(tmp_path / "1", {"lstm-1x1024": 0.6})) is None
    assert gap_chart(model_table("2", [])) is None
    two = table_of(tmp_path / "2", {"lstm-1x1024": 0.6, "lstm-2x1024": 0.61})
    assert gap_chart(two) is not None
    assert order_chart(two) is None


def test_the_caption_says_whose_data_and_counts_the_pairs(tmp_path: Path) -> None:
    caption = gap_caption(table_of(tmp_path, GAPS))
    assert "of other data than ours, so distances on the two axes do not compare" in caption
    assert "6 of 6 pairs of rows are in the paper's order" in caption
    full = gap_caption(table_of(tmp_path, GAPS, data=FULL))
    assert "one run, without an interval" in full
    assert "other data" not in full


def test_the_page_with_charts_is_whole(table: ModelTable) -> None:
    page = Page(to_html(models_page(table, PROVENANCE)))
    # An attribute that was escaped as text shows as a strange name.
    assert all(re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]*", name) for _, a in page.tags for name in a)
    assert gap_caption(table).replace(" %", "\N{NO-BREAK SPACE}%") in page.prose


NOISE = {"original": 1.5, "residual_cnn-320": 2.2, "residual_cnn-512": 1.8, "lstm-640": 5.0, "pca-320": 3.0}
ROLES: dict[str, Any] = {"original": "baseline", "pca-320": "control"}


def test_every_row_is_marked_in_every_bin_with_its_exact_figure() -> None:
    rows = [scored(name, noise, ROLES.get(name, "encoder")) for name, noise in NOISE.items()]
    found = class_frequency(rows, "original")
    level, change = frequency_charts(found)
    for chart, differences in ((level, False), (change, True)):
        for root in of_both_sizes(chart):
            drawn = places(root)
            wanted = set()
            for row in found.rows:
                for one, mean in zip(
                    found.bins, (row.delta if differences else row.values) or (), strict=False
                ):
                    tell, ends = (points, points_bracket) if differences else (figure, bracket)
                    told = (
                        f"{row.name}, {one.name} training videos ({one.classes} classes): {tell(mean.value)}"
                    )
                    wanted.add(told + (f" {ends(mean.interval)}" if mean.interval else ""))
            assert set(drawn) == wanted
            assert all(text in chart.description for text in wanted)
            width, height = map(float, root.get("viewBox", "").split()[2:])
            assert all(0 <= x <= width and 0 <= y <= height for x, y in drawn.values())
    assert len({look for _, look in looks(found)}) == len(found.rows)


def test_without_a_baseline_there_is_no_chart_of_differences() -> None:
    assert len(frequency_charts(class_frequency([scored("row", 3.0)]))) == 1


def test_one_bin_is_no_curve_and_has_no_chart() -> None:
    found = class_frequency([scored("row", 3.0)])
    assert frequency_figure(found) is not None
    one = replace(found, bins=found.bins[:1], rows=tuple(replace(r, values=r.values[:1]) for r in found.rows))
    assert frequency_figure(one) is None


CLASSES = {0: "Game", 9: "A class with a very long name that would never fit", 99: "<b> & 'q'"}


def test_the_zipf_chart_marks_a_few_ranks_with_their_classes() -> None:
    videos = np.round(5000 / np.arange(1, 401) ** 1.3).astype(np.int64)
    for root in of_both_sizes(zipf_chart(zipf(videos), zipf(videos[:300] // 5), CLASSES)):
        told = words(root)
        assert told[0] == "Game (rank 1): 5,000 videos"
        assert "<b> & 'q' (rank 100)" in told[2]
        assert "Game" in texts(root)
        for text in told:
            assert text in (root.findtext("desc") or "")


def test_a_single_class_can_be_drawn() -> None:
    one = zipf(np.array([1]))
    of_both_sizes(zipf_chart(one, one, {}))

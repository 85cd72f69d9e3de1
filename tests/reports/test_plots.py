"""The plots: labels that do not touch, the Pareto front, ticks, well-formed SVG."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.errors import NotFoundError
from compress.reports import Row, load_rows, table4
from compress.reports.plots.axis import decimals, powers_of_two, round_ticks
from compress.reports.plots.labels import Anchor, Box, place_labels
from compress.reports.table_4.forest import forest
from compress.reports.table_4.pareto import front
from compress.reports.table_4.tradeoff import tradeoff

SIZES = [(560, 440), (372, 420)]
coordinate = st.integers(0, 500)


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
    boxes = [b for b in place_labels([Anchor(x, y, w, 14) for x, y, w in points], obstacles, area) if b]
    assert all(box.within(area) for box in boxes)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert not any(box.overlaps(obstacle) for box in boxes for obstacle in obstacles)


def test_a_label_without_room_is_left_out() -> None:
    assert place_labels([Anchor(5, 5, 50, 14)], [], Box(0, 0, 20, 20)) == [None]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.61, 0.7, [0.62, 0.64, 0.66, 0.68, 0.7]),
        (-6.4, 2.2, [-6, -4, -2, 0, 2]),
    ],
)
def test_ticks_are_round_numbers_inside_the_range(low: float, high: float, ticks: list[float]) -> None:
    assert round_ticks(low, high) == pytest.approx(ticks)


def test_ticks_are_told_apart_by_as_few_decimals_as_possible() -> None:
    assert (decimals([0.0, 5.0]), decimals([0.6, 0.62]), decimals([0.125])) == (0, 2, 3)
    assert powers_of_two(214, 6912) == [256, 512, 1024, 2048, 4096]


@pytest.mark.parametrize("metric", ["gap", "map"])
@pytest.mark.parametrize("size", SIZES)
def test_every_row_is_marked_named_and_described_in_the_tradeoff(
    rows: list[Row], metric: str, size: tuple[int, int]
) -> None:
    root = ElementTree.fromstring(tradeoff(table4(rows), metric, width=size[0], height=size[1], name="plot"))
    marks = [e for e in root.iter() if e.get("class", "").startswith("mark ")]
    assert len(marks) == len(rows)
    assert {e.text for e in root.iter("text") if e.get("class", "").startswith("label")} == {
        row.row for row in rows
    }
    description = root.findtext("desc") or ""
    assert all(row.row in description for row in rows)
    assert root.get("aria-labelledby") == "plot-title plot-description"


def test_forest_marks_each_difference_and_the_paper(rows: list[Row]) -> None:
    root = ElementTree.fromstring(forest(table4(rows), "gap", width=540, name="plot"))
    classes = [e.get("class") for e in root.iter() if (e.get("class") or "").startswith("mark")]
    assert classes.count("mark paper") == 3
    assert len(classes) - 3 == len(rows) - 1
    assert {"mark holds", "mark noise", "mark short"} <= set(classes)


def test_forest_without_differences_is_an_error(evaluation: Callable[..., Path]) -> None:
    with pytest.raises(NotFoundError, match="compared"):
        forest(table4(load_rows(evaluation("original"))), "gap", width=540, name="plot")


def test_a_single_row_can_be_drawn(evaluation: Callable[..., Path]) -> None:
    def flat(row: dict[str, dict[str, dict[str, float]]]) -> None:
        row["figures"]["gap"] = {"value": 0.5, "low": 0.5, "high": 0.5}

    table = table4(load_rows(evaluation("original", change=flat)))
    assert ElementTree.fromstring(tradeoff(table, "gap", width=560, height=440, name="plot")) is not None

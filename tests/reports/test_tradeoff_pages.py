"""The trade-off as a figure, Markdown, JSON, HTML and in the terminal: all points, and nothing but them."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from compress.artifacts.atomic import read_json
from compress.reports.rounding import bracket, figure
from compress.reports.tradeoff.figures import chart, charts
from compress.reports.tradeoff.page import headline, print_tradeoff, write_tradeoff
from compress.reports.tradeoff.table import TradeoffTable, tradeoff_table
from tests.reports.test_charts import of_both_sizes, places, texts
from tests.reports.tradeoff_points import figures, many, measured, original

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def table() -> TradeoffTable:
    return tradeoff_table(many(), "original", ["pca-8 failed: it is too small."])


@pytest.fixture(scope="module")
def files(table: TradeoffTable, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    written = write_tradeoff(
        table, tmp_path_factory.mktemp("reports"), generated="2024-01-02", command="compress tradeoff"
    )
    return {path.suffix: path for path in written}


@pytest.mark.parametrize("metric", ["gap", "map", "precision"])
def test_every_point_is_marked_with_its_exact_figure_and_every_family_named(
    table: TradeoffTable, metric: str
) -> None:
    drawn = chart(table, metric)
    for root in of_both_sizes(drawn):
        told = {
            f"{p.name}: {p.bytes_per_video:,} bytes, {figure(value.value)} {bracket(value)}"
            for p in table.points
            for value in [p.confirmation.figures[metric]]
        }
        assert set(places(root)) == told
        assert all(text in drawn.description for text in told)
        assert {"mrl", "PCA", "original", "PQ of the original", "random projection"} <= set(texts(root))


def test_what_lies_far_below_what_was_trained_stands_at_the_edge(table: TradeoffTable) -> None:
    for root in of_both_sizes(chart(table, "gap")):
        heights = {text.partition(":")[0]: y for text, (_, y) in places(root).items()}
        (edge,) = {y for name, y in heights.items() if name.startswith("random")}
        assert all(y < edge for name, y in heights.items() if name.startswith("mrl"))
        assert max(heights.values()) == edge


def test_sizes_below_the_axis_do_not_touch(table: TradeoffTable) -> None:
    for root in of_both_sizes(chart(table, "gap")):
        sizes = [e for e in root.iter("text") if re.fullmatch("[0-9,]+", e.text or "")]
        ticks = [(float(e.get("x", "nan")), len(e.text or "")) for e in sizes]
        assert len(ticks) > 4
        for (x, width), (other, next_width) in pairwise(ticks):
            assert x + 3.5 * width < other - 3.5 * next_width


def test_the_figure_is_one_svg_file_with_its_own_colours(files: dict[str, Path]) -> None:
    root = ElementTree.fromstring(files[".svg"].read_bytes())
    assert root.tag == f"{SVG}svg"
    assert len([e for e in root if e.tag == f"{SVG}svg"]) == 3
    style = root.findtext(f"{SVG}style", "")
    assert "prefers-color-scheme: dark" in style
    assert "--encoder" in style


@pytest.mark.parametrize("known", [{"gap": 0.6, "map": 0.2}, {"gap": 0.6}])
def test_a_metric_is_drawn_that_any_point_has(known: dict[str, float]) -> None:
    points = [measured("original", 64, {"gap": 0.6}, role="baseline"), measured("a", 32, known)]
    assert len(charts(tradeoff_table(points, "original"))) == len(known)


def test_markdown_tells_both_halves_rivals_and_seeds(files: dict[str, Path], table: TradeoffTable) -> None:
    text = files[".md"].read_text(encoding="utf-8")
    for heading in ("confirmation half", "selection half", "each kind of baseline", "another seed"):
        assert f"{heading}" in text
    for point in table.points:
        assert text.count(f"| {point.name} |") >= 2
    assert "](tradeoff.svg)" in text
    assert "pca-64-int8" in next(line for line in text.splitlines() if line.startswith("| mrl-d64-int8"))
    assert "> **Note.** pca-8 failed" in text


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_text_of_rows_cannot_become_markup(files: dict[str, Path], suffix: str) -> None:
    text = files[suffix].read_text(encoding="utf-8")
    assert "<int8>" not in text
    assert "&lt;int8&gt;" in text


def test_the_page_needs_nothing_else(files: dict[str, Path], table: TradeoffTable) -> None:
    page = files[".html"].read_text(encoding="utf-8")
    assert "src=" not in page
    assert page.count("href=") == page.count('href="#')
    assert "<script" not in page
    for point in table.points:
        assert point.name in page


def test_json_holds_unrounded_figures_by_rising_bytes(files: dict[str, Path], table: TradeoffTable) -> None:
    value = read_json(files[".json"])
    assert [point["name"] for point in value["points"]] == [point.name for point in table.points]
    point = next(p for p in value["points"] if p["name"] == "mrl-d64-int8")
    gap = table.points[[p.name for p in table.points].index("mrl-d64-int8")].confirmation.figures["gap"]
    assert point["confirmation"]["figures"]["gap"]["value"] == gap.value
    assert point["heads"] == 2
    assert value["fronts"]["gap"] == [p.name for p in table.front("gap")]


def test_two_reports_of_the_same_points_are_the_same_bytes(
    files: dict[str, Path], table: TradeoffTable, tmp_path: Path
) -> None:
    for again in write_tradeoff(table, tmp_path, generated="2024-01-02", command="compress tradeoff"):
        assert again.read_bytes() == files[again.suffix].read_bytes()


@pytest.mark.parametrize("width", [80, 110, 160])
def test_the_terminal_shows_every_name_whole(table: TradeoffTable, width: int) -> None:
    out = io.StringIO()
    print_tradeoff(table, Console(file=out, width=width, force_terminal=True, color_system=None))
    words = out.getvalue().replace("\n", " ")
    assert "…" not in words
    if width >= 110:
        assert all(point.name in words for point in table.points)


def test_the_headline_is_about_the_smallest_that_holds_on_the_half_that_chooses() -> None:
    small = measured("a", 32, figures(0.70), figures(0.60), role="encoder")
    large = measured("b", 64, figures(0.75), figures(0.75), role="encoder")
    bad = measured("c", 16, figures(0.5), role="encoder")
    table = tradeoff_table([original(0.69), small, large, bad], "original")
    assert headline(table).startswith("32 bytes per video, 144 times smaller: GAP \N{MINUS SIGN}9.00")


def test_the_headline_writes_thousands_out() -> None:
    table = tradeoff_table([original(), measured("a", 3, figures(0.7), role="encoder")], "original")
    assert headline(table).startswith("3 bytes per video, 1,536 times smaller")


@pytest.mark.parametrize(
    ("points", "begins"),
    [
        ([original()], "No trained embedding"),
        ([original(), measured("a", 32, figures(0.5), role="encoder")], "32 bytes per video"),
    ],
)
def test_the_headline_of_little_is_a_sentence(points: list, begins: str) -> None:  # type: ignore[type-arg]
    assert headline(tradeoff_table(points, "original")).startswith(begins)


def test_every_judge_of_a_point_is_told_and_the_worst_one_named(tmp_path: Path) -> None:
    base = original(0.69, {"moe": 0.69, "ridge": 0.63})
    ours = measured("a", 32, figures(0.70), role="encoder", judges={"moe": 0.70, "ridge": 0.58})
    table = tradeoff_table([base, ours], "original")
    minus = "\N{MINUS SIGN}"
    assert headline(table).endswith("under its worst judge, ridge regression")
    written = write_tradeoff(table, tmp_path, generated="2024-01-02", command="compress tradeoff")
    text = written[0].read_text(encoding="utf-8").replace("\\", "")
    assert "| Mixture of experts | Ridge regression |" in text
    lines = [line for line in text.splitlines() if line.startswith("| a |")]
    told = next(line for line in lines if line.count("[") == 2 and "best" in line)
    assert "+1.00 [" in told
    assert f"{minus}5.00 [" in told
    assert f"{minus}5.00 [{minus}5.00, {minus}5.00] (ridge regression)" in text
    (first, _) = read_json(written[1])["points"]
    assert first["judges"]["ridge"]["gap"]["value"] == pytest.approx(-0.05)
    assert first["best"] == "moe"


def test_a_point_of_an_unfinished_judge_has_no_verdict() -> None:
    why = "the best judge of a, mixture of experts, has not converged"
    ours = measured("a", 32, figures(0.70), role="encoder", doubt=why)
    table = tradeoff_table([original(), ours], "original")
    assert headline(table) == f"No verdict: {why}"
    other = measured("b", 64, figures(0.75), role="encoder")
    both = tradeoff_table([original(), ours, other], "original")
    assert headline(both).startswith("64 bytes per video")
    out = io.StringIO()
    print_tradeoff(both, Console(file=out, width=160))
    assert f"No verdict on a: {why}." in " ".join(out.getvalue().split())


def test_several_seeds_widen_the_interval_by_what_they_do() -> None:
    apart = measured("a", 32, figures(0.70), role="encoder", heads=3)
    halves = {which: dict(heads) for which, heads in apart.halves.items()}
    for number, shift in enumerate((-0.02, 0.0, 0.02)):
        found = halves["confirmation"][number]["gap"]
        moved = replace(found, point=found.point + shift, values=found.values + shift)
        halves["confirmation"][number] = {**halves["confirmation"][number], "gap": moved}
    base = measured("original", 4608, figures(0.69), role="baseline", heads=3)
    (point, _) = tradeoff_table([base, replace(apart, halves=halves)], "original").points
    delta = point.confirmation.delta["gap"]
    assert delta.value == pytest.approx(0.01)
    # Student's quantile for 2 degrees times the deviation of the mean of three.
    assert delta.high - delta.value == pytest.approx(4.303 * 0.02 / 3**0.5, rel=0.01)

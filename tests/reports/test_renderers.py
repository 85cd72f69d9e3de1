"""Terminal, Markdown, JSON and HTML: the same numbers, nothing injected, nothing fetched."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from compress.evaluation.row import Row
from compress.reports import Provenance, load_rows, print_document, table4, table4_page, to_html, to_markdown
from compress.reports.rounding import bracket, count, figure, points, points_bracket, saved
from compress.reports.table_4.page import COLUMNS
from tests.reports.conftest import JUDGES, judge_of, undrawn

GOLDEN = Path(__file__).parent / "golden_report.md"
PROVENANCE = Provenance("2026-11-22", "compress report", {"compress": "0.1.0", "python": "3.12.1"})
HOSTILE = "<script>alert(1)</script> | `x` *bold* [a](b) & \"q\" 'p' </svg> ]]>"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Checks that tags nest, and keeps tags, attributes and text: `text` has a blank at each tag."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.prose = ""
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += f" {data}"
            self.prose += data


def terminal(rows: list[Row], *, tty: bool, width: int = 100) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=tty, width=width, color_system="standard")
    print_document(table4_page(table4(rows), PROVENANCE), console)
    return file.getvalue()


def renderings(rows: list[Row]) -> dict[str, str]:
    table = table4(rows)
    return {
        "terminal": terminal(rows, tty=False),
        "markdown": to_markdown(table4_page(table, PROVENANCE)).replace("\\", ""),
        "html": Page(to_html(undrawn(table4_page(table, PROVENANCE)))).text,
    }


def test_the_renderers_agree_with_the_unrounded_json(rows: list[Row]) -> None:
    texts = renderings(rows)
    for group in table4_page(table4(rows), PROVENANCE).data["groups"]:
        for line in group["lines"]:
            row = next((row for row in rows if line["measured"] and row.row == line["measured"]["row"]), None)
            wanted = [count(line["dim"]), line["gap_verdict"], line["map_verdict"]]
            if row is not None:
                wanted += [
                    count(line["bytes_per_video"]),
                    figure(row.figures.gap.value),
                    bracket(row.figures.gap),
                ]
                wanted += [figure(row.figures.map.value), figure(row.figures.perr.value)]
                wanted += [figure(row.figures.hit_at_one.value)]
            if row is not None and row.delta is not None:
                assert line["measured"]["delta"]["gap"]["value"] == row.delta.gap.value
                wanted += [points(row.delta.gap.value), points_bracket(row.delta.gap)]
                wanted += [points(row.delta.map.value), points_bracket(row.delta.map)]
            if line["published"] is not None:
                wanted.append(figure(line["published"]["gap"]))
            for name, text in texts.items():
                assert [part for part in wanted if part not in text] == [], (name, line["title"])
            sizes = [saved(line["dims_saved"]), saved(line["bytes_saved"])]
            assert all(size in texts[name] for size in sizes for name in ("markdown", "html"))


def test_each_line_of_the_html_table_holds_its_own_figures(rows: list[Row]) -> None:
    page = to_html(undrawn(table4_page(table4(rows), PROVENANCE)))
    for line, row in table4(rows).measured:
        (cells,) = re.findall(
            rf'name">{row.row}</span>.*?</tr>', page[: page.index('id="judges"')], re.DOTALL
        )
        for part in (figure(row.figures.gap.value), bracket(row.figures.gap), count(row.bytes_per_video)):
            assert part in cells
        assert line.verdict("gap") in cells


def test_json_is_json_and_keeps_the_empty_as_zero_map(rows: list[Row]) -> None:
    value = json.loads(json.dumps(table4_page(table4(rows), PROVENANCE).data, allow_nan=False))
    line = value["groups"][1]["lines"][0]
    assert line["measured"]["figures"]["map_with_empty_as_zero"]["value"] == pytest.approx(0.1647)
    assert line["published"]["map"] == 0.466
    assert value["provenance"]["generated"] == "2026-11-22"


def test_rows_that_could_not_be_made_are_told_in_every_rendering(rows: list[Row]) -> None:
    table = table4(rows, ["Failed: pca-512, no memory."])
    file = io.StringIO()
    print_document(table4_page(table, PROVENANCE), Console(file=file))
    texts = (
        file.getvalue(),
        to_markdown(table4_page(table, PROVENANCE)),
        to_html(undrawn(table4_page(table, PROVENANCE))),
    )
    assert all("Failed: pca-512, no memory." in text.replace("\\", "") for text in texts)
    assert "Failed: pca-512, no memory." in table4_page(table, PROVENANCE).data["cautions"]


@pytest.fixture
def hostile(evaluation: Callable[..., Path]) -> list[Row]:
    def change(row: dict[str, Any]) -> None:
        row.update(
            title=HOSTILE, command=f"echo {HOSTILE}", codec=HOSTILE, notes=[HOSTILE], row=f"{row['row']}<b>"
        )
        row["data"]["source"] = HOSTILE
        if row["delta"]:
            row["delta"]["baseline"] += "<b>"

    return load_rows(evaluation("original", "residual_cnn-320", "mlp-320-int8", change=change))


def test_hostile_text_stays_text_in_html(hostile: list[Row]) -> None:
    page = Page(to_html(table4_page(table4(hostile), Provenance(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}))))
    assert not {"script", "b", "img"} & {tag for tag, _ in page.tags}
    assert page.text.count(HOSTILE) >= 10


def test_hostile_text_stays_text_in_markdown(hostile: list[Row]) -> None:
    text = to_markdown(table4_page(table4(hostile), Provenance("x", "y", {})))
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script>" not in prose
    assert not re.search(r"(?<!\\)[`*]x|(?<!\\)\[a\]", prose)
    for row in (line for line in prose.splitlines() if line.startswith("| &lt;")):
        assert len(re.findall(r"(?<!\\)\|", row)) in (2 + len(JUDGES), 7, 8, 8 + len(COLUMNS))


def test_hostile_text_stays_text_in_the_terminal(hostile: list[Row]) -> None:
    assert "[a](b)" in re.sub(r"\s+", "", terminal(hostile, tty=False))


def test_html_fetches_nothing_and_runs_nothing(rows: list[Row]) -> None:
    text = to_html(table4_page(table4(rows), PROVENANCE))
    page = Page(text)
    assert not {"script", "link", "iframe", "img", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    names = {name for _, attributes in page.tags for name in attributes}
    assert not {"src", "xlink:href", "srcset", "style", "action"} & names
    links = [attributes["href"] or "" for _, attributes in page.tags if "href" in attributes]
    anchors = {f"#{attributes['id']}" for _, attributes in page.tags if "id" in attributes}
    assert links
    assert set(links) <= anchors
    assert not [name for name in names if name.startswith("on")]
    assert not re.search(r"@import|url\(|https?:|//[a-z]", text)


def test_html_is_accessible(rows: list[Row]) -> None:
    page = Page(to_html(table4_page(table4(rows), PROVENANCE)))
    assert all(a.get("scope") for tag, a in page.tags if tag == "th")
    assert [tag for tag, _ in page.tags].count("caption") == 5  # two of them of the judges
    assert [tag for tag, _ in page.tags].count("figcaption") == 3
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    named = " ".join(a["aria-labelledby"] or "" for _, a in page.tags if "aria-labelledby" in a).split()
    assert set(named) <= set(ids)
    assert ("html", {"lang": "en"}) in page.tags


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_colours_have_contrast_of_at_least_4_5(rows: list[Row], scheme: int) -> None:
    block = re.findall(
        r":root \{(.*?)\}", to_html(undrawn(table4_page(table4(rows), PROVENANCE))), re.DOTALL
    )[scheme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for text in ("text", "muted", "encoder", "control", "holds", "noise", "short", "second", "third"):
        for ground in ("page", "faint", "band"):
            light, dark = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


@pytest.mark.parametrize("width", [80, 90, 100, 140])
def test_the_terminal_table_fits_and_keeps_the_essentials(rows: list[Row], width: int) -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", terminal(rows, tty=True, width=width))
    commands = re.compile(r"^  compress ")
    assert max(len(line) for line in text.splitlines() if not commands.match(line)) <= width
    for part in ("0.679", "[0.673, 0.685]", "+0.40", "[+0.00, +0.80]", "falls short", "1,280"):
        assert part in text


def test_a_terminal_gets_colour_and_a_pipe_gets_plain_text(rows: list[Row]) -> None:
    assert "\x1b[" in terminal(rows, tty=True)
    plain = terminal(rows, tty=False, width=40)
    assert "\x1b" not in plain
    assert not re.search(r"[\u2500-\u257f]", plain)


def test_a_command_is_printed_on_one_line(rows: list[Row]) -> None:
    commands = [line.command for line in table4(rows).lines if line.row is None]
    assert len(commands) == 2
    assert all(f"  {command}\n" in terminal(rows, tty=False) for command in commands)


def test_markdown_equals_the_golden_report(evaluation: Callable[..., Path]) -> None:
    """To renew: write `text` to golden_report.md, and read the difference before committing it."""
    names = ("original", "original-int8", "pca-320", "residual_cnn-320", "lstm-640")
    text = to_markdown(table4_page(table4(load_rows(evaluation(*names))), PROVENANCE))
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 100])
def test_no_word_is_cut_in_the_terminal(rows: list[Row], width: int) -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", terminal(rows, tty=True, width=width))
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    words = set(text.split())
    for row in rows:
        assert {row.row, *row.title.split()} <= words


def test_the_page_has_contents_and_each_command_has_its_own_block(rows: list[Row]) -> None:
    document = table4_page(table4(rows), PROVENANCE)
    page = to_html(undrawn(document))
    contents = re.findall(r'<li><a href="#([a-z0-9-]+)">', page)
    assert contents == re.findall(r'<h2 id="([a-z0-9-]+)">', page)
    assert page.count("<pre ") == len(table4(rows).lines)


def test_every_rendering_of_the_files_tells_what_each_judge_says(evaluation: Callable[..., Path]) -> None:
    def change(row: dict[str, Any]) -> None:
        judge_of(row, "ridge")["converged"] = row["row"] != "pca-320"

    table = table4(load_rows(evaluation("original", "residual_cnn-320", "pca-320", change=change)))
    document = table4_page(table, PROVENANCE)
    for text in (to_markdown(document).replace("\\", ""), Page(to_html(undrawn(document))).text):
        assert "Mixture of experts" in text
        assert "Ridge regression" in text
        assert text.count("not converged") == 3  # of GAP, of MAP, and in how to read this
        assert text.count("best ") >= 6

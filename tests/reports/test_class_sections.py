"""The part of a report about classes: from kept scores to Markdown, JSON and the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compress.errors import CorruptArtifactError
from compress.evaluation.scores import save_scores
from compress.reports import (
    ClassSections,
    Table4,
    chosen_rows,
    class_sections,
    load_rows,
    table4,
    table4_page,
    to_html,
    to_markdown,
)
from compress.reports.classes.page import classes_sections
from compress.reports.rounding import DELTA, bracket, count, figure, points, points_bracket
from tests.reports.conftest import undrawn
from tests.reports.scored_videos import CLASSES, top, train_counts
from tests.reports.test_renderers import PROVENANCE, Page

NOISE = {"original": 1.5, "residual_cnn-320": 2.2, "residual_cnn-512": 1.8, "lstm-640": 5.0, "pca-320": 3.0}
HOSTILE = "<script>alert(1)</script> | *b*"
NAMES = {c: f"Class {c}" for c in range(CLASSES)} | {0: HOSTILE, 3: HOSTILE, 5: HOSTILE}
GOLDEN = Path(__file__).parent / "golden_classes.md"

Writer = Callable[..., Path]


@pytest.fixture
def measured(evaluation: Writer) -> Callable[..., tuple[Table4, Path]]:
    """Rows with their kept scores; `counts` names the rows that keep training counts, `facts` overrides."""

    def write(counts: tuple[str, ...], facts: dict[str, dict[str, str]] | None = None) -> tuple[Table4, Path]:
        def pca_is_pca(row: dict[str, Any]) -> None:
            row["encoder"] = "pca" if row["row"].startswith("pca") else row["encoder"]

        folder = evaluation(*NOISE, change=pca_is_pca)
        rows = load_rows(folder)
        for row in rows:
            known = {"validate": row.data.fingerprint, "train": "t"} | (facts or {}).get(row.row, {})
            kept = train_counts() if row.row in counts else None
            save_scores(folder / "scores" / row.row, top(NOISE[row.row]), known, kept)
        return table4(rows), folder

    return write


def sections(measured: Callable[..., tuple[Table4, Path]]) -> tuple[Table4, ClassSections]:
    table, folder = measured(("original",))
    return table, class_sections(chosen_rows(table, folder), NAMES)


def test_baseline_the_papers_rows_and_pca_of_the_headlines_size_are_chosen(
    measured: Callable[..., tuple[Table4, Path]],
) -> None:
    table, folder = measured(())
    names = ["original", "residual_cnn-320", "residual_cnn-512", "lstm-640", "pca-320"]
    choice = chosen_rows(table, folder)
    assert [row.name for row in choice.rows] == names
    assert (choice.reference, choice.subject) == ("original", "residual_cnn-320")


def test_the_counts_kept_with_one_row_serve_all_rows_of_the_same_training_videos(
    measured: Callable[..., tuple[Table4, Path]],
) -> None:
    _, found = sections(measured)
    assert found.missing == ""
    assert found.findings is not None
    assert [row.name for row in found.findings.frequency.rows] == [
        "original", "residual_cnn-320", "residual_cnn-512", "lstm-640", "pca-320",
    ]  # fmt: skip
    assert found.findings.frequency.rows[3].title == "LSTM 1280, 640, synthetic frames"
    assert found.findings.train.counts[0] == train_counts()[0]
    assert found.findings.extremes is not None
    assert found.findings.extremes.row == "residual_cnn-320"


def test_scores_of_before_there_were_counts_leave_the_plots_out_with_the_command_that_brings_them(
    measured: Callable[..., tuple[Table4, Path]],
) -> None:
    table, folder = measured(())
    found = class_sections(chosen_rows(table, folder), NAMES)
    assert found.findings is None
    assert found.missing.endswith("compress evaluate --name original keeps them.")
    for text in (
        to_markdown(table4_page(table, PROVENANCE, found)),
        Page(to_html(undrawn(table4_page(table, PROVENANCE, found)))).text,
    ):
        assert found.missing in text.replace("\\", "")
    assert table4_page(table, PROVENANCE, found).data["classes"] == {
        "missing": found.missing,
        "why_these_rows": "",
        "findings": None,
    }


@pytest.mark.parametrize("fact", ["validate", "train"])
def test_a_row_of_other_videos_is_named_and_left_out(
    measured: Callable[..., tuple[Table4, Path]], fact: str
) -> None:
    table, folder = measured(("original",), {"lstm-640": {fact: "other"}})
    found = class_sections(chosen_rows(table, folder), NAMES)
    assert found.findings is not None
    assert "lstm-640" not in [row.name for row in found.findings.frequency.rows]
    assert "lstm-640; to measure again: compress evaluate --name lstm-640." in found.missing


def test_without_the_baselines_scores_nothing_is_compared(
    measured: Callable[..., tuple[Table4, Path]],
) -> None:
    table, folder = measured(("pca-320",), {"original": {"train": "other"}})
    found = class_sections(chosen_rows(table, folder), NAMES)
    assert found.findings is not None
    assert found.findings.frequency.baseline is None
    assert found.findings.extremes is None
    assert f'<span class="strong">{DELTA}' not in to_html(undrawn(table4_page(table, PROVENANCE, found)))


def test_damaged_scores_are_an_error_and_rows_without_any_are_not(
    measured: Callable[..., tuple[Table4, Path]],
) -> None:
    table, folder = measured(("original",))
    for file in (folder / "scores" / "lstm-640").iterdir():
        file.unlink()
    assert "lstm-640" in class_sections(chosen_rows(table, folder), NAMES).missing
    (scores,) = (folder / "scores" / "pca-320").glob("*.npz")
    scores.write_bytes(scores.read_bytes()[:-1] + b"!")
    with pytest.raises(CorruptArtifactError, match="pca-320"):
        class_sections(chosen_rows(table, folder), NAMES)


def test_without_a_vocabulary_no_class_is_named(measured: Callable[..., tuple[Table4, Path]]) -> None:
    table, folder = measured(("original",))
    found = class_sections(chosen_rows(table, folder), {})
    assert found.findings is not None
    assert found.findings.extremes is None
    assert "Lost most" not in to_html(undrawn(table4_page(table, PROVENANCE, found)))


def test_the_renderers_show_the_same_figures_of_every_bin(
    measured: Callable[..., tuple[Table4, Path]],
) -> None:
    table, found = sections(measured)
    texts = (
        to_markdown(table4_page(table, PROVENANCE, found)).replace("\\", ""),
        Page(to_html(undrawn(table4_page(table, PROVENANCE, found)))).text,
    )
    value = json.loads(json.dumps(table4_page(table, PROVENANCE, found).data, allow_nan=False))
    frequency = value["classes"]["findings"]["average_precision_by_frequency"]
    assert found.findings is not None
    for i, one in enumerate(found.findings.frequency.bins):
        assert frequency["bins"][i]["classes"] == one.classes
        for j, row in enumerate(found.findings.frequency.rows):
            mean, delta = row.values[i], row.delta[i] if row.delta else None
            assert frequency["rows"][j]["values"][i]["value"] == mean.value
            wanted = [one.name, count(one.classes), figure(mean.value)]
            wanted += [bracket(mean.interval)] if mean.interval else []
            wanted += [points(delta.value)] if delta else []
            wanted += [points_bracket(delta.interval)] if delta and delta.interval else []
            assert all(part in text for part in wanted for text in texts)
    told = frequency["in_words"]
    assert len(told) == 4
    prose = (texts[0], Page(to_html(undrawn(table4_page(table, PROVENANCE, found)))).prose)
    assert all(sentence in text for sentence in told for text in prose)


def test_names_of_classes_stay_text_and_ids_are_unique(
    measured: Callable[..., tuple[Table4, Path]],
) -> None:
    table, found = sections(measured)
    page = Page(to_html(table4_page(table, PROVENANCE, found)))
    assert not {"script", "b"} & {tag for tag, _ in page.tags}
    assert HOSTILE in page.text
    assert "<script>" not in to_markdown(table4_page(table, PROVENANCE, found))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    named = " ".join(a["aria-labelledby"] or "" for _, a in page.tags if "aria-labelledby" in a).split()
    assert set(named) <= set(ids)
    assert all(a.get("scope") for tag, a in page.tags if tag == "th")


def test_markdown_of_the_section_equals_the_golden_one(
    measured: Callable[..., tuple[Table4, Path]],
) -> None:
    """To renew: write `text` to golden_classes.md, and read the difference before committing it."""
    table, found = sections(measured)
    assert len(classes_sections(found)) == 2
    whole = to_markdown(table4_page(table, PROVENANCE, found))
    text = whole[whole.index("## Rare and frequent") : whole.index("## Retrieval")].rstrip() + "\n"
    assert text == GOLDEN.read_text(encoding="utf-8")

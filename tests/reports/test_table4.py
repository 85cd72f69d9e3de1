"""The table: verdicts, rows that were not run, order, sizes, and the sentences above it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from compress.errors import NotFoundError
from compress.evaluation.row import Row
from compress.evaluation.verdicts import Verdict, judge
from compress.metrics import Interval
from compress.papers import published
from compress.reports import (
    Provenance,
    Table4,
    load_rows,
    print_document,
    table4,
    table4_page,
    to_html,
    to_markdown,
)
from compress.reports.cautions import SAMPLE_NOTE
from compress.reports.document import Table
from compress.reports.rounding import article
from compress.reports.table_4.findings import cautions, frames_needed, headline, measured_on
from tests.reports.conftest import undrawn


def printed(table: Table4, provenance: Provenance) -> str:
    file = io.StringIO()
    print_document(table4_page(table, provenance), Console(file=file))
    return file.getvalue()


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.003, Verdict.HOLDS),
        (0.0, 0.003, Verdict.HOLDS),
        (0.0, 0.0, Verdict.HOLDS),
        (-0.001, 0.003, Verdict.WITHIN_NOISE),
        (-0.001, 0.0, Verdict.WITHIN_NOISE),
        (-0.003, -0.001, Verdict.FALLS_SHORT),
        (-2e-4, -6e-5, Verdict.FALLS_SHORT),
        # Float rounding alone, of a rotated embedding, is no loss.
        (-4e-6, -1e-7, Verdict.HOLDS),
        (-2e-4, -1e-7, Verdict.WITHIN_NOISE),
    ],
)
def test_verdict_follows_the_interval(low: float, high: float, verdict: Verdict) -> None:
    assert judge(Interval((low + high) / 2, low, high)) is verdict


def test_published_figures_agree_with_each_other() -> None:
    paper = published()
    for row in paper.rows:
        assert row.delta_gap_points == pytest.approx(100 * (row.gap - paper.baseline.gap), abs=0.051)
        assert row.size_saved == pytest.approx((1152 - row.size) / 1152, abs=0.01)
    assert [(row.size, row.gap, row.map) for row in paper.rows] == [
        (640, 0.820, 0.357),
        (512, 0.827, 0.428),
        (320, 0.822, 0.418),
    ]
    assert (paper.baseline.gap, paper.baseline.map) == (0.817, 0.466)


def test_paper_rows_come_first_then_the_original_and_the_other_controls(rows: list[Row]) -> None:
    table = table4(rows)
    assert [line.row.row for line in table.paper if line.row] == [
        "lstm-640",
        "residual_cnn-512",
        "residual_cnn-320",
    ]
    names = [line.row.row if line.row else line.title for line in table.controls]
    assert names[:3] == ["original", "original-int8", "pca-320"]
    assert names[-3:] == [
        "Random projection to 512 dimensions",
        "Random projection to 640 dimensions",
        "linear-320",
    ]
    assert [line.row.row for line in table.others if line.row] == ["mlp-320-int8"]


def test_sizes_saved_count_dimensions_and_bytes_apart(rows: list[Row]) -> None:
    saved = {row.row: (line.dims_saved, line.bytes_saved) for line, row in table4(rows).measured}
    assert saved["original-int8"] == (0.0, 0.75)
    assert saved["residual_cnn-320"] == pytest.approx((0.7222, 0.7222), abs=1e-4)
    assert saved["mlp-320-int8"] == pytest.approx((0.7222, 1 - 320 / 4608), abs=1e-4)


def test_map_has_its_own_verdict(rows: list[Row]) -> None:
    line = next(line for line, row in table4(rows).measured if row.row == "residual_cnn-320")
    assert (line.verdict("gap"), line.verdict("map")) == (Verdict.HOLDS, Verdict.FALLS_SHORT)


def test_what_was_not_measured_says_not_run_with_its_command(evaluation: Callable[..., Path]) -> None:
    table = table4(load_rows(evaluation("residual_cnn-320")))
    missing = {line.title: line for line in table.lines if line.row is None}
    assert set(missing) == {
        "LSTM 2 layer, (1280,640)",
        "ResidualCNN-512, Max Pooling",
        "Original features",
        "Original features, 8 bits",
        "PCA to 320 dimensions",
        "Random projection to 320 dimensions",
    }
    assert all(line.verdict("gap") is Verdict.NOT_RUN for line in missing.values())
    assert "compress evaluate --dim 512" in missing["ResidualCNN-512, Max Pooling"].command
    assert "--name pca-320" in missing["PCA to 320 dimensions"].command
    assert missing["Original features"].published == published().baseline


def test_one_published_row_may_be_measured_with_several_codecs(evaluation: Callable[..., Path]) -> None:
    evaluation("residual_cnn-320")
    eight_bits = {"row": "residual_cnn-320-int8", "codec": "int8", "bytes_per_video": 320}
    path = evaluation(
        "mlp-320-int8", change=lambda row: row.update(eight_bits, table4_row="ResidualCNN-320, Max Pooling")
    )
    table = table4(load_rows(path))
    assert [line.row.row for line in table.paper if line.row] == ["residual_cnn-320", "residual_cnn-320-int8"]


def test_no_rows_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="compress evaluate"):
        table4([])


HEADLINES = {
    (
        "original",
        "residual_cnn-320",
    ): "A 320-d embedding keeps 100.6 % of GAP at 28 % of the bytes, but 93.0 % of MAP",
    ("original", "residual_cnn-512"): "A 512-d embedding keeps 101.9 % of GAP at 44 % of the bytes",
    (
        "original",
        "lstm-640",
    ): "A 640-d embedding (of synthetic frames) keeps only 99.3 % of GAP at 56 % of the bytes, "
    "and 88.5 % of MAP",
    (
        "original",
        "mlp-320-int8",
    ): "A 320-d embedding keeps 100.5 % of GAP (within noise) at 7 % of the bytes, but 94.4 % of MAP",
    ("original", "pca-320"): "No embedding has been measured yet",
    ("residual_cnn-320",): "A 320-d embedding reaches GAP 0.679; the original was not measured",
}


@pytest.mark.parametrize("names", HEADLINES)
def test_headline_says_what_the_smallest_row_kept(
    evaluation: Callable[..., Path], names: tuple[str, ...]
) -> None:
    assert headline(table4(load_rows(evaluation(*names)))) == HEADLINES[names]


def test_the_article_is_that_of_the_spoken_number() -> None:
    assert {article(number) for number in (8, 11, 18, 80, 864, 8000, 11_000)} == {"An"}
    assert {article(number) for number in (1, 110, 180, 320, 1100, 1152, 1800)} == {"A"}


def test_headline_and_cautions_say_that_videos_are_invented(evaluation: Callable[..., Path]) -> None:
    folder = evaluation(
        "original", "residual_cnn-320", change=lambda row: row.update(notes=["Another note.", SAMPLE_NOTE])
    )
    table = table4(load_rows(folder))
    assert headline(table).startswith("On invented videos (sample data), a 320-d embedding keeps 100.6 % of")
    assert SAMPLE_NOTE in cautions(table)


def test_few_training_videos_are_a_caution(evaluation: Callable[..., Path]) -> None:
    few = evaluation("original", change=lambda row: row["data"].update(train_videos=1999))
    assert any(
        "Few videos: the judges learned from 1,999" in text for text in cautions(table4(load_rows(few)))
    )
    enough = evaluation("original", change=lambda row: row["data"].update(train_videos=2000))
    assert not any("Few videos" in text for text in cautions(table4(load_rows(enough))))


def test_a_row_that_was_not_run_says_that_it_needs_frames(evaluation: Callable[..., Path]) -> None:
    paper = table4(load_rows(evaluation("original"))).paper
    assert [(line.dim, "needs frame-level shards" in frames_needed(line)) for line in paper] == [
        (640, True),
        (512, False),
        (320, False),
    ]
    measured = table4(load_rows(evaluation("original", "lstm-640"))).paper[0]
    assert (measured.dim, frames_needed(measured)) == (640, "")


def test_every_rendering_says_which_command_needs_frames(evaluation: Callable[..., Path]) -> None:
    table, provenance = table4(load_rows(evaluation("original"))), Provenance("2026-11-22", "report", {})
    document = table4_page(table, provenance)
    for text in (to_html(undrawn(document)), to_markdown(document), printed(table, provenance)):
        assert "needs frame-level shards" in " ".join(text.split())


def test_data_line_states_data_videos_and_seed(rows: list[Row]) -> None:
    line = measured_on(table4(rows))
    for part in ("5,000 validation videos", "3,862 classes", "3f9a1c55b2d0", "20,000 videos", "seed 0"):
        assert part in line


def test_cautions_name_synthetic_frames_smaller_originals_and_simpler_rows(rows: list[Row]) -> None:
    synthetic, bytes_, simpler = cautions(table4(rows))
    assert "lstm-640 saw frames made up" in synthetic
    assert "1,152 bytes" in bytes_
    assert "1,280 of residual_cnn-320" in bytes_
    assert "linear-320 has +0.40 points" in simpler


def test_heads_trained_differently_are_a_caution(evaluation: Callable[..., Path]) -> None:
    evaluation("original")
    folder = evaluation("pca-320", change=lambda row: row["head_training"].update(seed=7))
    assert any(
        "not directly comparable" in text and "seed 7" in text for text in cautions(table4(load_rows(folder)))
    )


def test_a_missing_baseline_is_a_caution_and_not_an_error(evaluation: Callable[..., Path]) -> None:
    table = table4(load_rows(evaluation("pca-320")))
    assert table.measured[0][0].bytes_saved is None
    assert any("The original was not measured" in text for text in cautions(table))


def small(row: dict[str, Any]) -> None:
    """Another data set: 24 dimensions where YouTube-8M has 1152, and 12 classes."""
    row.update(dim=min(row["dim"], 24), table4_row=None)
    row["data"].update(num_classes=12)


def test_own_rows_come_first_and_what_was_not_run_last(rows: list[Row]) -> None:
    results = table4_page(table4(rows), Provenance("", "", {})).sections[0].blocks[0]
    assert isinstance(results, Table)
    assert [group.title for group in results.groups] == ["Embeddings", "Controls", "Not run"]
    own = [row.cells[0][1].text for row in results.groups[0].rows]
    assert own == ["mlp-320-int8", "lstm-640", "residual_cnn-512", "residual_cnn-320"]


@pytest.mark.parametrize(("paper", "shown"), [(None, False), (False, False), (True, True)])
def test_on_other_data_the_paper_is_shown_only_when_asked_for(
    evaluation: Callable[..., Path], paper: bool | None, shown: bool
) -> None:
    table = table4(load_rows(evaluation("original", "mlp-320-int8", change=small)))
    document = table4_page(table, Provenance("", "", {}), paper=paper)
    for text in (to_markdown(document), to_html(undrawn(document))):
        assert ("ResidualCNN-512, Max Pooling" in text) is shown
        assert ("paper 0.827" in text) is shown
        # 640 of 24 dimensions would be a saving of -25.67.
        assert "\N{MINUS SIGN}25.67" not in text
    assert document.data["groups"][0]["title"] == "Paper's Table 4"
    assert [line["published"]["gap"] for line in document.data["groups"][0]["lines"]] == [0.820, 0.827, 0.822]


def test_youtube8m_data_show_the_paper_unless_told_otherwise(rows: list[Row]) -> None:
    shown, hidden = (
        table4_page(table4(rows), Provenance("", "", {}), paper=paper) for paper in (None, False)
    )
    assert "paper 0.822" in to_markdown(shown)
    assert "paper 0" not in to_markdown(hidden)


def test_the_summary_card_tells_size_and_verdicts(rows: list[Row]) -> None:
    facts = {fact.label: fact for fact in table4_page(table4(rows), Provenance("", "", {})).summary}
    assert facts["Bytes per video"].value == "1,280"
    assert facts["Bytes per video"].detail == "28 % of 4,608"
    assert (facts["GAP"].value, facts["GAP"].detail) == ("0.679", "+0.40 points, holds")
    assert facts["MAP"].tone == "short"

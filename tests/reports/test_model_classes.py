"""Which models are shown by class frequency, why, and that the pages of Tables 2, 3 and QRNN show them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compress.evaluation.models.row import load_models
from compress.evaluation.scores import save_scores
from compress.reports import (
    ClassSections,
    ModelTable,
    chosen_models,
    class_sections,
    model_table,
    models_page,
    to_html,
    to_markdown,
)
from compress.reports.rounding import figure
from tests.reports.model_files import model_json, write_models
from tests.reports.scored_videos import CLASSES, top, train_counts
from tests.reports.test_renderers import PROVENANCE, Page

FINGERPRINT = model_json("x", 0.5)["data"]["fingerprint"]
NAMES = {c: f"Class {c}" for c in range(CLASSES)}
NOISE = {"lstm-2x1024": 1.5, "bilstm-1x2048": 1.2, "multi-modal-dbof": 4.0, "nextvlad": 1.0}
FOUND = {"lstm-2x1024": 0.60, "bilstm-1x2048": 0.62, "lstm-1x1024-max": 0.61, "multi-modal-dbof": 0.55}


def measured(folder: Path, name: str, *models: dict[str, Any]) -> tuple[ModelTable, Path]:
    models_folder = write_models(folder / "models", *models)
    return model_table(name, load_models(models_folder)), models_folder


def of_gaps(folder: Path, name: str, gaps: dict[str, float]) -> tuple[ModelTable, Path]:
    return measured(folder, name, *(model_json(run, gap) for run, gap in gaps.items()))


@pytest.fixture
def kept(tmp_path: Path) -> tuple[ModelTable, Path]:
    """Four models of Table 2 with their scores; one keeps the counts of training videos."""
    gaps = {**FOUND, "nextvlad": 0.64}
    table, folder = of_gaps(tmp_path, "2", {run: gaps[run] for run in NOISE})
    for run, noise in NOISE.items():
        counts = train_counts() if run == "bilstm-1x2048" else None
        facts = {"validate": FINGERPRINT, "train": "t"}
        save_scores(folder / "scores" / run, top(noise), facts, counts)
    return table, folder


def sections(kept: tuple[ModelTable, Path]) -> ClassSections:
    return class_sections(chosen_models(*kept), NAMES)


def test_of_table_2_the_first_row_the_extremes_and_the_best_of_ours_are_shown(tmp_path: Path) -> None:
    choice = chosen_models(*of_gaps(tmp_path, "2", {**FOUND, "nextvlad": 0.64, "transformer": 0.63}))
    assert [row.name for row in choice.rows] == [
        "lstm-2x1024", "bilstm-1x2048", "multi-modal-dbof", "nextvlad",
    ]  # fmt: skip
    assert [row.role for row in choice.rows] == ["baseline", "encoder", "encoder", "encoder"]
    assert (choice.reference, choice.subject) == ("lstm-2x1024", "nextvlad")
    assert choice.why == (
        "Shown: lstm-2x1024, the first measured row, which the others are compared with; bilstm-1x2048, the "
        "highest GAP of the printed rows; multi-modal-dbof, the lowest GAP of the printed rows; nextvlad, "
        "the highest GAP of the rows that are not in the papers."
    )


def test_of_table_3_the_best_row_of_each_encoder_is_compared_with_moe(tmp_path: Path) -> None:
    gaps = {"moe": 0.68, "fc-320": 0.66, "fc-1024": 0.67, "cnn-320-max": 0.69, "cnn-320-mean": 0.6}
    choice = chosen_models(*of_gaps(tmp_path, "3", gaps))
    assert [row.name for row in choice.rows] == ["moe", "fc-1024", "cnn-320-max"]
    assert (choice.reference, choice.subject) == ("moe", "cnn-320-max")
    assert "fc-1024, the highest GAP of the printed rows with residual_cnn_fc" in choice.why


def test_a_single_model_is_shown_alone_and_none_chooses_nothing(tmp_path: Path) -> None:
    table, folder = of_gaps(tmp_path, "qrnn", {"qrnn": 0.6})
    choice = chosen_models(table, folder)
    assert ([row.name for row in choice.rows], choice.subject) == (["qrnn"], None)
    assert choice.rows[0].role == "encoder"
    assert choice.why == "Shown: qrnn, the first measured row."
    save_scores(folder / "scores" / "qrnn", top(1.0), {"validate": FINGERPRINT, "train": "t"}, train_counts())
    found = class_sections(choice, NAMES).findings
    assert found is not None
    assert found.frequency.baseline is None
    empty = class_sections(chosen_models(model_table("2", []), folder), NAMES)
    assert empty == ClassSections(None, "", "")
    assert "rare-and-frequent-classes" not in to_html(models_page(model_table("2", []), PROVENANCE, empty))


@pytest.mark.parametrize("change", [{"fingerprint": "77" * 8}, {"num_classes": 527}])
def test_models_of_other_videos_than_the_first_are_not_compared(tmp_path: Path, change: dict) -> None:
    models = [model_json("lstm-1x1024", 0.6), model_json("lstm-2x1024", 0.6, data=change)]
    choice = chosen_models(*measured(tmp_path, "2", *models))
    assert [row.name for row in choice.rows] == ["lstm-1x1024"]


def test_scores_that_are_missing_come_with_the_command_that_keeps_them(tmp_path: Path) -> None:
    ensemble = model_json("both", 0.72, runs=["a", "b"], dim=None, training=None)
    table, folder = measured(tmp_path, "2", model_json("lstm-1x1024", 0.6), ensemble)
    found = class_sections(chosen_models(table, folder), {})
    assert found.missing.endswith("compress evaluate --run lstm-1x1024 --again keeps them.")
    facts = {"validate": FINGERPRINT, "train": "t"}
    save_scores(folder / "scores" / "lstm-1x1024", top(1.0), facts, train_counts())
    found = class_sections(chosen_models(table, folder), {})
    again = "compress evaluate --run a --run b --name both --again"
    assert found.missing.endswith(f"both; to measure again: {again}.")


def test_the_pages_of_models_show_bins_extremes_and_the_zipf_curve(kept: tuple[ModelTable, Path]) -> None:
    table, found = kept[0], sections(kept)
    html = to_html(models_page(table, PROVENANCE, found))
    markdown = to_markdown(models_page(table, PROVENANCE, found)).replace("\\", "")
    value = json.loads(json.dumps(models_page(table, PROVENANCE, found).data, allow_nan=False))["classes"]
    assert found.findings is not None
    assert found.findings.extremes is not None
    assert (found.findings.extremes.row, found.findings.extremes.baseline) == ("nextvlad", "lstm-2x1024")
    assert value["why_these_rows"] == found.why
    assert value["findings"]["extremes"]["row"] == "nextvlad"
    for text in (Page(html).prose, markdown):
        assert found.why in text
        assert "nextvlad against lstm-2x1024: falls short" in text
        assert "The slope of log training videos against log rank" in text
        assert "lost and gained most average precision (AP) against lstm-2x1024" in text
        for row in found.findings.frequency.rows:
            assert all(figure(mean.value) in text for mean in row.values)
    assert "Videos of each class against the rank of the class" in html
    ids = [a["id"] for _, a in Page(html).tags if "id" in a]
    assert len(ids) == len(set(ids))

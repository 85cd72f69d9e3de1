"""Tables 2, 3 and QRNN: judgements, order, cautions, and four renderings of the same numbers."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from compress.errors import CorruptArtifactError, DataError
from compress.evaluation.models.row import load_models
from compress.papers import catalogue
from compress.reports import (
    Judgement,
    ModelTable,
    Provenance,
    model_table,
    models_page,
    print_document,
    to_html,
    to_markdown,
    write_document,
)
from compress.reports.cautions import few_videos, few_videos_to_judge_by
from compress.reports.models.findings import cautions, headline, measured_on, order_kept
from compress.reports.models.page import COLUMNS
from compress.reports.rounding import bracket, figure
from tests.reports.conftest import undrawn
from tests.reports.model_files import FULL, model_json
from tests.reports.model_files import write_models as files
from tests.reports.test_renderers import HOSTILE, Page

PROVENANCE = Provenance("2026-11-22", "compress report --table 2", {"compress": "0.1.0"})


def table_of(folder: Path, *models: dict[str, Any], name: str = "2", **options: Any) -> ModelTable:
    return model_table(name, load_models(files(folder / "models", *models)), **options)


def judgement(table: ModelTable, run: str) -> Judgement:
    return next(line.judgement for line in table.lines if line.run == run)


def terminal(table: ModelTable, *, tty: bool = False, width: int = 100) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=tty, width=width, color_system="standard")
    print_document(models_page(table, PROVENANCE), console)
    return file.getvalue()


@pytest.mark.parametrize("name", ["2", "3", "qrnn"])
def test_nothing_measured_is_a_table_of_commands(tmp_path: Path, name: str) -> None:
    table = model_table(name, load_models(tmp_path / "nowhere"))
    assert {line.judgement for line in table.lines} == {Judgement.NOT_RUN}
    assert not table.measured
    for text in (
        terminal(table),
        to_markdown(models_page(table, PROVENANCE)),
        to_html(undrawn(models_page(table, PROVENANCE))),
    ):
        assert "NOT RUN" in text
        assert f"compress evaluate --run {table.lines[0].run}" in text
    assert "Nothing of this table" in measured_on(table)
    assert not cautions(table)


@pytest.mark.parametrize(
    ("gap", "data", "said"),
    [
        (0.805, FULL, "reproduced"),
        (0.814, FULL, "reproduced"),
        (0.796, FULL, "reproduced"),
        (0.816, FULL, "above"),
        (0.794, FULL, "below"),
        (0.805, {}, "not judged"),
        (0.805, {**FULL, "num_classes": 4716}, "not judged"),
        (0.805, {**FULL, "train_videos": 3_000_000}, "not judged"),
        (0.805, {**FULL, "synthetic_frames": True}, "not judged"),
        (0.805, {**FULL, "validate_videos": 10_000}, "reproduced"),
        (0.805, {**FULL, "validate_videos": 9_999}, "not judged"),
    ],
)
def test_only_rows_of_the_full_data_are_judged(tmp_path: Path, gap: float, data: dict, said: str) -> None:
    table = table_of(tmp_path, model_json("lstm-1x1024", gap, data=data))
    assert judgement(table, "lstm-1x1024") == said
    note = "compare the order of the rows, not the level"
    assert any(note in text for text in cautions(table)) is (said == "not judged")


def test_the_papers_rows_come_in_its_order_then_ours_then_the_rest(tmp_path: Path) -> None:
    ensemble = model_json("both", 0.72, runs=["a", "b"], encoders=["lstm", "lstm"], dim=None, training=None)
    video = model_json("cnn-320-max", 0.7, level="video")
    models = [model_json("transformer", 0.7), model_json("lstm-3x1024", 0.71), ensemble, video]
    table = table_of(tmp_path, *models)
    assert [title for title, _ in table.groups] == ["As printed", "Not in the papers", "Further models"]
    assert len(table.paper) == 14
    assert [line.run for line, _ in table.measured] == ["lstm-3x1024", "transformer", "both"]
    assert judgement(table, "transformer") is judgement(table, "both") is Judgement.NO_FIGURE
    assert [line.run for line, _ in table_of(tmp_path, name="3").measured] == ["cnn-320-max"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"runs": ["a", "b"]}, "it is of the runs a and b"),
        ({"runs": ["a"]}, "it is of the run a"),
        ({"encoders": ["linear"]}, "encoder linear, not lstm"),
        ({"head": "logistic"}, "head logistic, not moe"),
        ({"dim": 320}, "dim 320, not 1024"),
        ({"dim": None}, "dim None, not 1024"),
    ],
)
def test_a_model_that_only_has_the_name_of_a_row_does_not_fill_it(
    tmp_path: Path, change: dict, said: str
) -> None:
    table = table_of(tmp_path, model_json("lstm-1x1024", 0.805, data=FULL, **change))
    assert table.paper[0].model is None
    (line,) = table.others
    assert line.judgement is Judgement.NO_FIGURE
    assert line.notes[0] == f"Named as a row of the table, but not that row's model: {said}."
    assert said in to_markdown(models_page(table, PROVENANCE)).replace("\\", "")


def test_a_model_of_another_level_than_its_row_is_a_further_model_of_its_own(tmp_path: Path) -> None:
    model = model_json("lstm-1x1024", 0.8, level="video", encoders=["linear"])
    assert not table_of(tmp_path, model).measured
    (line,) = table_of(tmp_path, name="3").others
    assert "level video, not frame, encoder linear, not lstm" in line.notes[0]


def test_a_run_of_other_options_than_its_row_does_not_fill_it(tmp_path: Path) -> None:
    models = model_json("lstm-1x1024", 0.8), model_json("lstm-2x1024", 0.8)
    table = table_of(tmp_path, *models, unlike={"lstm-1x1024": ["sizes [64], not [1024]"]})
    assert [(line.run, line.wanted is None) for line, _ in table.measured] == [
        ("lstm-2x1024", False),
        ("lstm-1x1024", True),
    ]
    assert "sizes [64], not [1024]" in table.others[0].notes[0]


def test_a_row_that_names_no_size_takes_any(tmp_path: Path) -> None:
    table = table_of(tmp_path, model_json("frame-average-logistic", 0.6, dim=128))
    assert [line.run for line in table.ours if line.model] == ["frame-average-logistic"]


@pytest.mark.parametrize(("epochs", "told"), [(1, True), (2, False), (4, True)])
def test_a_row_that_was_trained_for_another_time_says_so(tmp_path: Path, epochs: int, told: bool) -> None:
    model = model_json("lstm-1x1024", 0.39)
    table = table_of(tmp_path, {**model, "training": {**model["training"], "epochs": epochs}})
    (line, _) = table.measured[0]
    said = f"Epochs of training: {epochs}; the row's command asks for 2."
    assert (said in line.notes) == told


def test_the_headline_counts_rows_and_the_pairs_in_the_papers_order(tmp_path: Path) -> None:
    found = {"lstm-1x1024": 0.60, "lstm-2x1024": 0.62, "lstm-3x1024": 0.61}  # the paper: rising
    table = table_of(tmp_path, *(model_json(run, gap) for run, gap in found.items()))
    assert order_kept(table) == (2, 3)
    assert headline(table) == (
        "Table 2: frame-level models, 3 of 14 printed rows measured, 2 of 3 pairs in the paper's order by GAP"
    )


def test_rows_of_other_videos_or_trainings_are_told_apart(tmp_path: Path) -> None:
    table = table_of(
        tmp_path,
        model_json("lstm-1x1024", 0.6),
        model_json("lstm-2x1024", 0.6, data={"num_classes": 527, "fingerprint": "77" * 8}),
        model_json("lstm-3x1024", 0.6, training={"seed": 7}, data={"synthetic_frames": True}),
    )
    text = " ".join(cautions(table))
    assert "lstm-2x1024: 527 classes, fingerprint 777777777777" in text
    assert "lstm-3x1024: 20,000 videos, seed 7" in text
    assert "Synthetic frames: lstm-3x1024" in text
    assert "527 classes" in measured_on(table)


def test_notes_of_a_row_and_reasons_for_a_missing_one_are_shown(tmp_path: Path) -> None:
    model = model_json("multi-modal-lstm", 0.6, notes=["Kept epoch 1."])
    notes = {"multi-modal-lstm": ["Halves stand in."], "lstm-1x1024": ["Failed: no memory."]}
    table = table_of(tmp_path, model, notes=notes)
    texts = (
        terminal(table),
        to_markdown(models_page(table, PROVENANCE)),
        to_html(undrawn(models_page(table, PROVENANCE))),
    )
    for text in texts:
        assert all(part in text for part in ("Kept epoch 1.", "Halves stand in.", "Failed: no memory."))


def test_a_row_that_was_not_run_has_the_command_for_the_data_at_hand() -> None:
    (stand_in,) = catalogue().stand_ins
    table = model_table("2", [], stand_ins={"multi-modal-lstm": stand_in})
    lines = {line.run: line for line in table.lines}
    assert "modalities=[64, 64]" in lines["multi-modal-lstm"].command
    assert lines["multi-modal-lstm"].notes == (stand_in.note,)
    assert "modalities=[1024, 128]" in lines["multi-modal-dbof"].command
    noted = model_table(
        "2", [], stand_ins={"multi-modal-lstm": stand_in}, notes={"multi-modal-lstm": [stand_in.note]}
    )
    assert noted.lines[13].notes == (stand_in.note,)


def test_a_note_that_rows_share_is_said_once(tmp_path: Path) -> None:
    notes = ["Computed in bfloat16.", "Kept epoch {}."]
    models = [model_json(f"lstm-{n}x1024", 0.6, notes=[note.format(n) for note in notes]) for n in (1, 2, 3)]
    table = table_of(tmp_path, *models)
    for text in (terminal(table), to_markdown(models_page(table, PROVENANCE))):
        assert text.count("Computed in bfloat16.") == 1
        assert "lstm-1x1024, lstm-2x1024 and lstm-3x1024: Computed in bfloat16." in re.sub(r"\s+", " ", text)
        assert "lstm-2x1024: Kept epoch 2." in text


@pytest.fixture
def table(tmp_path: Path) -> ModelTable:
    zero = {"parameters": {"encoder": 29_900_800, "head": 1034, "side_heads": 39_562_328}}
    return table_of(
        tmp_path,
        model_json("lstm-1x1024", 0.6913),
        model_json("multi-modal-lstm", 0.6821, **zero),
        model_json("nextvlad", 0.7007, training={"seconds": None}),
    )


def test_the_renderers_agree_with_the_unrounded_json(table: ModelTable) -> None:
    value = json.loads(json.dumps(models_page(table, PROVENANCE).data, allow_nan=False))
    markdown = to_markdown(models_page(table, PROVENANCE)).replace("\\", "")
    texts = [terminal(table), markdown, Page(to_html(undrawn(models_page(table, PROVENANCE)))).text]
    lines = [line for group in value["groups"] for line in group["lines"]]
    assert [line["run"] for line in lines] == [line.run for line in table.lines]
    for line, (_, model) in zip([x for x in lines if x["measured"]], table.measured, strict=True):
        assert line["measured"]["figures"]["gap"]["value"] == model.figures.gap.value
        wanted = [figure(model.figures.gap.value), bracket(model.figures.gap), line["judgement"]]
        wanted += [figure(line["published"]["gap"])] if line["published"] else []
        for text in texts:
            assert [part for part in wanted if part not in text] == []
    for text in texts[1:]:
        assert all(part in text for part in ("8.92 M", "19.78 M", "1.1 h", "1,034"))


def test_markdown_has_a_column_for_every_figure(table: ModelTable) -> None:
    row = next(
        x
        for x in to_markdown(models_page(table, PROVENANCE)).splitlines()
        if x.startswith("| LSTM 1 layer, 1024 ")
    )
    cells = [cell.strip() for cell in row.replace("\\", "").strip("|").split("|")]
    paper = ("0.848", "0.741", "0.334", "0.805")
    ours = [f"0.691 [0.685, 0.697]; paper {figure}" for figure in paper]
    assert cells[0] == "LSTM 1 layer, 1024 (lstm-1x1024)"
    figures = cells[3:-3]
    assert [*cells[1:3], *cells[-3:]] == ["8.92 M", "19.78 M", "not judged", "2", "1.1 h"]
    assert [cell for cell in figures if cell in ours] == ours
    assert len(figures) == len(COLUMNS)


def test_html_is_whole_accessible_and_fetches_nothing(table: ModelTable) -> None:
    text = to_html(models_page(table, PROVENANCE))
    page = Page(text)
    assert not re.search(r"@import|url\(|https?:|<script|<link|<img", text)
    assert all(a.get("scope") for tag, a in page.tags if tag == "th")
    assert [tag for tag, _ in page.tags].count("caption") == 2
    rows = re.findall(r"<tr>.*?</tr>", text[: text.index('id="details"')], re.DOTALL)
    spans = [sum(int(n or 1) for n in re.findall(r'<t[hd](?:[^>]*?colspan="(\d+)")?', row)) for row in rows]
    assert set(spans) == {6 + len(COLUMNS)}


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    text = {"title": HOSTILE, "notes": [HOSTILE], "command": f"echo {HOSTILE}"}
    table = table_of(tmp_path, model_json("a|b<i>", 0.6, data={"source": HOSTILE}, **text))
    page = Page(to_html(models_page(table, Provenance(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}))))
    assert not {"script", "b", "i", "img"} & {tag for tag, _ in page.tags}
    markdown = re.sub(
        r"^(`{3,}).*?^\1$", "", to_markdown(models_page(table, PROVENANCE)), flags=re.DOTALL | re.M
    )
    assert "<script>" not in markdown
    assert {len(re.findall(r"(?<!\\)\|", x)) for x in markdown.splitlines() if x.startswith("|")} <= {
        7 + len(COLUMNS),
        9,
    }


@pytest.mark.parametrize("width", [80, 88, 89, 100, 103, 104, 140])
def test_the_terminal_table_fits_and_keeps_the_essentials(table: ModelTable, width: int) -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", terminal(table, tty=True, width=width))
    assert max(len(line) for line in text.splitlines() if not line.startswith("  compress ")) <= width
    for part in ("0.691", "[0.685, 0.697]", "0.805", "not judged", "NOT RUN"):
        assert part in text
        assert "\N{HORIZONTAL ELLIPSIS}" not in text
    plain = terminal(table)
    assert "\x1b" not in plain
    assert not re.search(r"[\u2500-\u257f]", plain)


def test_three_files_are_written_and_are_the_same_each_time(table: ModelTable, tmp_path: Path) -> None:
    document = models_page(table, PROVENANCE)
    files = write_document(document, tmp_path / "reports", "table-2")
    assert [file.name for file in files] == ["table-2.md", "table-2.json", "table-2.html"]
    before = [file.read_bytes() for file in files]
    write_document(document, tmp_path / "reports", "table-2")
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"schema_version": 9}, DataError, "schema version 9"),
        ({"runs": "a"}, CorruptArtifactError, "runs"),
        ({"figures": {}}, CorruptArtifactError, "figures.gap"),
        ({"training": {"epochs": "two"}}, CorruptArtifactError, "training.epochs"),
        ({"dim": 0}, CorruptArtifactError, "dim"),
    ],
)
def test_a_damaged_evaluation_is_named(tmp_path: Path, change: dict, error: type, named: str) -> None:
    with pytest.raises(error, match=rf"lstm-1x1024\.json.*{named}"):
        table_of(tmp_path, model_json("lstm-1x1024", 0.6, **change))


def test_a_file_that_holds_another_model_is_refused(tmp_path: Path) -> None:
    folder = files(tmp_path / "models", model_json("lstm-1x1024", 0.6))
    (folder / "lstm-1x1024.json").rename(folder / "lstm-2x1024.json")
    with pytest.raises(DataError, match="holds the model 'lstm-1x1024'"):
        load_models(folder)


@pytest.mark.parametrize(("videos", "few"), [(1_999, True), (2_000, False)])
def test_few_training_videos_of_any_row_are_a_caution(tmp_path: Path, videos: int, few: bool) -> None:
    models = model_json("lstm-1x1024", 0.6), model_json("lstm-2x1024", 0.6, data={"train_videos": videos})
    caution = (
        "Few videos: models were trained on 1,999; on fewer than 2,000 a model learns little, so the figures "
        "say little about it."
    )
    table = model_table("2", load_models(files(tmp_path, *models)))
    assert (caution in cautions(table)) is few


def test_without_a_measured_row_nothing_is_said() -> None:
    assert few_videos([]) == few_videos_to_judge_by([]) == ""

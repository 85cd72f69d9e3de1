"""An evaluation that is killed at any step: who reads before the rerun sees one head, the old or the new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compress.artifacts.atomic import write_bytes
from compress.errors import CorruptArtifactError, LockedError
from compress.evaluation.measure import evaluate
from compress.evaluation.models.row import load_models, read_model
from compress.evaluation.row_file import read_row
from compress.evaluation.scores import load_opinions, load_scores
from compress.jobs.report import report_stores
from compress.metrics import replicates
from compress.reports import load_rows
from compress.workspace import Workspace
from tests.artifacts.races import when_checked
from tests.artifacts.snapshots import before_each_step
from tests.evaluation.examples import JUDGED
from tests.evaluation.model_examples import made_run, measure
from tests.evaluation.model_examples import make_workspace as workspace_of_models

QUICK = {**JUDGED, "heads": ("ridge",), "retrieval": False}


def test_readers_of_a_killed_evaluation_see_one_head(workspace: Workspace, tmp_path: Path, monkeypatch):
    evaluate(workspace, "original", **QUICK)
    before = read_row(workspace.evaluation / "original.json")

    def again() -> None:
        evaluate(workspace, "original", **{**QUICK, "heads": ("moe", "ridge"), "head_epochs": 3})

    seen = []
    for kept in before_each_step(monkeypatch, workspace.evaluation, tmp_path / "copies", again):
        row = next(row for row in load_rows(kept) if row.row == "original")
        top, facts = load_scores(kept / "scores" / "original")
        judges = load_opinions(kept / "scores" / "original")
        assert [judge.name for judge in row.judges] == list(judges)
        assert row.head == f"fresh {facts['best']}"
        assert row.figures.gap.value == pytest.approx(replicates(top, seed=0).point.gap)
        seen.append(row == before)
    assert seen == sorted(seen, reverse=True), "the old row up to one step, the new one from it on"
    assert True in seen
    assert False in seen
    assert read_row(workspace.evaluation / "original.json") != before


def test_readers_of_a_killed_evaluation_of_a_model_see_one_training(tmp_path: Path, monkeypatch):
    workspace = workspace_of_models(tmp_path / "w")
    made_run(workspace, "a")
    measure(workspace, "a", name="a")
    made_run(workspace, "a", seed=9)
    folder, seen = workspace.evaluation / "models", []
    for kept in before_each_step(
        monkeypatch, folder, tmp_path / "copies", lambda: measure(workspace, "a", name="a")
    ):
        (row,) = load_models(kept)
        facts = load_scores(kept / "scores" / "a")[1]
        assert list(row.model_sha256) == facts["model_sha256"]
        seen.append(facts["model_sha256"][0])
    assert len(set(seen)) == 2


def test_a_report_is_made_again_of_what_another_process_measured_meanwhile(workspace: Workspace, monkeypatch):
    """Rows of one head and the scores of another would make two tables of one page contradict each other."""
    row = read_row(workspace.evaluation / "original.json")
    rows: list[float] = []
    import compress.jobs.report as job

    def loaded(folder: Path):
        found = load_rows(folder)
        rows.append(next(one for one in found if one.row == "original").head_training.epochs)
        if len(rows) == 1:
            evaluate(workspace, "original", **{**JUDGED, "heads": ("ridge",)})
        return found

    monkeypatch.setattr(job, "load_rows", loaded)
    monkeypatch.setattr(job, "vocabulary_of", lambda _, report: type("Names", (), {"names": {}})())
    reported = report_stores(workspace)
    assert rows == [row.head_training.epochs, 0.0]
    told = json.dumps(reported.document.data)
    assert '"fresh ridge"' in told


def test_a_store_made_again_while_it_is_measured_is_no_row(workspace: Workspace, monkeypatch):
    before = (workspace.evaluation / "linear-5.json").read_bytes()
    other = workspace.store("original").read_bytes()
    when_checked(monkeypatch, lambda: write_bytes(workspace.store("linear-5"), other))
    with pytest.raises(LockedError, match="was made again by another process while it was measured"):
        evaluate(workspace, "linear-5", **JUDGED)
    assert (workspace.evaluation / "linear-5.json").read_bytes() == before


def test_a_flipped_bit_in_a_row_is_named_with_the_command_that_measures_it(workspace: Workspace):
    path = workspace.evaluation / "linear-5.json"
    text = path.read_text()
    value = json.loads(text)["figures"]["gap"]["value"]
    place = text.index(repr(value)) + 2
    path.write_text(text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :])
    with pytest.raises(CorruptArtifactError, match="does not match its own sha256") as error:
        load_rows(workspace.evaluation)
    assert error.value.where == str(path)
    assert "`compress evaluate --name linear-5`" in error.value.hint
    evaluate(workspace, "linear-5", **JUDGED)
    assert path.read_text() == text


def test_a_flipped_bit_in_the_row_of_a_model_is_named_too(tmp_path: Path):
    workspace = workspace_of_models(tmp_path / "w")
    made_run(workspace, "a")
    measure(workspace, "a", name="a")
    path = workspace.evaluation / "models" / "a.json"
    path.write_bytes(path.read_bytes().replace(b'"seed": 0', b'"seed": 8'))
    with pytest.raises(CorruptArtifactError) as error:
        read_model(path)
    assert "`compress evaluate --run a`" in error.value.hint

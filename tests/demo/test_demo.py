"""The whole demo, as small as it can be: what it makes, and what a second run does not make again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from compress.demo import Demo, Request, plan, run_demo
from compress.errors import CompressError, CorruptArtifactError, Interrupted, SchemaError, UsageError
from compress.progress import Event, Note, Progress, clear_interrupt, request_interrupt
from compress.reports.table_4.sentences import headline
from tests.demo.small import SMALL, request, small_plan

FILES = ("embeddings/*.h5", "embeddings/*/*", "runs/*/model/*", "evaluation/*.json", "demo.json")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, list[str]]:
    """A finished demo and its notes."""
    with pytest.MonkeyPatch.context() as patch:
        small_plan(patch)
        return made(request(tmp_path_factory.mktemp("demo") / "d"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    small_plan(monkeypatch)
    clear_interrupt()


def made(wanted: Request) -> tuple[Demo, list[str]]:
    notes: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    return run_demo(wanted, report), notes


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in FILES
        for path in folder.glob(pattern)
        if path.suffix != ".lock"
    }


def test_it_ends_with_similar_videos_and_a_report_of_every_row(first):
    demo, _ = first

    assert [len(hit.labels) > 0 for hit in demo.similar.neighbours] == [True] * 5
    assert {row.row for _, row in demo.report.table.measured} == {row.store for row in SMALL}
    assert demo.report.html.is_file()


def test_the_estimate_and_what_is_reduced_are_said_first(first):
    _, notes = first
    said = next(position for position, note in enumerate(notes) if "about" in note and "min" in note)

    assert all("[1/" not in note for note in notes[:said])
    assert "smaller than the paper's" in notes[said]
    assert " MB in " in notes[said]


def test_rows_say_that_videos_are_invented_and_models_small(first):
    demo, _ = first
    rows = {row.row: row for _, row in demo.report.table.measured}

    assert all(any("invented" in note for note in row.notes) for row in rows.values())
    assert headline(demo.report.table).startswith("On invented videos (sample data), ")
    assert any("narrower" in note for note in rows["residual_cnn-320"].notes)
    assert any("8 to 16 frames" in note for note in rows["lstm-640"].notes)
    assert rows["lstm-640"].data.synthetic_frames


def test_a_second_run_reuses_everything(first):
    demo, _ = first
    before = contents(demo.folder)
    again, notes = made(request(demo.folder))

    assert contents(demo.folder) == before
    assert not [note for note in notes if "evaluate" in note or "] index" in note]
    assert again.similar == demo.similar


def test_a_stopped_demo_goes_on_and_ends_in_the_same_embeddings(first, tmp_path: Path):
    demo, _ = first
    wanted = {
        name: data for name, data in contents(demo.folder).items() if name.endswith((".h5", ".safetensors"))
    }
    for stop in ("sample", "expand frames", "encode", "epoch 1/1", "exact neighbours"):

        def report(event: Event, stop: str = stop) -> None:
            if isinstance(event, Progress) and event.stage == stop:
                request_interrupt(2)

        with pytest.raises(Interrupted):
            run_demo(request(tmp_path / "d"), report)
        clear_interrupt()
    made(request(tmp_path / "d"))
    found = contents(tmp_path / "d")

    assert {name: found[name] for name in wanted} == wanted


def test_a_store_that_was_made_anew_is_measured_anew(first, tmp_path: Path):
    demo, _ = first
    shutil.copytree(demo.folder, tmp_path / "d")
    facts = json.loads((tmp_path / "d" / "demo.json").read_text())
    facts["evaluated"]["original"] = "0" * 64
    (tmp_path / "d" / "demo.json").write_text(json.dumps(facts))
    _, notes = made(request(tmp_path / "d"))

    assert [note for note in notes if "evaluate" in note] == [f"[1/{len(SMALL)}] evaluate original"]


def test_a_demo_of_other_settings_is_not_continued(first):
    demo, _ = first

    with pytest.raises(UsageError, match=r"other settings \(seed\)"):
        made(request(demo.folder, seed=1))


def test_a_workspace_of_somebody_is_left_alone(tmp_path: Path):
    (tmp_path / "compress.toml").touch()

    with pytest.raises(UsageError, match="did not make"):
        made(request(tmp_path))
    assert not (tmp_path / "demo.json").exists()


def test_a_damaged_note_is_named(first, tmp_path: Path):
    (tmp_path / "demo.json").write_text('{"settings": 3}')

    with pytest.raises(CorruptArtifactError, match=r"demo\.json"):
        made(request(tmp_path))


@pytest.mark.parametrize(
    ("changes", "error", "telling"),
    [
        ({"train": ["a*"]}, UsageError, "need each other"),
        ({"num_classes": 3}, UsageError, "real shards"),
        ({"train": ["none*"], "validate": ["none*"]}, CompressError, "none"),
    ],
)
def test_what_does_not_fit_is_said_at_once(tmp_path: Path, changes: dict, error: type, telling: str):
    with pytest.raises(error, match=telling):
        made(request(tmp_path / "d", **changes))


def test_real_shards_make_the_same_rows(first, tmp_path: Path):
    shards = first[0].folder / "sample"
    real = request(
        tmp_path / "d",
        train=[f"{shards}/train*.tfrecord"],
        validate=[f"{shards}/validate*.tfrecord"],
        vocabulary=shards / "vocabulary.csv",
        num_classes=plan.SAMPLE_CLASSES,
    )
    demo, _ = made(real)

    assert {row.row for _, row in demo.report.table.measured} == {row.store for row in SMALL}
    assert not any("invented" in note for _, row in demo.report.table.measured for note in row.notes)


def test_frame_level_shards_are_refused(first, tmp_path: Path):
    frames = [f"{first[0].folder}/frames/{split}/*.tfrecord" for split in ("train", "validate")]

    with pytest.raises(SchemaError, match="frame-level"):
        made(request(tmp_path / "d", train=frames[:1], validate=frames[1:]))


def test_without_frames_the_lstm_is_not_run_and_the_reason_said(first, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("compress.demo.folder.MOST_VIDEOS_WITH_FRAMES", 10)
    demo, notes = made(request(tmp_path / "d"))

    assert any("NOT RUN" in note and "more than 10" in note for note in notes)
    assert "lstm-640" not in {row.row for _, row in demo.report.table.measured}

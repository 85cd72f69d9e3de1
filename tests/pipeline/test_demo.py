"""The whole demo, as small as it can be: what it makes, and what a second run does not make again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from compress.artifacts.atomic import write_json
from compress.artifacts.sealed import read_sealed
from compress.errors import CompressError, CorruptArtifactError, Interrupted, SchemaError, UsageError
from compress.evaluation.row import Row
from compress.evaluation.verdicts import Verdict, verdict
from compress.jobs.names import store_name
from compress.pipeline.demo import Demo, DemoRow, DemoSize, demo_rows, run_demo
from compress.pipeline.demo_folder import DemoFolder
from compress.pipeline.maker import Training
from compress.progress import Event, Note, Progress, clear_interrupt, request_interrupt
from compress.reports import load_rows

NARROW = ("width=0.02", "warm_epochs=0", "batch_size=64")
SMALL = [
    DemoRow(Training("identity", None)),
    DemoRow(Training("identity", None), codec="int8"),
    DemoRow(Training("pca", 320)),
    DemoRow(Training("residual_cnn", 320, epochs=1, settings=NARROW), searched=True),
    DemoRow(Training("lstm", 640, epochs=1, settings=("sizes=[8,640]",)), searched=True),
]
NAMES = ["original", "original-int8", "pca-320", "residual_cnn-320", "lstm-640"]
CLASSES = 10
FILES = ("embeddings/*.h5", "embeddings/*/*", "runs/*/model/*", "evaluation/*.json", "demo.json")


def request(path: Path, **changes: Any) -> DemoFolder:
    """A demo on a sample of 120 videos of 10 classes."""
    return DemoFolder(path, **{"sample_videos": 120, "sample_classes": CLASSES, **changes})


def demo(wanted: DemoFolder, report: Any) -> Demo:
    """Few, narrow rows and heads of one epoch."""

    def rows(size: DemoSize) -> list[DemoRow]:
        return SMALL if size.frames else SMALL[:-1]

    return run_demo(wanted, threads=1, device="cpu", rows=rows, heads=("ridge",), report=report)


def made(wanted: DemoFolder) -> tuple[Demo, list[str]]:
    notes: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    return demo(wanted, report), notes


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, list[str]]:
    """A finished demo and its notes."""
    return made(request(tmp_path_factory.mktemp("demo") / "d"))


@pytest.fixture(autouse=True)
def not_stopped() -> None:
    clear_interrupt()


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in FILES
        for path in folder.glob(pattern)
        if path.suffix != ".lock"
    }


def rows_of(demo: Demo) -> dict[str, Row]:
    return {row.row: row for row in load_rows(demo.folder / "evaluation")}


def test_it_ends_with_similar_videos_and_a_report_of_every_row(first):
    finished, _ = first

    assert [len(hit.labels) > 0 for hit in finished.similar.neighbours] == [True] * 5
    assert set(rows_of(finished)) == set(NAMES)
    assert finished.report.html.is_file()


def test_the_estimate_and_what_is_reduced_are_said_first(first):
    _, notes = first
    said = next(position for position, note in enumerate(notes) if "about" in note and "min" in note)

    assert all("[1/" not in note for note in notes[:said])
    assert "smaller than the paper's" in notes[said]
    assert " MB in " in notes[said]


def test_rows_say_that_videos_are_invented_and_models_small(first):
    finished, _ = first
    rows = rows_of(finished)

    assert all(any("invented" in note for note in row.notes) for row in rows.values())
    assert finished.report.document.headline.startswith("On invented videos (sample data), ")
    assert any("narrower" in note for note in rows["residual_cnn-320"].notes)
    assert any("8 to 16 frames" in note for note in rows["lstm-640"].notes)
    assert rows["lstm-640"].data.synthetic_frames


def test_a_second_run_reuses_everything(first):
    finished, _ = first
    before = contents(finished.folder)
    again, notes = made(request(finished.folder))

    assert contents(finished.folder) == before
    assert not [note for note in notes if note.startswith("[")]
    assert again.similar == finished.similar


def test_a_stopped_demo_goes_on_and_ends_in_the_same_embeddings(first, tmp_path: Path):
    finished, _ = first
    before = contents(finished.folder)
    wanted = {name: data for name, data in before.items() if name.endswith((".h5", ".safetensors"))}
    for stop in ("sample", "expand frames", "encode", "epoch 1/1", "exact neighbours"):

        def report(event: Event, stop: str = stop) -> None:
            if isinstance(event, Progress) and event.stage == stop:
                request_interrupt(2)

        with pytest.raises(Interrupted):
            demo(request(tmp_path / "d"), report)
        clear_interrupt()
    made(request(tmp_path / "d"))
    found = contents(tmp_path / "d")

    assert {name: found[name] for name in wanted} == wanted


def test_a_store_that_was_made_anew_is_measured_anew(first, tmp_path: Path):
    finished, _ = first
    shutil.copytree(finished.folder, tmp_path / "d")
    scores = tmp_path / "d" / "evaluation" / "scores"
    shutil.rmtree(scores / "original")
    shutil.copytree(scores / "original-int8", scores / "original")  # of a store with another sha256
    _, notes = made(request(tmp_path / "d"))

    assert [note for note in notes if note.startswith("[")] == ["[1/1] original"]
    assert contents(tmp_path / "d") == contents(finished.folder)


def test_a_demo_of_other_settings_is_not_continued(first):
    finished, _ = first

    with pytest.raises(UsageError, match=r"other settings \(seed\)"):
        made(request(finished.folder, seed=1))


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


@pytest.mark.slow
def test_pca_to_320_is_not_below_the_original_by_the_demos_own_judges(tmp_path: Path):
    finished = run_demo(
        DemoFolder(tmp_path / "d", most_videos=0), threads=1, device="cpu", rows=lambda size: SMALL[:-1]
    )
    rows = rows_of(finished)
    print(rows["original"].figures.gap, rows["pca-320"].delta)
    assert rows["pca-320"].data.train_videos == 4000
    assert verdict(rows["pca-320"], rows["original"], "gap") is Verdict.HOLDS


def test_real_shards_make_the_same_rows(first, tmp_path: Path):
    shards = first[0].folder / "sample"
    real = request(
        tmp_path / "d",
        train=[f"{shards}/train*.tfrecord"],
        validate=[f"{shards}/validate*.tfrecord"],
        vocabulary=shards / "vocabulary.csv",
        num_classes=CLASSES,
    )
    finished, _ = made(real)

    assert set(rows_of(finished)) == set(NAMES)
    assert not any("invented" in note for row in rows_of(finished).values() for note in row.notes)


def test_frame_level_shards_are_refused(first, tmp_path: Path):
    frames = [f"{first[0].folder}/frames/{split}/*.tfrecord" for split in ("train", "validate")]

    with pytest.raises(SchemaError, match="frame-level"):
        made(request(tmp_path / "d", train=frames[:1], validate=frames[1:]))


def test_without_frames_the_lstm_is_not_run_and_the_reason_said(first, tmp_path: Path):
    finished, notes = made(request(tmp_path / "d", most_videos=10))

    assert any("NOT RUN" in note and "more than 10" in note for note in notes)
    assert "lstm-640" not in rows_of(finished)


def test_a_folder_of_an_earlier_version_is_continued(first, tmp_path: Path):
    finished, _ = first
    shutil.copytree(finished.folder, tmp_path / "d")
    note = tmp_path / "d" / "demo.json"
    write_json(note, {**read_sealed(note, ""), "evaluated": {"original": "0" * 64}})
    shutil.rmtree(tmp_path / "d" / "embeddings" / "residual_cnn-320.index")
    _, notes = made(request(tmp_path / "d"))

    assert [note for note in notes if note.startswith("[")] == ["[1/1] residual_cnn-320"]
    assert contents(tmp_path / "d") == {**contents(finished.folder), "demo.json": note.read_bytes()}


def names(size: DemoSize) -> list[str]:
    return [store_name(row.training.run, row.codec) for row in demo_rows(size)]


def test_there_is_every_row_of_the_paper_and_every_control():
    found = names(DemoSize(4000, 5000, 100, frames=True))

    assert found[:2] == ["original", "original-int8"]
    assert {"residual_cnn-320", "residual_cnn-512", "lstm-640", "linear-320"} < set(found)
    assert {f"{kind}-{dim}" for kind in ("pca", "random") for dim in (320, 512, 640)} < set(found)


def test_few_videos_get_more_epochs_and_many_take_longer():
    few, many = DemoSize(4_000, 5_000, 100, frames=True), DemoSize(23_000, 29_000, 3862, frames=True)

    assert (few.epochs, many.epochs) == (12, 6)
    assert few.core_seconds < 300 < many.core_seconds

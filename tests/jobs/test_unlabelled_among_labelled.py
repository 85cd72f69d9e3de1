"""Videos without labels among labelled ones: train and both ways to evaluate count the same videos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_runs, evaluate_store
from compress.jobs.train import train_run
from compress.progress import Event, Note
from compress.store.reader import open_store
from compress.training.run import load_model
from compress.workspace import Workspace
from tests.encoding.examples import shards, videos


def mixed(root: Path) -> Workspace:
    """30 labelled and 9 bare training videos, 12 labelled and 4 bare validation videos, in turn."""
    train = [
        video for at in range(3) for video in videos(10, 10 * at) + videos(3, 500 + 3 * at, labelled=False)
    ]
    validate = videos(6, 100) + videos(4, 600, labelled=False) + videos(6, 106)
    shards(root, "train", train, (20, 19))
    shards(root, "validate", validate)
    return Workspace(root, (f"{root}/train*.tfrecord",), (f"{root}/validate*.tfrecord",), num_classes=7)


def test_one_rule_for_all_three(tmp_path: Path):
    workspace = mixed(tmp_path)
    told: list[Event] = []
    common = {"threads": 1, "device": "cpu", "report": told.append}
    settings = ("precision=fp32",)
    done = train_run(
        workspace, dim=3, encoder="linear", epochs=1, batch_size=16, settings=settings, name="m", **common
    )
    assert load_model(done.run)[1]["train_videos"] == 30
    by_run = evaluate_runs(workspace, runs=["m"], **common)
    encode_store(workspace, name="m", device="cpu")
    by_store = evaluate_store(workspace, name="m", baseline="m", head_epochs=1, **common)
    for row in (by_run, by_store):
        assert (row["data"]["train_videos"], row["data"]["validate_videos"]) == (30, 12)
    assert by_run["data"]["fingerprint"] == by_store["data"]["fingerprint"]
    assert by_store["retrieval"]["queries"] == 12
    # A search wants all of them.
    assert len(open_store(workspace.store("m"))) == 39 + 16

    notes = {note.text for note in told if isinstance(note, Note)}
    assert {
        "2 shards: left out 9 of 39 videos, which have no labels",
        "validate0.tfrecord: left out 4 of 16 videos, which have no labels",
        "m.h5, train: left out 9 of 39 videos, which have no labels",
        "m.h5, validate: left out 4 of 16 videos, which have no labels",
    } <= notes

    (tmp_path / "labelled").mkdir()
    shards(tmp_path / "labelled", "validate", videos(12, 100))
    same = evaluate_runs(
        replace(workspace, validate=(f"{tmp_path}/labelled/*.tfrecord",)), runs=["m"], again=True, **common
    )
    assert same["figures"] == by_run["figures"]

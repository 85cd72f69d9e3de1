"""`compress predict`: every form holds the model's most probable labels of every video."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import compress
from compress.encoder import load
from compress.errors import NotFoundError, RecordError, UsageError
from compress.jobs.predict import Predicted, predict_videos
from compress.progress import Note
from compress.training.run import load_model
from compress.workspace import Workspace
from tests.encoding.examples import CLASSES, DIM, clips, encoder_run, shards, videos

NEW = videos(8, 200)


@pytest.fixture
def run(workspace: Workspace) -> Path:
    return encoder_run(workspace.runs / "m", head="logistic")


@pytest.fixture
def wanted(run: Path) -> np.ndarray:
    """Probabilities of NEW, (8, C), straight from the model."""
    model, _ = load_model(run)
    with torch.inference_mode():
        rows = torch.from_numpy(np.stack([video.features for video in NEW]))
        return torch.sigmoid(model.logits(model.embed(rows))).numpy()


def predict(workspace: Workspace, **options: Any) -> tuple[Predicted, str]:
    out = io.StringIO()
    given = {"run": "m", "patterns": [str(workspace.root / "bare*.tfrecord")], "stream": out}
    return predict_videos(workspace, **{**given, **options}), out.getvalue()


def best(wanted: np.ndarray, k: int) -> list[list[tuple[int, float]]]:
    order = np.argsort(-wanted, axis=1, kind="stable")[:, :k]
    return [[(int(label), float(row[label])) for label in labels] for row, labels in zip(wanted, order)]  # noqa: B905


def close(found: list[list[tuple[int, float]]], wanted: list[list[tuple[int, float]]]) -> None:
    assert [[label for label, _ in row] for row in found] == [[label for label, _ in row] for row in wanted]
    np.testing.assert_allclose(np.array(found), np.array(wanted), atol=2e-6)


def _pairs(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return list(zip(words[::2], words[1::2], strict=True))


def test_a_submission_is_what_the_starter_code_would_write(workspace: Workspace, wanted: np.ndarray):
    """Source: google/youtube-8m inference.py, format_lines, and the header that it writes."""
    done, text = predict(workspace, format="kaggle", batch_size=3)
    lines = text.splitlines()
    assert lines[0] == "VideoId,LabelConfidencePairs"
    for line, video, row in zip(lines[1:], NEW, wanted, strict=True):
        pairs = sorted(enumerate(row), key=lambda pair: -pair[1])[:20]
        line_of_theirs = video.video_id.decode() + "," + " ".join("%i %g" % pair for pair in pairs)  # noqa: UP031
        theirs, ours = line_of_theirs.split(","), line.split(",")
        assert theirs[0] == ours[0]
        assert theirs[1].split()[::2] == ours[1].split()[::2]
        np.testing.assert_allclose(*(np.float64(part[1].split()[1::2]) for part in (theirs, ours)), atol=2e-6)
    assert (done.videos, done.labels, done.output) == (8, 8 * CLASSES, None)
    # Scored as Kaggle did: all pairs in one ranking.
    carried = {video.video_id.decode(): set(video.labels.tolist()) for video in NEW}
    split = [line.split(",") for line in lines[1:]]
    pairs = [(float(p), int(c) in carried[name]) for name, t in split for c, p in _pairs(t)]
    hits = np.array([hit for _, hit in sorted(pairs, key=lambda pair: -pair[0])])
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    labels = [video.labels.tolist() for video in NEW]
    assert (precision * hits).sum() / sum(map(len, labels)) == pytest.approx(compress.gap(wanted, labels))


def test_every_form_holds_the_same_labels(workspace: Workspace, wanted: np.ndarray):
    (workspace.root / "v.csv").write_text('index,name\n0,Dog\n3,"Cat, big"\n')
    workspace = dataclasses.replace(workspace, vocabulary=workspace.root / "v.csv")
    names = {0: "Dog", 3: "Cat, big"}
    tops = best(wanted, 3)
    ids = [video.video_id.decode() for video in NEW]

    _, text = predict(workspace, top=3, format="csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["video_id"] for row in rows] == [video_id for video_id in ids for _ in range(3)]
    assert [row["rank"] for row in rows] == ["1", "2", "3"] * 8
    assert all(row["name"] == names.get(int(row["label"]), "") for row in rows)
    flat = [(int(row["label"]), float(row["probability"])) for row in rows]
    close([flat[at : at + 3] for at in range(0, 24, 3)], tops)

    _, text = predict(workspace, top=3, format="jsonl")
    objects = [json.loads(line) for line in text.splitlines()]
    assert [one["video_id"] for one in objects] == ids
    close([[(label["label"], label["probability"]) for label in one["labels"]] for one in objects], tops)
    assert all(label["name"] == names.get(label["label"]) for one in objects for label in one["labels"])

    done, text = predict(workspace, top=3, output=workspace.root / "out" / "p.parquet")
    assert (text, done.format) == ("", "parquet")
    table = pq.read_table(workspace.root / "out" / "p.parquet").to_pydict()
    assert table["video_id"] == ids
    close(
        [list(zip(*row, strict=True)) for row in zip(table["label"], table["probability"], strict=True)], tops
    )
    assert table["name"] == [[names.get(label) for label in row] for row in table["label"]]

    _, text = predict(workspace, top=3)
    shown = ", ".join(f"{names.get(label, label)} {probability:.3f}" for label, probability in tops[0])
    assert text.splitlines()[1] == f"{ids[0]}  {shown}"


def test_labels_classes_and_the_batch_size_do_not_matter(workspace: Workspace, run: Path):
    unsaid = dataclasses.replace(workspace, num_classes=None)
    texts = {predict(unsaid, format="csv", batch_size=size)[1] for size in (8, None)}
    shards(workspace.root / "l", "s", NEW, (5, 3))
    texts.add(predict(workspace, format="csv", patterns=[str(workspace.root / "l/*.tfrecord")])[1])
    rows = [[line.split(",") for line in text.splitlines()] for text in texts]
    for other in rows[1:]:
        assert [line[:4] for line in other] == [line[:4] for line in rows[0]]


def test_frames_are_predicted_in_order(workspace: Workspace):
    run = encoder_run(workspace.runs / "m", "lstm", {"sizes": [6, 5]}, head="moe")
    records = clips([2, 5, 3, 3, 9, 1])
    shards(workspace.root / "f", "f", records, (4, 2))
    _, text = predict(
        workspace, patterns=[str(workspace.root / "f/*.tfrecord")], format="jsonl", batch_size=2
    )
    found = [json.loads(line) for line in text.splitlines()]
    assert [one["video_id"] for one in found] == [record.video_id.decode() for record in records]
    alone = load(run).predict_proba([record.frames for record in records])
    assert alone.shape == (6, CLASSES)
    tops = [[(label["label"], label["probability"]) for label in one["labels"]] for one in found]
    close(tops, best(alone, CLASSES))


def test_only_labels_that_reach_their_threshold_are_given_and_thresholds_are_kept(
    workspace: Workspace, run: Path, wanted: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("compress.metrics.thresholds.ENOUGH", 3)
    limit = float(np.median(wanted))
    done, text = predict(workspace, threshold=limit, format="jsonl")
    kept = [len(json.loads(line)["labels"]) for line in text.splitlines()]
    assert kept == [int((row >= np.float32(limit)).sum()) for row in wanted]
    assert (done.labels, done.threshold.kind) == (sum(kept), "given")  # type: ignore[union-attr]
    assert not (run / "thresholds.json").exists()

    told: list[Any] = []
    done, text = predict(workspace, threshold="per-class", format="jsonl", report=told.append)
    chosen = json.loads((run / "thresholds.json").read_text())
    assert done.threshold is not None
    assert (done.threshold.own_classes, done.threshold.num_classes) == (chosen["own"], CLASSES)
    assert 0 < chosen["own"] <= CLASSES
    assert any("have a threshold of their own: 3 or more of 12" in str(note) for note in told)
    limits = np.float32(chosen["by_class"])
    assert [len(json.loads(line)["labels"]) for line in text.splitlines()] == (wanted >= limits).sum(
        1
    ).tolist()

    told.clear()
    again, _ = predict(workspace, threshold="global", report=told.append)
    assert again.threshold is not None
    assert again.threshold.value == chosen["everywhere"]
    assert not any(isinstance(note, Note) and "choosing" in note.text for note in told)


def test_a_file_that_is_there_is_kept_unless_asked_and_nothing_half_written_stays(
    workspace: Workspace, run: Path
):
    output = workspace.root / "p.csv"
    predict(workspace, output=output)
    before = output.read_bytes()
    with pytest.raises(UsageError, match="is there already; choose another --output, or give --replace"):
        predict(workspace, output=output, top=1)
    assert output.read_bytes() == before
    twice = [str(workspace.root / "bare*.tfrecord"), str(workspace.root / "copy.tfrecord")]
    (workspace.root / "copy.tfrecord").write_bytes((workspace.root / "bare0.tfrecord").read_bytes())
    with pytest.raises(RecordError, match="video 'v00200' is there twice, as video 0 and 8"):
        predict(workspace, output=output, top=1, replace=True, patterns=twice)
    assert output.read_bytes() == before
    assert not list(workspace.root.glob("p.csv.*"))
    predict(workspace, output=output, top=1, replace=True)
    assert len(output.read_text().splitlines()) == 9


@pytest.mark.parametrize(
    ("options", "error", "telling"),
    [
        ({"run": "none"}, NotFoundError, "no trained encoder named 'none'"),
        ({"run": "pca"}, UsageError, "was fitted without a head, so it gives no labels"),
        ({"format": "parquet"}, UsageError, "give --output FILE.parquet"),
        ({"output": Path("p.bin")}, UsageError, "end it in .csv, .jsonl, .ndjson, .parquet, .txt, or give"),
        ({"format": "kaggle", "top": 21}, UsageError, "give --top 20 or fewer"),
        ({"format": "kaggle", "threshold": 0.5}, UsageError, "leave out --threshold"),
        ({"threshold": 1.5}, UsageError, "1.5 is no probability"),
        ({"threshold": "f2"}, UsageError, "unknown threshold 'f2'"),
    ],
)
def test_what_cannot_be_predicted_is_refused(workspace: Workspace, run: Path, options, error, telling):
    encoder_run(workspace.runs / "pca")
    with pytest.raises(error) as refused:
        predict(workspace, **options)
    assert telling in str(refused.value)


def test_shards_are_never_replaced_and_thresholds_need_validation_videos(workspace: Workspace, run: Path):
    shard = workspace.root / "bare0.tfrecord"
    with pytest.raises(UsageError, match="is one of the shards"):
        predict(workspace, output=shard, format="csv", replace=True)
    with pytest.raises(NotFoundError, match="the workspace has none"):
        predict(dataclasses.replace(workspace, validate=()), threshold="global")


def test_arrays_of_another_size_are_refused(workspace: Workspace, run: Path):
    with pytest.raises(Exception, match=f"reads .* {DIM}|{DIM}"):
        load(run).predict_proba(np.ones((2, DIM + 1), np.float32))

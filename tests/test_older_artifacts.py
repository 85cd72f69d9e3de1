"""What version 0.1 wrote on 30 November 2026 is still read, and means the same.

tests/fixtures/version-0.1 is a workspace of that day's commands on 200 invented videos; expected.npz holds 8
of them and what that day's code made of them.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compress
from cli.main import run
from compress.artifacts.folder import read_folder
from compress.datasets import VideoTable, load_table, open_source
from compress.errors import CorruptArtifactError, NewerVersionError
from compress.evaluation.fields import Fields
from compress.evaluation.judges.panel import ask_panel
from compress.evaluation.models.row import ModelRow
from compress.evaluation.row import Row
from compress.evaluation.scores import (
    load_opinions,
    load_query_precision,
    load_scores,
    load_train_class_counts,
)
from compress.extract.projection_artifact import load as load_projections
from compress.labels import Labels
from compress.progress import Event, Note
from compress.store.writer import open_writer
from compress.training import train
from compress.training.config import TrainConfig
from tests.artifacts.forging import set_version
from tests.evaluation.test_judges import asked
from tests.extract.tiny import TinyChoice
from tests.store.examples import contents, embeddings
from tests.training.examples import video_table

OLD = Path(__file__).parent / "fixtures" / "version-0.1"
PARTS = OLD / "parts"
EXPECTED = np.load(OLD / "expected.npz")
STORES = sorted(path.stem for path in (OLD / "embeddings").glob("*.h5"))
BYTES = {"": 96, "-binary": 3, "-int4": 12, "-int8": 24, "-rabitq2": 10, "-float16": 48, "-d8": 32}


@pytest.mark.parametrize("name", ["linear-24", "linear-24-w8", "residual_cnn-24"])
def test_a_run_gives_the_same_embeddings(name: str):
    encoder = compress.load(OLD / "runs" / name)
    found = encoder.encode(EXPECTED["features"], precision="fp32")
    np.testing.assert_allclose(found, EXPECTED[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["original", "lstm-8"])
def test_other_runs_open(name: str):
    assert compress.load(OLD / "runs" / name).level == ("frame" if name == "lstm-8" else "video")


@pytest.mark.parametrize("name", STORES)
def test_a_store_opens_with_every_bit_verified(name: str):
    store = compress.open_store(OLD / "embeddings" / f"{name}.h5")
    suffix = name.removeprefix("linear-24")
    assert store.bytes_per_video == BYTES[suffix]
    assert store.rows(np.arange(200)).shape == (200, 8 if suffix == "-d8" else 24)
    assert len(store.ids) == len(store.labels or []) == 200


@pytest.mark.parametrize("suffix", ["-binary", "-int4", "-int8", "-rabitq2", "-float16"])
def test_a_codec_decodes_to_the_neighbourhood_of_what_was_encoded(suffix: str):
    whole, coded = (compress.open_store(OLD / "embeddings" / f"linear-24{end}.h5") for end in ("", suffix))
    a, b = whole.rows(np.arange(200)), coded.rows(np.arange(200))
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosines.mean() > {"-binary": 0.7, "-rabitq2": 0.85}.get(suffix, 0.98)


@pytest.mark.parametrize("name", ["linear-24", "linear-24-int8", "linear-24-binary"])
def test_an_index_finds_what_the_store_says(name: str):
    store = compress.open_store(OLD / "embeddings" / f"{name}.h5")
    index = compress.Index.open(OLD / "embeddings" / f"{name}.index", store=store)
    rows = store.rows(np.arange(200))
    queries = compress.open_store(OLD / "embeddings" / "linear-24.h5").rows([3, 50, 120])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for query, hits in zip(queries, index.search(queries, k=5), strict=True):
        scores = unit @ (query / np.linalg.norm(query))
        np.testing.assert_allclose([hit.score for hit in hits], np.sort(scores)[::-1][:5], atol=1e-4)
        assert [hit.video_id for hit in hits] == [store.ids[hit.row] for hit in hits]


@pytest.mark.parametrize("path", sorted((OLD / "evaluation").rglob("*.json")), ids=lambda path: path.stem)
def test_a_row_of_an_evaluation_is_read_and_says_the_same(path: Path):
    kind: Any = ModelRow if path.parent.name == "models" else Row
    written = json.loads(path.read_text(encoding="utf-8"))
    read = json.loads(json.dumps(kind.from_json(Fields(written, path)).to_json()))
    if kind is Row:  # what came later is empty, or what everything was then
        assert read.pop("judges") == []
        assert read["head_training"].pop("seeds") == 1
    assert read == written


def test_reports_are_made_of_older_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(OLD, tmp_path / "w")
    monkeypatch.chdir(tmp_path / "w")
    for words in (["report"], ["report", "--table", "3"]):
        with pytest.raises(SystemExit) as end:
            run([*words, "--quiet"])
        assert end.value.code == 0
    report = json.loads(Path("reports/report.json").read_text(encoding="utf-8"))
    rows = [line["measured"] for group in report["groups"] for line in group["lines"] if line["measured"]]
    measured = {row["row"]: row["figures"]["gap"]["value"] for row in rows}
    for path in sorted((OLD / "evaluation").glob("*.json")):
        row = json.loads(path.read_text(encoding="utf-8"))
        assert measured[row["row"]] == row["figures"]["gap"]["value"]
    # Its heads were trained for a fixed number of epochs on 160 videos: no verdict, but how to get one.
    verdicts = {
        line["gap_verdict"] for group in report["groups"] for line in group["lines"] if line["measured"]
    }
    assert verdicts <= {"baseline", "measure again: no verdict"}
    assert any(
        "Older measurements" in text and "compress evaluate --name" in text for text in report["cautions"]
    )


# -- the rest of what version 0.1 wrote, on 1 December 2026 ---------------------------------------------


@pytest.mark.parametrize("name", ["int8", "binary", "rabitq2", "float32"])
def test_a_saved_codec_gives_the_same_codes(name: str):
    expected = np.load(PARTS / "codecs" / "expected.npz")
    codec = compress.Codec.load(PARTS / "codecs" / f"{name}.npz")
    assert codec.name == name
    np.testing.assert_array_equal(codec.encode(expected["rows"]), expected[name])


def test_an_unfinished_store_is_continued(tmp_path: Path):
    for path in (PARTS / "stores").iterdir():
        shutil.copy(path, tmp_path)
    with open_writer(tmp_path / "unfinished.h5", **contents()) as writer:
        assert writer.rows_done == 6
        writer.write(embeddings()[6:])
        writer.finish()
    assert os.listdir(tmp_path) == ["unfinished.h5"]
    np.testing.assert_array_equal(
        compress.open_store(tmp_path / "unfinished.h5").rows(range(10)), embeddings()
    )


def test_scores_what_judges_said_and_the_precision_of_queries_are_read():
    top, facts = load_scores(PARTS / "scores")
    assert (len(top), facts["head"]) == (80, {"epochs": 1})
    assert load_train_class_counts(PARTS / "scores").tolist() == [0, 1, 2, 3]
    assert load_query_precision(PARTS / "scores").values.tolist() == [0.5, 1.0]
    (opinion,) = load_opinions(PARTS / "scores").values()
    np.testing.assert_array_equal(opinion.top.scores, top.scores)


def test_the_kept_answer_of_a_judge_is_used(tmp_path: Path):
    shutil.copytree(PARTS / "heads", tmp_path / "heads")
    notes: list[object] = []
    panel = ask_panel(["ridge"], asked(), tmp_path / "heads", notes.append)
    assert notes == []
    np.testing.assert_array_equal(panel.opinions["ridge"].top.scores, load_scores(PARTS / "scores")[0].scores)


def tables() -> list[VideoTable]:
    """The videos that the trainings learned from, and those that they were measured on."""
    with np.load(PARTS / "training.npz") as kept:
        return [
            VideoTable(
                kept[f"{part}ids"],
                kept[f"{part}features"],
                Labels.from_multi_hot(kept[f"{part}labels"]),
                video_table(4).schema,
            )
            for part in ("", "v_")
        ]


def test_a_checkpoint_is_continued_to_the_end(tmp_path: Path):
    shutil.copytree(PARTS / "runs", tmp_path / "runs")
    events: list[Event] = []
    before = json.loads((PARTS / "runs" / "stopped" / "config.json").read_text(encoding="utf-8"))
    config = TrainConfig(**before["config"])
    done = train(config, *tables(), tmp_path / "runs" / "stopped", report=events.append)
    assert any(isinstance(event, Note) and "continuing at epoch" in event.text for event in events)
    straight = compress.load(tmp_path / "runs" / "limited")
    rows = tables()[1].features[:]
    found = compress.load(done.run).encode(rows, precision="fp32")
    np.testing.assert_allclose(found, straight.encode(rows, precision="fp32"), rtol=1e-3, atol=1e-3)


def test_an_extraction_is_complete_and_its_projection_and_features_are_used(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("compress.jobs.extract.BackboneChoice", TinyChoice)
    shutil.copytree(PARTS / "extracted", tmp_path / "extracted")
    manifest = read_folder(tmp_path / "extracted" / "shards", "shards")
    assert manifest.metadata["asked"]["count"] == 4
    assert load_projections(tmp_path / "extracted" / "projection").parts
    kept = sorted((tmp_path / "extracted" / "features").iterdir())
    assert len(kept) == 4
    source = open_source([f"{tmp_path}/extracted/shards/video-train0*.tfrecord"], num_classes=9)
    shutil.copytree(PARTS / "cache", tmp_path / "cache")
    before = sorted(tmp_path.glob("cache/*/*"))
    assert len(load_table(source, cache=tmp_path / "cache")) == 3
    assert sorted(tmp_path.glob("cache/*/*")) == before, "the kept table is the one that is looked for"


MANIFESTS = sorted(path.parent for path in OLD.rglob("manifest.json"))


@pytest.mark.parametrize("version", [0, -1, True, 2])
def test_every_kind_of_folder_is_refused_by_its_version(tmp_path: Path, version: object):
    kinds = {json.loads((folder / "manifest.json").read_bytes())["kind"]: folder for folder in MANIFESTS}
    assert {"index", "model", "checkpoint", "scores"} <= kinds.keys()
    for kind, folder in kinds.items():
        shutil.copytree(folder, tmp_path / kind)
        set_version(tmp_path / kind, version)
        wanted = "schema version 2, this compress reads up to 1" if version == 2 else "has no schema version"
        with pytest.raises(NewerVersionError if version == 2 else CorruptArtifactError, match=wanted):
            read_folder(tmp_path / kind, kind)

"""What version 0.1 wrote on 30 November 2026 is still read, and means the same.

tests/fixtures/version-0.1 is a workspace of that day's commands on 200 invented videos; expected.npz holds 8
of them and what that day's code made of them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compress
from cli.main import run
from compress.evaluation.fields import Fields
from compress.evaluation.models.row import ModelRow
from compress.evaluation.row import Row

OLD = Path(__file__).parent / "fixtures" / "version-0.1"
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

"""`compress evaluate --run` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CNN, LSTM = "residual_cnn-24", "lstm-8"


def test_runs_are_measured_alone_and_together(compress, inside: Path):
    alone = compress("evaluate", "--run", CNN)
    assert alone.code == 0, alone.err
    both = compress("evaluate", "--run", CNN, "--run", LSTM, "--name", "both", "--baseline", CNN)
    assert both.code == 0, both.err

    assert alone.out.splitlines()[0] == "ResidualCNN-24, max pooling, width x0.05, 228.8 kB"
    assert "to" in alone.out.splitlines()[2]
    figure = json.loads((inside / "evaluation" / "models" / "both.json").read_text())
    assert f"{figure['figures']['gap']['value']:.4f}" in both.out
    assert f"{figure['delta']['gap']['value']:+.4f}" in both.out
    assert figure["command"] == (
        "compress train --dim 24 --epochs 1 --set width=0.05 "
        "&& compress train --encoder lstm --dim 8 --epochs 1 "
        f"&& compress evaluate --run {CNN} --run {LSTM} --name both --baseline {CNN}"
    )
    fingerprints = {
        json.loads((inside / path).read_text())["data"]["fingerprint"]
        for path in ("evaluation/models/both.json", f"evaluation/models/{CNN}.json", f"evaluation/{CNN}.json")
    }
    assert len(fingerprints) == 1, "a store, a run and an ensemble were measured on the same videos"


def test_one_run_has_the_figures_that_its_training_told(compress, inside: Path, monkeypatch):
    monkeypatch.setattr("compress.training.precision.computes_bf16", lambda device: True)
    for run in (CNN, LSTM):
        found = compress("evaluate", "--run", run, "--json").json
        told = json.loads((inside / "runs" / run / "model" / "manifest.json").read_text())["metadata"]
        for metric, figure in found["figures"].items():
            assert figure["value"] == told["figures"][metric]
        log = (inside / "runs" / run / "log.jsonl").read_text().splitlines()
        seconds = sum(json.loads(line)["cpu_seconds"] for line in log)
        assert found["training"]["seconds"] == pytest.approx(seconds)


def test_what_is_current_is_shown_again(compress, inside: Path):
    first = compress("evaluate", "--run", CNN)
    second = compress("evaluate", "--run", CNN)
    assert (second.code, second.out) == (0, first.out)
    assert f"{CNN} is evaluated already" in second.err
    assert "already" not in compress("evaluate", "--run", CNN, "--again").err


def test_another_precision_is_another_evaluation_and_the_row_says_so(compress, inside: Path):
    assert compress("evaluate", "--run", CNN, "--precision", "bf16").code == 0
    found = compress("evaluate", "--run", CNN, "--precision", "fp32")
    assert (found.code, "already" in found.err) == (0, False)
    row = json.loads((inside / "evaluation" / "models" / f"{CNN}.json").read_text())
    assert row["precision"] == ["fp32"]
    assert row["command"].endswith(f"--run {CNN} --precision fp32")
    assert "Computed in fp32; the training was in bf16." in row["notes"]


def test_a_store_is_encoded_in_the_precision_that_is_asked_for(compress, inside: Path):
    # Without bfloat16 in the processor the standing store is in float32 already.
    (inside / "embeddings" / f"{CNN}.h5").unlink(missing_ok=True)
    found = compress("encode", "--name", CNN, "--precision", "fp32")
    assert found.code == 0, found.err
    assert "computing in fp32, trained in bf16" in found.err
    assert compress("encode", "--name", CNN, "--precision", "fp16").code == 2


def test_map_of_all_scores_is_shown_where_it_is_asked_for(compress, inside: Path):
    assert "all scores" not in compress("evaluate", "--run", CNN).out
    found = compress("evaluate", "--run", CNN, "--full-map")
    assert (found.code, "already" in found.err) == (0, False)
    row = json.loads((inside / "evaluation" / "models" / f"{CNN}.json").read_text())
    assert f"{row['map_full']['map']:.4f}" in found.out
    assert row["command"].endswith(f"--run {CNN} --full-map")


@pytest.mark.parametrize(
    ("words", "code", "telling"),
    [
        (["--run", CNN, "--dim", 24], 2, "--dim does not go with --run"),
        (["--run", CNN, "--head-epochs", 1], 2, "--head-epochs does not go with --run"),
        (["--run", CNN, "--heads", "ridge"], 2, "--heads does not go with --run"),
        (["--run", CNN, "--no-retrieval"], 2, "--retrieval does not go with --run"),
        (["--run", CNN, "--retrieval"], 2, "--retrieval does not go with --run"),
        (["--name", "original", "--again"], 2, "--again needs --run"),
        (["--name", "original", "--validate", "validate*.tfrecord"], 2, "--validate needs --run"),
        (["--name", "original", "--precision", "bf16"], 2, "--precision needs --run"),
        (["--run", CNN, "--name", "other"], 2, "has the name of the run"),
        (["--run", CNN, "--run", CNN], 2, "named twice"),
        (["--run", "original"], 2, "without a head"),
        (["--run", "../x"], 2, "--run: not a valid name: '../x'"),
        (["--run", CNN, "--run", LSTM, "--name", "../x"], 2, "--name: not a valid name: '../x'"),
        (["--run", "nothing"], 66, "no trained encoder named 'nothing'"),
        (["--run", CNN, "--baseline", "nothing"], 66, "`compress evaluate --run nothing` first"),
        (["--run", CNN, "--validate", "train*.tfrecord"], 68, "was trained on 120 of the videos"),
    ],
)
def test_what_makes_no_sense_is_refused(compress, inside: Path, words: list[object], code: int, telling: str):
    ended = compress("evaluate", *words)
    assert (ended.code, ended.out) == (code, "")
    assert telling in ended.err
    assert not (inside / "evaluation" / "models").exists()

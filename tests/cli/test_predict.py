"""`compress predict` as a person types it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("words", [("--threshold", "0.2"), ("--threshold", "per-class")])
def test_labels_of_shards_and_what_is_told(compress, inside: Path, words):
    shown = compress("predict", "--run", "residual_cnn-24", "validate*.tfrecord", "--top", "2")
    assert shown.code == 0
    assert len(shown.out.splitlines()) == 31
    written = compress(
        "predict", "--run", "residual_cnn-24", "validate*.tfrecord", "--output", "a.csv", *words
    )
    assert written.code == 0
    assert "videos       30" in written.out
    assert ("kept in" in written.out) == ("per-class" in words)
    again = compress(
        "predict", "--run", "residual_cnn-24", "validate*.tfrecord", "--output", "a.csv", "--json"
    )
    assert (again.code, again.json["error"]["hint"]) == (2, "choose another --output, or give --replace")
    done = compress(
        "predict",
        "--run",
        "residual_cnn-24",
        "validate*.tfrecord",
        "--output",
        "a.csv",
        "--json",
        "--replace",
    )
    assert (done.code, done.json["videos"], done.json["labels"]) == (0, 30, 30 * 12)


@pytest.mark.parametrize("form", ["table", "csv", "jsonl", "kaggle"])
def test_labels_that_a_closed_stdout_loses_are_an_error(compress, inside: Path, monkeypatch, form: str):
    words = ("predict", "--run", "residual_cnn-24", "validate*.tfrecord", "--format", form)
    monkeypatch.setattr(sys, "stdout", None)
    ended = compress(*words)
    sys.stdout.close()
    assert ended.code == 74
    assert "standard output: is closed" in ended.err


@pytest.mark.parametrize(
    ("words", "telling"),
    [
        (("--json",), "--json prints a summary, so the labels need --output FILE"),
        (("--threshold", "high"), "'high' is not per-class, global or a number from 0 to 1"),
        (("--threshold", "1.01"), "'1.01' is not per-class, global or a number from 0 to 1"),
    ],
)
def test_what_is_refused(compress, workspace: Path, words, telling: str):
    ended = compress("predict", "--run", "x", "train*.tfrecord", *words)
    assert ended.code == 2
    assert telling in ended.err

"""The way from nothing to a report, as a person types it, small enough for seconds."""

from __future__ import annotations

import pytest

from cli.main import run

SETTINGS = ("SEED", "THREADS", "DEVICE", "WORKSPACE", "PRESET", "CODEC", "ON_CORRUPT", "DEBUG")

SAMPLE = ["data", "sample", ".", "--videos", "150", "--num-classes", "12"]
FRAMES = [
    ["data", "sample", "frames/train", "--from", "train*.tfrecord", "--frames", "3", "5"],
    ["data", "sample", "frames/validate", "--from", "validate*.tfrecord", "--frames", "3", "5"],
]
INIT = ["init", "--train", "train*.tfrecord", "--validate", "validate*.tfrecord"]
INIT += ["--train-frames", "frames/train/*.tfrecord", "--validate-frames", "frames/validate/*.tfrecord"]
INIT += ["--vocabulary", "vocabulary.csv", "--num-classes", "12"]
CNN = ["train", "--dim", "24", "--epochs", "1", "--set", "warm_epochs=0", "--set", "width=0.05"]
LSTM = ["train", "--encoder", "lstm", "--dim", "8", "--epochs", "1"]
TRAIN = [["train", "--encoder", "identity"], CNN, LSTM]
ENCODE = [["encode", "--name", name] for name in ("original", "residual_cnn-24", "lstm-8")]
ENCODE += [["encode", "--name", "original", "--codec", "int8"]]
INDEX = [["index", "--name", "residual_cnn-24"]]
NAMES = ("original", "original-int8", "residual_cnn-24", "lstm-8")
EVALUATE = [["evaluate", "--name", name, "--heads", "ridge"] for name in NAMES]
REPORT = [["report"]]
CHAIN = [SAMPLE, *FRAMES, INIT, *TRAIN, *ENCODE, *INDEX, *EVALUATE, *REPORT]
"""Every command once; each may be run again."""


def done(*words: str) -> None:
    """Run one command, which must succeed."""
    with pytest.raises(SystemExit) as end:
        run([*words, "--quiet"])
    assert end.value.code == 0, f"compress {' '.join(words)}"

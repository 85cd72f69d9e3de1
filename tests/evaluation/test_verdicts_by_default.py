"""First trials that once got a wrong verdict are judged rightly by default. The demo has its own test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import compress
from compress.evaluation.row_file import read_row
from compress.evaluation.verdicts import Verdict, verdict
from compress.evaluation.verdicts import judge as verdict_on
from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_store
from compress.jobs.train import train_run
from compress.workspace import Workspace

NOTHING_LOST = (Verdict.HOLDS, Verdict.WITHIN_NOISE)


def separable(videos: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 768), the sum of the directions of one or two of 20 classes and a little noise; labels."""
    directions = np.random.default_rng(1).normal(size=(20, 768))
    draws = np.random.default_rng([2, seed])
    labels = np.zeros((videos, 20), dtype=bool)
    for _ in range(2):
        labels[np.arange(videos), draws.integers(20, size=videos)] = True
    return (labels @ directions + 2.0 * draws.normal(size=(videos, 768))).astype(np.float32), labels


@pytest.mark.slow
@pytest.mark.parametrize("heads", [("logistic", "ridge"), ()], ids=["two", "all"])
def test_nothing_is_lost_of_classes_that_64_numbers_hold(heads: tuple[str, ...]) -> None:
    X, Y = separable(2400, 0)
    X_test, Y_test = separable(600, 1)
    encoder = compress.Encoder.fit("linear", X, Y, dim=64, device="cpu")
    options = {"heads": heads, "device": "cpu", "threads": 1, **({"seeds": 1, "mixup": 0.0} if heads else {})}
    original = compress.judge(X, Y, X_test, Y_test, **options)
    small = compress.judge(encoder.encode(X), Y, encoder.encode(X_test), Y_test, **options)
    change = small.minus(original).gap
    print(original.best, original.gap, small.best, small.gap, change)
    assert min(original.gap.value, small.gap.value) > 0.995
    assert verdict_on(change) in NOTHING_LOST


@pytest.mark.slow
def test_320_numbers_hold_what_8_real_shards_teach(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "yt8m-2018"
    train = (str(folder / "train" / "validate000[0-7].tfrecord"),)
    workspace = Workspace(tmp_path, train, (str(folder / "validate" / "*.tfrecord"),), num_classes=3862)
    train_run(workspace, encoder="identity", name="original", threads=1, device="cpu")
    train_run(workspace, encoder="linear", dim=320, name="linear-320", threads=1, device="cpu")
    for name in ("original", "linear-320"):
        encode_store(workspace, name=name, device="cpu")
        evaluate_store(workspace, name=name, retrieval=False, threads=1, device="cpu")
    original, row = (read_row(workspace.evaluation / f"{name}.json") for name in ("original", "linear-320"))
    assert row.delta is not None
    print(original.head, original.figures.gap, row.head, row.figures.gap, row.delta.gap)
    assert row.data.train_videos == 2376
    assert verdict(row, original, "gap") in NOTHING_LOST

"""What cannot be measured, or not compared, each with its own error; the files of before stay."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest

from compress.errors import (
    CompressError,
    CorruptArtifactError,
    DataError,
    NotFoundError,
    SchemaError,
    UsageError,
)
from compress.evaluation.measure import evaluate
from compress.store.reader import open_store
from compress.workspace import Workspace
from tests.evaluation.examples import JUDGED, TRAIN, VALIDATE, rewritten

ALL = np.arange(TRAIN + VALIDATE)


def refused(workspace: Workspace, name: str, kind: type[CompressError], **options: Any) -> str:
    path = workspace.evaluation / f"{name}.json"
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(kind) as caught:
        evaluate(workspace, name, **{**JUDGED, **options})
    assert type(caught.value) is kind
    assert (path.read_bytes() if path.exists() else None) == before
    return str(caught.value)


def test_no_such_store(workspace: Workspace):
    refused(workspace, "nothing", NotFoundError)


def test_a_baseline_that_was_not_measured(workspace: Workspace):
    shutil.rmtree(workspace.evaluation / "scores" / "original")
    message = refused(workspace, "linear-5", NotFoundError)
    assert "`compress evaluate --name original` first" in message
    workspace.store("original").unlink()
    message = refused(workspace, "linear-5", NotFoundError)
    assert "`compress encode --name original && compress evaluate --name original` first" in message
    shutil.rmtree(workspace.run("original"))
    message = refused(workspace, "linear-5", NotFoundError)
    assert "`compress train --encoder identity && compress encode --name original && compress" in message


@pytest.mark.parametrize(
    "options", [{"head_epochs": 3}, {"heads": ("ridge",)}, {"seeds": 2}, {"head_mixup": 0.4}, {"seed": 1}]
)
def test_a_baseline_with_another_head(workspace: Workspace, options: dict[str, int]):
    assert "other judges" in refused(workspace, "linear-5", SchemaError, **options)


@pytest.mark.parametrize(
    ("left_out", "telling"), [(0, "other training videos"), (TRAIN + 3, "other validation videos")]
)
def test_a_baseline_on_other_videos(workspace: Workspace, left_out: int, telling: str):
    rewritten(workspace, "original", "fewer", np.delete(ALL, left_out))
    assert telling in refused(workspace, "fewer", SchemaError)


def test_a_baseline_on_other_labels_of_the_same_videos(workspace: Workspace):
    store = rewritten(workspace, "original", "same")
    assert store.labels is not None
    shifted = store.labels.take(np.roll(ALL, 1))
    rewritten(workspace, "original", "relabelled", labels=shifted)
    refused(workspace, "relabelled", SchemaError)


def test_a_baseline_that_was_encoded_again(workspace: Workspace):
    rewritten(workspace, "original", "original", metadata={**_metadata(workspace), "note": "again"})
    assert "encoded again" in refused(workspace, "linear-5", SchemaError)


def test_a_store_that_encode_did_not_write(workspace: Workspace):
    rewritten(workspace, "original", "foreign", metadata={"run": "original"})
    assert "compress encode" in refused(workspace, "foreign", DataError)


def _metadata(workspace: Workspace) -> dict[str, Any]:
    return open_store(workspace.store("original")).metadata


def test_a_store_without_labels(workspace: Workspace):
    rewritten(workspace, "original", "bare", labels=None)
    assert "no labels" in refused(workspace, "bare", UsageError)


@pytest.mark.parametrize("split", ["train", "validate"])
def test_a_store_that_lacks_a_split(workspace: Workspace, split: str):
    rewritten(workspace, "original", "half", splits={split: (0, TRAIN + VALIDATE)})
    missing = "validate" if split == "train" else "train"
    assert f"no split '{missing}' (it has {split})" in refused(workspace, "half", UsageError)


def test_damaged_scores_of_the_baseline(workspace: Workspace):
    file = next((workspace.evaluation / "scores" / "original").glob("*.npz"))
    data = bytearray(file.read_bytes())
    data[-100] ^= 1
    file.write_bytes(data)
    assert file.name in refused(workspace, "linear-5", CorruptArtifactError)


def test_a_damaged_store(workspace: Workspace):
    path = workspace.store("linear-5")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert str(path) in refused(workspace, "linear-5", CorruptArtifactError)


def test_neighbours_need_the_store_of_the_baseline(workspace: Workspace):
    workspace.store("original").unlink()
    refused(workspace, "linear-5", NotFoundError)
    assert evaluate(workspace, "linear-5", **JUDGED, retrieval=False).retrieval is None

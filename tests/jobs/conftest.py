"""A workspace with small video-level shards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compress.progress import clear_interrupt
from compress.workspace import Workspace
from tests.encoding.examples import CLASSES, shards, videos


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    clear_interrupt()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """40 training and 12 validation videos with labels, and 8 without in bare*.tfrecord."""
    shards(tmp_path, "train", videos(40))
    shards(tmp_path, "validate", videos(12, 100))
    shards(tmp_path, "bare", videos(8, 200, labelled=False))
    patterns = (str(tmp_path / "train*.tfrecord"),), (str(tmp_path / "validate*.tfrecord"),)
    return Workspace(tmp_path, *patterns, num_classes=CLASSES)

"""A demo of seconds: the same steps on few videos and fewer, narrower rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compress.demo import Request
from compress.demo.plan import Row, Size

NARROW = ("width=0.02", "warm_epochs=0", "batch_size=64")
SMALL = [
    Row("identity", None),
    Row("identity", None, codec="int8"),
    Row("pca", 320),
    Row("residual_cnn", 320, epochs=1, settings=NARROW, searched=True),
    Row("lstm", 640, epochs=1, settings=("sizes=[8,640]",), searched=True),
]


def small_plan(patch: pytest.MonkeyPatch) -> None:
    """Replace the plan by SMALL, on 120 videos of 10 classes."""
    patch.setattr("compress.demo.folder.SAMPLE_VIDEOS", 120)
    for module in ("plan", "folder"):
        patch.setattr(f"compress.demo.{module}.SAMPLE_CLASSES", 10)
    patch.setattr("compress.demo.run.rows", _rows)
    patch.setattr(Size, "head_epochs", 1)


def _rows(size: Size) -> list[Row]:
    return SMALL if size.frames else SMALL[:-1]


def request(folder: Path, **changes: Any) -> Request:
    """A request for sample data, seed 0, one thread, on the CPU."""
    values: dict[str, Any] = {
        "train": (),
        "validate": (),
        "vocabulary": None,
        "num_classes": None,
        "seed": 0,
        "threads": 1,
        "device": "cpu",
    }
    return Request(folder, **{**values, **changes})

"""Videos of a few frames and a backbone that costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compress.jobs import extract as job
from compress.jobs.extract import Extracted, extract_videos
from compress.machine import installed
from tests.extract.tiny import TinyChoice

# Without PyAV there is nothing to extract.
collect_ignore_glob = [] if installed("av") else ["test_*.py"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every extraction of the test is done with the tiny backbone."""
    monkeypatch.setattr(job, "BackboneChoice", TinyChoice)


@pytest.fixture
def extracted(tiny: None, tmp_path: Path) -> Callable[..., Extracted]:
    """`extracted(videos/, fps=2)`: `extract_videos` into the folder out/, in this process."""

    def call(*patterns: object, folder: Path = tmp_path / "out", **options: Any) -> Extracted:
        return extract_videos([str(each) for each in patterns], folder, **{"workers": 1, **options})

    return call

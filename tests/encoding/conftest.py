"""One thread, no request to stop left over, and small splits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from compress.datasets.source import Source
from compress.progress import clear_interrupt
from tests.encoding.examples import shards, videos


@pytest.fixture(autouse=True)
def one_thread_and_no_interrupt() -> Iterator[None]:
    # One thread also makes os.fork safe after torch was used: it then has no workers that a child would miss.
    torch.set_num_threads(1)
    clear_interrupt()
    yield
    clear_interrupt()


@pytest.fixture
def splits(tmp_path: Path) -> dict[str, Source]:
    """30 training videos in three shards of unlike size, 11 validation videos in two."""
    return {
        "train": shards(tmp_path / "shards", "train", videos(30), (13, 1, 16)),
        "validate": shards(tmp_path / "shards", "validate", videos(11, 100), (7, 4)),
    }

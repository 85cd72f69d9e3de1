"""An index built and saved in one step, and what it says about itself."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from compress.index import Index


def build_index(store: Any, folder: Path, **options: Any) -> SimpleNamespace:
    """`IndexFacts` of the index of `store`, its `bytes` on the disk and its `bytes_per_video`."""
    index = Index.build(store, **options)
    size = index.save(folder)
    return SimpleNamespace(**asdict(index.facts), bytes=size, bytes_per_video=index.bytes_per_video)

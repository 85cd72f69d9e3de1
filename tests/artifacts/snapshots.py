"""What a kill at each commit step leaves, from one run: a copy of a folder is made before every step."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compress.artifacts import disk


def before_each_step(
    monkeypatch: pytest.MonkeyPatch, folder: Path, copies: Path, work: Callable[[], object]
) -> Iterator[Path]:
    """Do `work`, and give a copy of `folder` as it was before each of its commit steps."""
    made: list[Path] = []
    step = disk.fault_point

    def copied(name: str) -> None:
        made.append(copies / f"{len(made):03d}")
        shutil.copytree(folder, made[-1])
        step(name)

    with monkeypatch.context() as patched:
        patched.setattr(disk, "fault_point", copied)
        work()
    yield from made

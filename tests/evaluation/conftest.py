"""One thread, and a workspace whose baseline is measured."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compress.evaluation.measure import evaluate
from compress.progress import clear_interrupt
from compress.workspace import Workspace
from tests.evaluation.examples import JUDGED, make_workspace


@pytest.fixture(autouse=True)
def one_thread_and_no_interrupt() -> Iterator[None]:
    torch.set_num_threads(1)
    clear_interrupt()
    yield
    clear_interrupt()


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """`original`, `original-int8` and `linear-5` are measured, with neighbours; not to be changed."""
    torch.set_num_threads(1)
    workspace = make_workspace(tmp_path_factory.mktemp("measured"))
    for name in ("original", "original-int8", "linear-5"):
        evaluate(workspace, name, **JUDGED)
    return workspace


@pytest.fixture
def workspace(measured: Workspace, tmp_path: Path) -> Workspace:
    """A copy of `measured`."""
    shutil.copytree(measured.root, tmp_path / "w")
    return replace(measured, root=tmp_path / "w")

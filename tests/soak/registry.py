"""The harnesses: every file in harnesses/ is one, and needs to be named nowhere else.

A harness is a module with PROMISES (ids of what it counts for) and `run(until, random, folder) -> Counts`.
It works in `folder`, which the harnesses of the same turn share (and so its history), takes every choice from
`random`, and stops soon after `until()` is true.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType

from tests.soak.counts import Counts, Until

_KEPT_TURNS = 3
FOLDER = Path(__file__).with_name("harnesses")
HARNESSES: dict[str, ModuleType] = {
    path.stem: importlib.import_module(f"tests.soak.harnesses.{path.stem}")
    for path in sorted(FOLDER.glob("*.py"))
}


def play(name: str, turn: int, seconds: float) -> Counts:
    """One turn of a harness; the same turn makes the same choices."""
    return in_a_folder(name, turn, at_time(seconds))


def in_a_folder(name: str, turn: int, until: Until) -> Counts:
    """One turn, in the folder of that turn."""
    folder = _folders() / f"turn-{turn}"
    folder.mkdir(exist_ok=True)
    os.utime(folder)
    for older in sorted(_folders().iterdir(), key=lambda path: path.stat().st_mtime)[:-_KEPT_TURNS]:
        shutil.rmtree(older)
    run: Callable[[Until, Random, Path], Counts] = HARNESSES[name].run
    return run(until, Random(f"{name} {turn}"), folder)


@cache
def _folders() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="soak-")).resolve()
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


def at_time(seconds: float) -> Until:
    """To stop so many seconds after it is first asked; what comes before is preparation."""
    began: list[float] = []

    def until() -> bool:
        if not began:
            began.append(time.monotonic())
        return time.monotonic() - began[0] >= seconds

    return until


def after(trials: int) -> Until:
    """To stop after so many trials."""
    left = iter(range(trials))
    return lambda: next(left, None) is None

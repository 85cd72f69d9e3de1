"""`--fresh`: a run starts over in an empty folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from compress.artifacts.disk import storage_errors
from compress.artifacts.lock import exclusive
from compress.progress import Note, Reporter


def throw_away(run: Path, report: Reporter) -> None:
    """Empty the folder of a run; LockedError while somebody trains there."""
    with exclusive(run / "train"), storage_errors(run):
        report(Note(f"throwing away {run}"))
        # Killed halfway, it must not be left with the old model and a new config: the model goes first.
        first = ("model", "checkpoint")
        for entry in sorted(run.iterdir(), key=lambda e: (e.name == "config.json", e.name not in first)):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.suffix != ".lock":
                entry.unlink()

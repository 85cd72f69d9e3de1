"""Extracts videos with a fault at some commit steps, each in a forked child; prints the outcome as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from compress.artifacts.folder import read_folder
from compress.jobs import extract as job
from compress.workspace import load_workspace
from tests.artifacts.faulty import complete_or_none, run_under_fault
from tests.extract.tiny import TinyChoice

EVERY = 13  # coprime to the number of steps of one file, so that each kind of step is met


def bytes_of(folder: Path) -> dict[str, str]:
    """sha256 of all that an extraction makes."""
    shards = read_folder(folder / "shards", "shards").files
    projection = read_folder(folder / "projection", "projection").files
    assert load_workspace(folder).validate
    return {name: file.sha256 for name, file in (*shards.items(), *projection.items())}


def extract(films: Path, folder: Path) -> None:
    job.extract_videos([str(films)], folder, workers=1)


def main(films: Path, root: Path) -> None:
    """Print the number of steps, the wanted files, and for each fault two exit codes and the files."""
    job.BackboneChoice = TinyChoice  # type: ignore[misc,assignment]
    run_under_fault(lambda: extract(films, root / "wanted"))
    steps, found = 0, {"kill": {}, "enospc": {}}
    for kind, codes in found.items():
        for step in range(1, 1000, EVERY):
            folder = root / f"{kind}{step}"
            first = run_under_fault(lambda folder=folder: extract(films, folder), f"{kind}@{step}")
            if first == 0:
                steps = step
                break
            for part in ("shards", "projection"):
                complete_or_none(lambda path=folder / part, kind=part: read_folder(path, kind))
            again = run_under_fault(lambda folder=folder: extract(films, folder))
            codes[step] = first, again, bytes_of(folder)
    print(json.dumps({"steps": steps, "wanted": bytes_of(root / "wanted"), **found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""`compress du` and `compress clean`: what a workspace holds, and what of it can go.

Only what is ours is counted as removable, and only that is removed (compress/artifacts/ownership.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from compress.artifacts.disk import remove, remove_if_empty, storage_errors
from compress.artifacts.folder import remove_folder
from compress.artifacts.lock import exclusive
from compress.artifacts.manifest import MANIFEST
from compress.artifacts.ownership import dead_temporaries
from compress.errors import LockedError
from compress.progress import Note, Reporter, silent
from compress.workspace import Workspace

INDEX = ".index"
CACHE = "copies of the data and teachers' scores: made again when a command needs them"
HEADS = "answers of single judges: asked again when `compress evaluate` repeats or adds to a row"
LEFT = "half written by a process that was killed"


@dataclass(frozen=True)
class Held:
    """What a workspace holds of one kind.

    Args:
        kind: "runs", "stores", "indexes", "evaluations", "heads", "reports", "cache".
        items: how many.
        bytes: of all their files.
        removable: of these bytes, what `compress clean` removes with `by`.
        by: the option; "" where it needs none.
    """

    kind: str
    items: int
    bytes: int
    removable: int = 0
    by: str = ""


@dataclass(frozen=True)
class Usage:
    """What a workspace holds; its videos and what a person put there do not count."""

    folder: Path
    held: tuple[Held, ...]
    bytes: int


@dataclass(frozen=True)
class Removable:
    """A folder of ours, or a file, and why nothing is lost with it."""

    path: Path
    bytes: int
    why: str


@dataclass(frozen=True)
class Cleaned:
    """What was removed; `agreed` is False where the person who was asked said no."""

    removed: tuple[Removable, ...]
    bytes: int
    agreed: bool


def measure_usage(workspace: Workspace) -> Usage:
    """Count what is in a workspace, by kind.

    Raises:
        StorageError: a folder cannot be read.
    """
    stores = [path for path in _entries(workspace.embeddings) if not path.name.endswith(INDEX)]
    left = list(_left_behind(workspace))
    indexes = [path for path in _entries(workspace.embeddings) if path.name.endswith(INDEX)]
    heads = _heads(workspace)
    asked = {path for folder in heads for path in _files(folder)}
    rows = [path for path in _files(workspace.evaluation) if path not in asked]
    cached = _folders(workspace.cache)
    held: tuple[Held, ...] = (
        _held("runs", _entries(workspace.runs)),
        Held("stores", sum(path.suffix == ".h5" for path in stores), sum(map(_size, stores))),
        _held("indexes", indexes),
        Held(
            "evaluations", sum(path.suffix == ".json" and path.name != MANIFEST for path in rows), _sum(rows)
        ),
        Held("heads", len(heads), _sum(asked), _sum(asked), "--heads"),
        _held("reports", _entries(workspace.reports)),
        Held(
            "cache",
            len(_entries(workspace.cache)),
            _size(workspace.cache),
            sum(map(_size, cached)),
            "--cache",
        ),
    )
    total = sum(one.bytes for one in held)
    if left:  # which lies in folders that were counted
        size = sum(one.bytes for one in left)
        held += (Held("of that, left by killed processes", len(left), size, size),)
    return Usage(workspace.root, held, total)


def clean_workspace(
    workspace: Workspace,
    *,
    cache: bool = False,
    heads: bool = False,
    agree: Callable[[Sequence[Removable]], bool],
    report: Reporter = silent,
) -> Cleaned:
    """Remove what is of no use any more: what killed processes left, and what the options name.

    Args:
        workspace: to clean.
        cache: also everything in cache/ that commands make again.
        heads: also the answers of single judges; rows and reports stay.
        agree: is asked with all that is to go; not called where there is nothing.
        report: is told what another process uses, which stays.

    Raises:
        UsageError: a symbolic link stands in the place of a folder of ours.
        StorageError: the disk refused.
    """
    wanted = list(_left_behind(workspace))
    if cache:
        wanted += [Removable(path, _size(path), CACHE) for path in _folders(workspace.cache)]
    if heads:
        wanted += [Removable(path, _size(path), HEADS) for path in _heads(workspace)]
    if not wanted or not agree(wanted):
        return Cleaned((), 0, not wanted)
    freed = ((one, _freed(one.path, report)) for one in wanted)
    removed = tuple(replace(one, bytes=size) for one, size in freed if size is not None)
    with storage_errors(workspace.root):
        for folder in (workspace.cache, workspace.evaluation / "heads"):
            if folder.is_dir() and not folder.is_symlink():
                remove_if_empty(folder)
    return Cleaned(removed, sum(one.bytes for one in removed), True)


def _freed(path: Path, report: Reporter) -> int | None:
    """Remove a file, or the artifacts in a folder; the bytes of them, None where another process uses it."""
    is_folder, before = path.is_dir(), _size(path)
    try:
        with exclusive(path if is_folder else path.parent / MANIFEST), storage_errors(path):
            if not is_folder:
                remove(path)
                return before
            for folder in reversed(_artifacts(path)):
                remove_folder(folder)
            for folder in reversed(_tree(path)):
                remove_if_empty(folder)
    except LockedError as error:
        report(Note(f"{path} stays: it {error.what}"))
        return None
    return before - _size(path)  # a person's own files stay


def _left_behind(workspace: Workspace) -> Iterator[Removable]:
    made = (workspace.runs, workspace.embeddings, workspace.evaluation, workspace.reports, workspace.cache)
    for folder in (workspace.root, *(each for top in made for each in _tree(top))):
        for path in dead_temporaries(folder):
            yield Removable(path, path.lstat().st_size, LEFT)


def _heads(workspace: Workspace) -> list[Path]:
    """The kept answers of each store, also of further seeds."""
    several = [workspace.evaluation, *_entries(workspace.evaluation / "seeds")]
    return [path for folder in several for path in _folders(folder / "heads")]


def _folders(folder: Path) -> list[Path]:
    """The folders in `folder` that hold an artifact of ours."""
    return [path for path in _entries(folder) if path.is_dir() and any(_artifacts(path))]


def _artifacts(folder: Path) -> list[Path]:
    return [each for each in _tree(folder) if (each / MANIFEST).is_file()]


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with storage_errors(folder):
        return sorted(path for path in folder.iterdir() if not path.is_symlink())


def _tree(folder: Path) -> list[Path]:
    """The folder and all below it, through no symbolic link."""
    if not folder.is_dir() or folder.is_symlink():
        return []
    return [Path(found) for found, _, _ in os.walk(folder)]


def _files(folder: Path) -> list[Path]:
    found = (path for each in _tree(folder) for path in _entries(each))
    return sorted(path for path in found if path.is_file())


def _held(kind: str, paths: Sequence[Path]) -> Held:
    return Held(kind, len(paths), sum(map(_size, paths)))


def _size(path: Path) -> int:
    return _sum(_files(path) if path.is_dir() else [path])


def _sum(files: Sequence[Path] | set[Path]) -> int:
    return sum(path.lstat().st_size for path in files if path.exists())

"""Where the files of a data set are: paths, folders and patterns, found in one way by every command."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from compress.datasets.formats import suffixes
from compress.description import typed_path
from compress.errors import NotFoundError, UsageError

_LABELS = (".labels.csv", ".labels.npz")
DEAD_LINK = "is a link to nothing"
_NOT_FOUND_HINT = "check the path, from the current folder or from /"


def find_files(patterns: Sequence[str], root: Path | None = None) -> tuple[Path, ...]:
    """The files that match any of the patterns, sorted, each once.

    A pattern is a file, a folder (all files in it and below of the formats that are read), or has wildcards:
    `*`, `?`, `[abc]`, and `**` for folders at any depth. "~" is the home folder. Folders whose names contain
    brackets are found as they are called.

    Args:
        patterns: at least one.
        root: the folder that relative patterns start from; None: the current one.

    Raises:
        UsageError: no pattern is given.
        NotFoundError: a pattern matches no file, or a folder has none that is read.

    Example:
        find_files(["train/*.tfrecord", "~/more[1]/x.npy"])
    """
    if isinstance(patterns, str) or not patterns:
        raise UsageError("give a list of files or patterns")
    found = {path.resolve(): path for pattern in patterns for path in matches(str(pattern), root)}
    return tuple(sorted(found.values()))


def matches(
    pattern: str, root: Path | None = None, inside: Callable[[Path], list[Path]] | None = None
) -> list[Path]:
    """The files of one pattern, sorted; see `find_files`.

    Args:
        inside: gives the files of a folder that is named; None: those that are read as features.
    """
    inside = inside or _inside
    path = absolute(pattern, root)
    if path.is_file():
        return [path]
    if path.is_dir():
        return inside(path)
    if _is_dead(path):
        raise NotFoundError(DEAD_LINK, where=path, hint=f"it leads to {os.readlink(path)}")
    found = [Path(name) for name in glob.glob(_escaped(path), recursive=True)]
    files = sorted(name for name in found if name.is_file())
    if not files:
        folders = [name for name in found if name.is_dir()]
        if folders:
            return sorted(file for folder in folders for file in inside(folder))
        raise NotFoundError("no file matches", where=pattern, hint=_NOT_FOUND_HINT)
    return files


def dead_links(patterns: Sequence[str], suffixes: Collection[str], root: Path | None = None) -> list[Path]:
    """The links to nothing that `matches` leaves out: in folders, and among what wildcards match.

    Args:
        suffixes: in lower case, of what would be read; a link without one may have led to a folder of it.
    """
    found: set[Path] = set()
    for pattern in patterns:
        path = absolute(str(pattern), root)
        matched = (
            [path] if path.is_dir() else [Path(name) for name in glob.glob(_escaped(path), recursive=True)]
        )
        searched = () if any(one.is_file() for one in matched) else filter(Path.is_dir, matched)
        inside = (one / name for one in searched for name in glob.glob("**/*", root_dir=one, recursive=True))
        found.update(filter(_is_dead, (*matched, *inside)))
    return sorted(link for link in found if not link.suffix or link.name.lower().endswith(tuple(suffixes)))


def _is_dead(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def absolute(pattern: str, root: Path | None = None) -> Path:
    """A pattern with the home folder written out, and `root` before it unless it is absolute."""
    path = typed_path(pattern)
    if root is None:
        return path
    # Nothing is found by way of a folder that is yet to be made.
    return root / path if root.exists() else Path(os.path.normpath(root / path))


def _inside(folder: Path) -> list[Path]:
    """The files of a folder, and of the folders in it, that are read as features."""
    read = suffixes()
    # glob leaves out what begins with a dot, such as .ipynb_checkpoints.
    names = glob.glob("**/*", root_dir=folder, recursive=True)
    found = [
        folder / name for name in names if name.lower().endswith(read) and not name.lower().endswith(_LABELS)
    ]
    files = sorted(path for path in found if path.is_file())
    if not files:
        what = f"the folder has no file of features ({', '.join(read)})"
        has_others = any((folder / name).is_file() for name in names if os.sep not in name)
        hint = f"name its files, as in '{folder}/*'" if has_others else ""
        raise NotFoundError(what, where=folder, hint=hint)
    return files


def _escaped(path: Path) -> str:
    """A pattern for glob in which folders that exist as they are written are taken as they are written."""
    literal = Path(path.anchor) if path.anchor else Path()
    parts = path.parts[1:] if path.anchor else path.parts
    for number, part in enumerate(parts):
        if not (literal / part).exists():
            return os.path.join(glob.escape(str(literal)), *parts[number:])
        literal /= part
    return glob.escape(str(literal))

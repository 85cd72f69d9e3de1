"""What is ours to replace and to remove: never a person's own file, and nothing through a symbolic link.

Ours in the folder of an artifact are the files that its manifest names, files whose name carries the start of
their own sha256 (as a commit gives it, and a killed one leaves it), and temporaries, whose name carries our
mark and the process that wrote them. A file that only looks like one of these stays.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from compress.artifacts import disk
from compress.errors import UsageError

MARK = "compress-tmp"
_BESIDE = re.compile(rf"(?P<of>.+)\.{MARK}\.(?P<pid>[0-9]+)")
_WITHIN = re.compile(rf"{MARK}\.(?P<pid>[0-9]+)\..+")
_STORED = re.compile(r".+-(?P<digits>[0-9a-f]{8})(?:\.[^.]*)?")


def temporary_beside(path: Path) -> Path:
    """Where this process writes a file that is to take the place of `path`."""
    return path.with_name(f"{path.name}.{MARK}.{os.getpid()}")


def temporary_within(folder: Path, name: str) -> Path:
    """The same for a file of an artifact; the suffix stays last, as np.save appends .npy to other names."""
    return folder / f"{MARK}.{os.getpid()}.{name}"


def stored_name(name: str, sha256: str) -> str:
    """The name on disk of file `name` of an artifact: it carries the first 8 digits of its sha256."""
    path = Path(name)
    return f"{path.stem}-{sha256[:8]}{path.suffix}"


def is_stored(path: Path) -> bool:
    """Whether `path` is a plain file whose name carries the start of its own sha256."""
    match = _STORED.fullmatch(path.name)
    if match is None or not is_plain_file(path):
        return False
    with disk.reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(match["digits"])


def is_temporary(path: Path) -> bool:
    """Whether `path` carries our mark, as every temporary within an artifact or beside its manifest."""
    return bool(_WITHIN.fullmatch(path.name) or _BESIDE.fullmatch(path.name))


def remove_dead_temporaries(path: Path) -> None:
    """Remove what processes that were killed left beside `path`; a living one's stay."""
    for entry in os.listdir(path.parent):
        match = _BESIDE.fullmatch(entry)
        if match and match["of"] == path.name and not _is_alive(int(match["pid"])):
            (path.parent / entry).unlink(missing_ok=True)


def dead_temporaries(folder: Path) -> list[Path]:
    """The plain files in `folder` that carry our mark and were written by processes that live no more."""
    found = [
        (folder / entry, _BESIDE.fullmatch(entry) or _WITHIN.fullmatch(entry)) for entry in os.listdir(folder)
    ]
    return sorted(
        path for path, match in found if match and is_plain_file(path) and not _is_alive(int(match["pid"]))
    )


def ours_within(folder: Path, named: Iterable[str]) -> list[Path]:
    """Every file of an artifact's folder that may be removed, sorted; its manifest is not among them.

    Args:
        folder: of the artifact, locked by the caller: no temporary in it is in use.
        named: names on disk that the manifest says.
    """
    known = set(named)
    entries = [folder / name for name in sorted(os.listdir(folder))]
    return [path for path in entries if path.name in known or is_temporary(path) or is_stored(path)]


def is_plain_file(path: Path) -> bool:
    """Whether `path` is a file itself: no link to one, no folder, no device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def refuse_link(path: Path) -> None:
    """UsageError if `path` is a symbolic link: what is behind it may be anybody's."""
    if path.is_symlink():
        raise UsageError(
            "is a symbolic link, and compress writes and removes nothing behind one",
            where=path,
            hint="remove the link, or put the link in the place of a folder above it",
        )


def refuse_special(path: Path) -> None:
    """UsageError if `path` is a folder or a device such as /dev/null: no file may take its place."""
    if not (is_plain_file(path) or path.is_symlink() or not path.exists()):
        raise UsageError("is not a plain file", where=path, hint="choose another name")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True

"""Reading what another process may replace meanwhile: all of one state, or again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TypeVar

from compress.errors import Interrupted, LockedError

Found = TypeVar("Found")
FileState = tuple[int, int, int] | None
_TIMES = 100


def one_state(look: Callable[[], Hashable], read: Callable[[], Found], *, whole: bool = True) -> Found:
    """What `read` returns; it reads again when `look` says that something was replaced meanwhile.

    Args:
        look: a cheap view of what is there, such as the bytes of a manifest; another commit is another view.
        read: reads it, and may fail when files disappear under it.
        whole: also read again what succeeded, because `read` opens several artifacts one after the other.
            False where a success is of one state by itself: files that one manifest names.

    Raises:
        LockedError: it was replaced a hundred times in a row.
        What `read` raises while nothing is replaced, and what `look` raises: there is nothing any more.
    """
    before, failed = look(), None
    for _ in range(_TIMES):
        try:
            found = read()
        except Interrupted:
            raise
        except Exception as error:  # of any kind: half of what it read may be of another commit
            now, failed = look(), error
            if now == before:
                raise
        else:
            now = look() if whole else before
            if now == before:
                return found
        before = now
    what = "is replaced again and again by another process"
    raise LockedError(what, hint="wait for it, or stop it") from failed


def file_state(path: Path) -> FileState:
    """What tells a file from a later one of the same name: inode, bytes, mtime; None where there is none."""
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def files_state(paths: Iterable[Path]) -> tuple[tuple[Path, FileState], ...]:
    """`file_state` of several files, for `one_state`."""
    return tuple((path, file_state(path)) for path in sorted(paths))

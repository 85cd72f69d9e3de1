"""The steps of a commit: each write, fsync, rename and unlink of an artifact is made here, at a fault point.

Fault points are numbered, so that a test can break every step in turn (as SQLite's anomaly tests do). They do
nothing unless COMPRESS_FAULT=<kill|enospc|eio>@<k> is set: the k-th step of the process (from 1) then kills
the process, or fails like a full or broken disk. `enospc@3+` fails at step 3 and at all later ones.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compress.errors import ConfigError, NotFoundError, StorageError

FAULT_VARIABLE = "COMPRESS_FAULT"
_PLAN = re.compile(r"(kill|enospc|eio)@([1-9][0-9]*)(\+?)")
_ERRNO = {"enospc": errno.ENOSPC, "eio": errno.EIO}

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_HINTS = {
    errno.ENOSPC: "free some space and run the same command again",
    errno.EDQUOT: "your disk quota is used up; free some space and run the same command again",
    errno.EFBIG: "the file size limit is reached (see `ulimit -f`, or the limits of this file system)",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "check the permissions of the folder, or choose another one",
    errno.EPERM: "check the permissions of the folder, or choose another one",
    errno.ELOOP: "it is a symbolic link; remove it, compress writes nothing behind one",
    errno.EIO: "the disk reported an I/O error; check it before you trust what it holds",
}

_steps = 0
_logs: list[list[str]] = []


def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of `data` at byte `offset`; a short write continues, a refused one raises OSError."""
    view = memoryview(data).cast("B")
    # In a fault test the write is made in two halves, so that a kill between them leaves a torn one.
    torn = len(view) // 2 if armed() else 0
    _write_all(descriptor, view[:torn], offset)
    fault_point("write")
    _write_all(descriptor, view[torn:], offset + torn)


def fsync(descriptor: int) -> None:
    """Bring a file's data and size to the disk."""
    fault_point("fsync")
    os.fsync(descriptor)


def fdatasync(descriptor: int) -> None:
    """Bring a file's data to the disk; enough where its size was reserved before."""
    fault_point("fdatasync")
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:  # macOS
        os.fsync(descriptor)


def reserve(descriptor: int, size: int) -> None:
    """Make a file `size` bytes long, zeros where nothing was written, and take the space for it now."""
    fault_point("reserve")
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:  # macOS: a full disk then shows at a later write instead.
        os.ftruncate(descriptor, size)


def fsync_path(path: Path) -> None:
    """Bring a closed file to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk: without it, a power cut may undo a rename."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fault_point("fsync-folder")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Put `source` in the place of `target` in one step."""
    fault_point("rename")
    os.replace(source, target)


def remove(path: Path) -> None:
    """Remove a file that may be gone already."""
    fault_point("unlink")
    path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder, unless something is in it."""
    fault_point("rmdir")
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise


def make_folder(folder: Path) -> list[Path]:
    """Create a folder and its parents, and bring their names to the disk; an existing one is fine.

    Returns:
        The folders that were not there, the innermost first.
    """
    with storage_errors(folder):
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            fsync_folder(each.parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        return missing


def open_new(path: Path) -> int:
    """A descriptor that writes `path` from its first byte on, never through a symbolic link."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)


def append(path: Path, data: bytes) -> None:
    """Add to the end of a file, never through a symbolic link; no fsync."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    with storage_errors(path):
        descriptor = os.open(path, flags, 0o666)
        with os.fdopen(descriptor, "ab") as file:
            file.write(data)


def free_bytes(path: Path) -> int:
    """Bytes that this user may still write beside `path`."""
    facts = os.statvfs(path.parent)
    return facts.f_bavail * facts.f_frsize


@contextmanager
def storage_errors(path: Path, needed: int | None = None) -> Iterator[None]:
    """Turn an OSError of the body into a StorageError that names `path` (exit code 74)."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path, needed) from error


@contextmanager
def reading(path: Path, missing: str = "no such file") -> Iterator[None]:
    """Turn an OSError of the body into NotFoundError (`missing`) or StorageError, both naming `path`."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(missing, where=path) from error
    except OSError as error:
        refused = storage_error(error, path)
        raise StorageError(f"cannot read: {refused.what}", where=refused.where, hint=refused.hint) from error


def storage_error(error: OSError, path: Path, needed: int | None = None) -> StorageError:
    """A refusal of the disk in one line.

    Args:
        error: what the system said; an error about some other file is named by that file.
        path: the artifact that was being written.
        needed: bytes that the write needs, when known; part of the error when the disk is full.
    """
    reason = error.strerror or str(error)
    if error.errno in _FULL and needed is not None:
        reason += f" (needs {needed:,} bytes, {_free_words(path)})"
    where = path if error.filename is None or _is_own(error.filename, path) else error.filename
    return StorageError(reason, where=str(where), hint=_HINTS.get(error.errno or 0, ""))


def _write_all(descriptor: int, view: memoryview, offset: int) -> None:
    done = 0
    while done < len(view):
        done += os.pwrite(descriptor, view[done:], offset + done)


def _free_words(path: Path) -> str:
    try:
        return f"{free_bytes(path):,} free"
    except OSError as error:  # The folder itself may be gone; the first error is what matters.
        return f"free space unknown: {error.strerror}"


def _is_own(name: object, path: Path) -> bool:
    return not isinstance(name, str | bytes) or path.name in Path(os.fsdecode(name)).name


def armed() -> bool:
    """Whether a fault is asked for."""
    return FAULT_VARIABLE in os.environ


def fault_point(name: str) -> None:
    """Count one commit step; die or fail here when COMPRESS_FAULT names this step.

    Args:
        name: what happens next ("write", "fsync", "rename", ...), for the log of a test.

    Raises:
        OSError: ENOSPC or EIO, as planned.
        ConfigError: COMPRESS_FAULT is not `<kill|enospc|eio>@<k>`.
    """
    global _steps
    _steps += 1
    for log in _logs:
        log.append(name)
    plan = os.environ.get(FAULT_VARIABLE)
    if plan is not None:
        _fail_if_planned(plan, name)


def reset_steps() -> None:
    """Count from 1 again (a test that breaks several runs in one process)."""
    global _steps
    _steps = 0


@contextmanager
def recorded_steps() -> Iterator[list[str]]:
    """The names of the commit steps made inside the `with`, in order."""
    log: list[str] = []
    _logs.append(log)
    try:
        yield log
    finally:
        # By identity: two nested logs may hold equal names.
        _logs[:] = [other for other in _logs if other is not log]


def _fail_if_planned(plan: str, name: str) -> None:
    match = _PLAN.fullmatch(plan)
    if match is None:
        what = f"{FAULT_VARIABLE}={plan!r} is not <kill|enospc|eio>@<k>"
        raise ConfigError(what, hint=f"unset {FAULT_VARIABLE}")
    kind, step, forever = match[1], int(match[2]), bool(match[3])
    if _steps != step and not (forever and _steps > step):
        return
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(_ERRNO[kind], f"{os.strerror(_ERRNO[kind])} (injected at step {_steps}, {name})")

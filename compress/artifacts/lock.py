"""One writer at a time: flock on `<path>.lock`, which the kernel releases when its holder dies in any way.

HDF5's own lock is not used: HDF5_USE_FILE_LOCKING=FALSE turns it off. The lock file is removed on release.
That is free of races: whoever gets the lock checks that the locked file still has its name, else tries again.
The file that a killed holder left is removed by the next writer or reader. A file of this name that is not a
lock of ours, or a symbolic link, is left alone and refused.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from compress.artifacts import disk
from compress.errors import LockedError, UsageError
from compress.progress import Note, Reporter, check_interrupt, silent

_TRIES = 4  # a reader that removes a dead lock holds it for microseconds
_BETWEEN_TRIES, _BETWEEN_LOOKS = 0.01, 0.2  # seconds
_SIGNATURE_BYTES = 4096
_START = b'{"pid": '

Made = TypeVar("Made")


def lock_path(path: Path) -> Path:
    """The lock file of `path`; it exists while somebody holds it, or after its holder was killed."""
    return path.with_name(f"{path.name}.lock")


@contextmanager
def exclusive(path: Path, *, waits_for: str = "", report: Reporter = silent) -> Iterator[None]:
    """Inside the `with`, nobody else can write `path` (a file or a folder).

    Not re-entrant, not even within one process. Missing parent folders are created, and removed again where
    nothing was written.

    Args:
        path: what is written.
        waits_for: wait for a process that holds it, and say that it makes this; look afterwards whether it is
            made. "" does not wait.
        report: gets a note before a wait.

    Raises:
        LockedError: another process holds it; names its pid, host and since when. Only without `waits_for`.
        Interrupted: on request, while it waits.
        StorageError: the lock file cannot be made (read-only folder, full disk, a symbolic link).
        UsageError: there is a file of its name that is not a lock.
    """
    lock, made = lock_path(path), disk.make_folder(path.parent)
    with disk.storage_errors(lock):
        descriptor = _acquire(lock, path, waits_for, report)
    try:
        yield
    finally:
        _release(lock, descriptor)
        with suppress(OSError):
            for folder in made:
                folder.rmdir()  # refused, and so is the next one, where something is in it


def made_once(
    path: Path, called: str, read: Callable[[], Made | None], make: Callable[[], Made], report: Reporter
) -> Made:
    """What a cache keeps at `path`, or what is made for it now; two processes do not make the same.

    Args:
        path: of the cache.
        called: what is there, for the note of a process that waits for another: "the copy of the data".
        read: gives what is kept; None where it must be made.
        make: makes it and writes it to `path`.
        report: see `exclusive`.

    Raises:
        Interrupted: on request, while it waits.
        StorageError: see `exclusive`; nothing is locked where something is kept.
    """
    found = read()
    if found is not None:
        remove_dead_lock(path)
        return found
    with exclusive(path, waits_for=called, report=report):
        found = read()  # what another process has made meanwhile
        return make() if found is None else found


def remove_dead_lock(path: Path) -> None:
    """Remove the lock file of `path` that a killed process left; nothing while somebody holds it."""
    lock = lock_path(path)
    # A folder that cannot be written is only read: the file is in nobody's way.
    with suppress(OSError):
        if not stat.S_ISREG(lock.lstat().st_mode):
            return
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _still_named(descriptor, lock) and _is_lock(descriptor):
                lock.unlink()
        finally:
            os.close(descriptor)


def _acquire(lock: Path, path: Path, waits_for: str, report: Reporter) -> int:
    tries = 0
    while True:
        try:
            return _locked(lock)
        except BlockingIOError:
            tries += 1
        if tries < _TRIES:
            time.sleep(_BETWEEN_TRIES)
            continue
        if not waits_for:
            what = f"is being written by {_holder(lock)}"
            raise LockedError(what, where=path, hint="wait for it, or stop it")
        if tries == _TRIES:
            report(Note(f"waiting for {_holder(lock)}, which is making {waits_for}"))
        check_interrupt()
        time.sleep(_BETWEEN_LOOKS)


def _locked(lock: Path) -> int:
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except FileNotFoundError:  # its folder was empty, and went with another process's lock
            disk.make_folder(lock.parent)
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _still_named(descriptor, lock):
                if not _is_lock(descriptor):
                    hint = "move it to another name"
                    raise UsageError("is in the place of a lock, and none of ours", where=lock, hint=hint)
                try:
                    _sign(descriptor)
                except OSError:  # a full disk
                    lock.unlink(missing_ok=True)
                    raise
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _release(lock: Path, descriptor: int) -> None:
    lock.unlink(missing_ok=True)
    os.close(descriptor)


def _still_named(descriptor: int, lock: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _is_lock(descriptor: int) -> bool:
    """Whether the file is signed, or empty as its holder died before it signed, and has no second name."""
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        return False
    content = os.pread(descriptor, _SIGNATURE_BYTES, 0)
    # A power cut may leave half of the signature, or zeros.
    return content.startswith(_START) or not content.strip(b"\0")


def _sign(descriptor: int) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    signature = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, signature, 0)


def _holder(lock: Path) -> str:
    try:
        signature = json.loads(lock.read_bytes())
        return f"process {signature['pid']} on {signature['host']} since {signature['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # it has locked, but not signed yet, or has just released it

"""One writer at a time: flock on `<path>.lock`, which the kernel releases when its holder dies in any way.

HDF5's own lock is not used: HDF5_USE_FILE_LOCKING=FALSE turns it off. The lock file is removed on release.
That is free of races: whoever gets the lock checks that the locked file still has its name, else tries again.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from compress.artifacts import disk
from compress.errors import LockedError


def lock_path(path: Path) -> Path:
    """The lock file of `path`; it exists while somebody holds it, or after its holder was killed."""
    return path.with_name(f"{path.name}.lock")


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Inside the `with`, nobody else can write `path` (a file or a folder).

    Not re-entrant, not even within one process. Missing parent folders are created.

    Raises:
        LockedError: another process holds it; names its pid, host and since when.
        StorageError: the lock file cannot be made (read-only folder, full disk).
    """
    disk.make_folder(path.parent)
    lock = lock_path(path)
    with disk.storage_errors(lock):
        descriptor = _acquire(lock, path)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(lock: Path, path: Path) -> int:
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _still_named(descriptor, lock):
                _sign(descriptor)
                return descriptor
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise LockedError(
                f"is being written by {holder}", where=path, hint="wait for it, or stop it"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _still_named(descriptor: int, lock: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock))
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    signature = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, signature.encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        signature = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {signature['pid']} on {signature['host']} since {signature['since']}"
    except (ValueError, KeyError, TypeError):  # The holder has locked, but not written its name yet.
        return "another process"

"""One file, replaced in one step or not at all: write beside, fsync, rename, fsync the folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compress.artifacts import disk
from compress.artifacts.ownership import refuse_special, remove_dead_temporaries, temporary_beside
from compress.errors import CompressError, CorruptArtifactError, DataError

_PROBE_BYTES = 65_536


@contextmanager
def replacing(path: Path, needed: int | None = None) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; when the body succeeds it takes the place of `path`.

    The bytes are on the disk before the name changes. Any exception removes the temporary file and leaves the
    old `path` as it was. Missing parent folders are created. `np.save` needs an open file here: it appends
    `.npy` to a name.

    Args:
        path: the file to create or replace.
        needed: its size in bytes, when known; part of the error when the disk is full.

    Raises:
        StorageError: the disk refused, also where the writing library raised an error of its own.
        UsageError: `path` is a folder or a device.
    """
    refuse_special(path)
    disk.make_folder(path.parent)
    temporary = temporary_beside(path)
    with disk.storage_errors(path):
        remove_dead_temporaries(path)
        temporary.unlink(missing_ok=True)  # another's of the same number, perhaps a link to somewhere
    with removed_on_error(temporary, path, needed):
        yield temporary
        disk.fault_point("write")
        disk.fsync_path(temporary)
        disk.rename(temporary, path)
    with disk.storage_errors(path):
        disk.fsync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step; raises StorageError (naming the bytes needed on a full disk)."""
    with replacing(path, len(data)) as temporary:
        write_new(temporary, data)


def write_json(path: Path, value: object) -> None:
    """Replace `path` by `value` as JSON; DataError when it is not JSON, such as NaN or Infinity."""
    write_bytes(path, render_json(value, path))


def read_json(path: Path) -> Any:
    """What `write_json` wrote; NotFoundError, CorruptArtifactError (not JSON) or StorageError."""
    return parse_json(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """All of a file; NotFoundError when there is none, StorageError when it cannot be read."""
    with disk.reading(path):
        return path.read_bytes()


def render_json(value: object, path: Path) -> bytes:
    """`value` as the bytes of a JSON file; `path` is named when it is not JSON."""
    try:
        text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        return text.encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise DataError(f"cannot be written as JSON: {error}", where=path) from error


def parse_json(data: bytes, path: Path) -> Any:
    """The value of a JSON file's bytes; CorruptArtifactError naming `path` when they are not JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CorruptArtifactError(f"not valid JSON ({error})", where=path) from error


def sha256_file(path: Path) -> str:
    """sha256 of a file's bytes, 64 hex digits; NotFoundError, StorageError when it cannot be read."""
    with disk.reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_new(path: Path, data: bytes) -> None:
    """Write `data` to `path`, truncating what is there; no fsync, no rename, no symbolic link followed."""
    descriptor = disk.open_new(path)
    try:
        disk.write_at(descriptor, data, 0)
    finally:
        os.close(descriptor)


@contextmanager
def removed_on_error(temporary: Path, path: Path, needed: int | None = None) -> Iterator[None]:
    """Remove `temporary` when the body raises; what a full disk made it raise becomes StorageError."""
    try:
        yield
    except BaseException as error:
        cause = _refusal_behind(error, temporary)
        temporary.unlink(missing_ok=True)
        if cause is None:
            raise
        raise disk.storage_error(cause, path, needed) from error


def _refusal_behind(error: BaseException, temporary: Path) -> OSError | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error
    if isinstance(error, CompressError) or not isinstance(error, Exception) or not temporary.exists():
        return None
    # faiss, torch, safetensors and numpy report a full disk as errors of their own. To find out whether the
    # disk was the cause, try to append to the file that they left.
    try:
        with temporary.open("ab", buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
    except OSError as refusal:
        return refusal
    return error if isinstance(error, OSError) else None

"""From patterns to files: which shards a source has, and whether they can be what they claim."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from compress.artifacts import disk
from compress.artifacts.atomic import sha256_file
from compress.errors import DataError, NotFoundError, UsageError

ARRAY_SUFFIXES = (".npy", ".h5", ".hdf5", ".parquet")
_GZIP_MAGIC = b"\x1f\x8b"


def find_shards(patterns: Sequence[str]) -> tuple[Path, ...]:
    """The files that match, sorted, each once.

    Args:
        patterns: file names or glob patterns ("**" matches folders); "~" is the home folder.

    Raises:
        UsageError: no pattern is given.
        NotFoundError: a pattern matches no file.
        DataError: a file is empty or compressed.
        StorageError: a file cannot be read.
    """
    if isinstance(patterns, str) or not patterns:
        raise UsageError("give a list of files or patterns")
    shards = {path.resolve(): path for pattern in patterns for path in _matches(str(pattern))}
    for path in shards.values():
        _check_start(path)
    return tuple(sorted(shards.values()))


def is_array(path: Path) -> bool:
    """Whether the file name says npy, HDF5 or Parquet; anything else is read as TFRecord."""
    return path.suffix.lower() in ARRAY_SUFFIXES


def fingerprint(files: Iterable[Path]) -> str:
    """sha256 over the name, size and content of every file, in order; folders and times do not count."""
    digest = hashlib.sha256()
    for path in files:
        with disk.storage_errors(path):
            size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()


def _matches(pattern: str) -> list[Path]:
    literal = Path(pattern).expanduser()
    if literal.is_file():  # before globbing: a name may contain brackets
        return [literal]
    if literal.is_dir():
        raise NotFoundError("is a folder", where=literal, hint=f"name its files: '{literal}/*.tfrecord'")
    found = [path for path in map(Path, glob.glob(str(literal), recursive=True)) if path.is_file()]
    if not found:
        hint = "check the path; quote the pattern so that the shell does not expand it"
        raise NotFoundError("no file matches", where=pattern, hint=hint)
    return found


def _check_start(path: Path) -> None:
    with disk.storage_errors(path), path.open("rb") as shard:
        start = shard.read(2)
    if not start:
        raise DataError("the file is empty", where=path, hint="fetch it again or leave it out of the pattern")
    if start == _GZIP_MAGIC:
        raise DataError("the file is gzip-compressed", where=path, hint="decompress it first: gzip -d")

"""The log of a training, log.jsonl: one line per epoch, each with a seal that covers the line before it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import read_bytes, write_bytes
from compress.artifacts.disk import fsync, storage_errors
from compress.artifacts.sealed import append_sealed, read_sealed_lines

_HINT = "train it again with --fresh, or remove the file: then nothing is said about its epochs"


def append_log(path: Path, line: Mapping[str, Any]) -> None:
    """Add one epoch. It is on disk after `keep_log`: until then it is not needed."""
    append_sealed(path, line)


def keep_log(path: Path) -> None:
    """Wait until the log is on disk, before a checkpoint or a model that counts on it."""
    if path.exists():
        with storage_errors(path), path.open("rb") as file:
            fsync(file.fileno())


def truncate_log(path: Path, epochs: int) -> None:
    """Keep the lines of the first `epochs` epochs: a killed training logged more since its checkpoint."""
    if path.exists():
        # A kill may leave half a line at the end.
        kept = [line for line in read_bytes(path).splitlines(keepends=True) if line.endswith(b"\n")]
        write_bytes(path, b"".join(kept[:epochs]))


def read_log(path: Path) -> list[dict[str, Any]]:
    """The epochs of a finished training; none where the log is gone. CorruptArtifactError: it is damaged."""
    return read_sealed_lines(path, _HINT) if path.exists() else []

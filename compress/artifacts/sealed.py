"""JSON that carries its own sha256: evaluated rows, the settings of a run, a log of one object per line.

The field "seal" holds `sha256:` and the hash of everything else in the object. What has no seal was written
by version 0.1 and is read as it is. The seal is known by its name and by how it begins, so that no single
damaged byte turns a sealed object into an older one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import parse_json, read_bytes, render_json, write_json
from compress.artifacts.disk import append
from compress.errors import CorruptArtifactError

SEAL = "seal"
_BEGINS = "sha256:"
_CHANGED = "does not match its own sha256: it was changed after it was written"


def write_sealed(path: Path, value: Mapping[str, Any]) -> None:
    """Replace `path` by a JSON object with its seal; raises as `write_json`."""
    render_json(value, path)  # DataError where it is not JSON
    write_json(path, {**value, SEAL: _seal(value)})


def read_sealed(path: Path, hint: str) -> dict[str, Any]:
    """The object that `write_sealed` wrote, without its seal; or one of version 0.1, which has none.

    Args:
        path: of the file.
        hint: how to make it anew, for the message about a damaged one.

    Raises:
        NotFoundError: no such file.
        CorruptArtifactError: it was changed since it was written, or is no JSON object.
        StorageError: it cannot be read.
    """
    return _opened(read_bytes(path), path, hint)


def append_sealed(path: Path, value: Mapping[str, Any]) -> None:
    """Add one line to a log. Its seal covers the line before it too, so that none can go missing in between.

    It is on the disk when the file is synced: until then it is not needed.
    """
    before = read_bytes(path).splitlines()[-1:] if path.exists() else []
    append(path, _line(value, *before))


def sealed_lines(values: Iterable[Mapping[str, Any]]) -> bytes:
    """A whole log: what `append_sealed` makes of these objects, one after the other."""
    lines: list[bytes] = []
    for value in values:
        lines.append(_line(value, *(line.rstrip(b"\n") for line in lines[-1:])))
    return b"".join(lines)


def read_sealed_lines(path: Path, hint: str) -> list[dict[str, Any]]:
    """The objects of a log, without their seals; raises as `read_sealed`, with the number of the line."""
    data, before, found = read_bytes(path), b"", []
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        try:
            if not line.endswith(b"\n"):
                raise CorruptArtifactError("does not end where it was written to")
            found.append(_opened(line[:-1], path, hint, before))
        except CorruptArtifactError as error:
            raise CorruptArtifactError(f"line {number}: {error.what}", where=path, hint=hint) from error
        before = line[:-1]
    return found


def _line(value: Mapping[str, Any], before: bytes = b"") -> bytes:
    return json.dumps({**value, SEAL: _seal(value, before)}, sort_keys=True).encode() + b"\n"


def _seal(value: Mapping[str, Any], before: bytes = b"") -> str:
    # Of the values, not of the bytes of the file: spaces and line ends mean nothing.
    body = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _BEGINS + hashlib.sha256(before + body.encode("utf-8", "surrogatepass")).hexdigest()


def _opened(data: bytes, path: Path, hint: str, before: bytes = b"") -> dict[str, Any]:
    try:
        value = parse_json(data, path)
    except CorruptArtifactError as error:
        raise CorruptArtifactError(error.what, where=path, hint=hint) from error
    if not isinstance(value, dict):
        raise CorruptArtifactError("is not a JSON object", where=path, hint=hint)
    if SEAL in value or _BEGINS.encode() in data:
        seal = value.pop(SEAL, None)
        if seal != _seal(value, before):
            raise CorruptArtifactError(_CHANGED, where=path, hint=hint)
    return value

"""TOML files of others."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from compress.artifacts import disk
from compress.doors.guard import guarded
from compress.errors import ConfigError

_LARGEST_BYTES = 16 << 20


def read_toml(path: Path, missing: str = "no such file") -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        ConfigError: it is not TOML.
        NotFoundError: there is none; `missing` says so.
        StorageError: it cannot be read.
    """
    with disk.reading(path, missing), path.open("rb") as file:
        text = file.read(_LARGEST_BYTES + 1)
    if len(text) > _LARGEST_BYTES:
        raise ConfigError(f"has more than {_LARGEST_BYTES:,} bytes", where=path)
    with guarded(path, "a TOML file", error=ConfigError):
        return tomllib.loads(text.decode())

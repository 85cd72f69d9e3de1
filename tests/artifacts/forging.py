"""Manifests that no version of compress wrote, with the right checksum."""

from __future__ import annotations

import json
from pathlib import Path

from compress.artifacts.folder import read_folder
from compress.artifacts.manifest import MANIFEST, Manifest, render_manifest


def set_version(folder: Path, version: object) -> None:
    """Give a committed folder another schema version."""
    found = read_folder(folder, json.loads((folder / MANIFEST).read_bytes())["kind"])
    forged = Manifest(folder, found.kind, found.metadata, found.files, version, found.versions)  # type: ignore[arg-type]
    (folder / MANIFEST).write_bytes(render_manifest(forged))

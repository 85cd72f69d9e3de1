"""manifest.json of a committed folder: kind, metadata, versions, and its files with their sha256.

It carries the sha256 of the rest of itself and is compared byte for byte with what we would write, so a
flipped bit in it is found just like one in the files that it names.
"""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata as distributions
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import parse_json, render_json
from compress.errors import CorruptArtifactError, NewerVersionError, NotFoundError

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_DISTRIBUTIONS = {
    "compress": "compress-video-embeddings",
    "torch": "torch",
    "numpy": "numpy",
    "h5py": "h5py",
}
_FAISS = ("faiss-gpu", "faiss-gpu-cu12", "faiss-gpu-cu11", "faiss-cpu", "faiss")
_HINT = "make it again with the command that wrote it, or restore it from a copy"
_FRESH = "train it again: `compress train --fresh`, or remove the folder of its run first"
_HINTS = {
    "model": _FRESH,
    "checkpoint": _FRESH,
    "index": "run `compress index` again",
    "scores": "run `compress evaluate` again",
}


@dataclass(frozen=True)
class StoredFile:
    """One file of a commit: its name in the folder, its size and its sha256 (64 hex digits)."""

    stored: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A committed folder: its kind ("model", ...), JSON metadata, and files by the name given to the commit.

    `versions` are those of the software that wrote it.
    """

    folder: Path
    kind: str
    metadata: dict[str, Any]
    files: dict[str, StoredFile]
    schema_version: int
    versions: dict[str, str]

    def path(self, name: str) -> Path:
        """The path of file `name`; NotFoundError when the commit has none of that name."""
        if name not in self.files:
            listed = ", ".join(sorted(self.files)) or "none"
            raise NotFoundError(f"has no file {name!r}", where=self.folder, hint=f"its files: {listed}")
        return self.folder / self.files[name].stored


def render_manifest(manifest: Manifest) -> bytes:
    """The bytes of `manifest.json`; they carry the sha256 of the rest of themselves."""
    body = {
        "kind": manifest.kind,
        "schema_version": manifest.schema_version,
        "versions": manifest.versions,
        "metadata": manifest.metadata,
        "files": {name: asdict(file) for name, file in manifest.files.items()},
    }
    path = manifest.folder / MANIFEST
    digest = hashlib.sha256(render_json(body, path)).hexdigest()
    return render_json({**body, "sha256": digest}, path)


def is_plain_name(name: str) -> bool:
    """Whether `name` is a file name and nothing else: no folder, no `..`, not hidden."""
    return (
        bool(name) and not name.startswith(".") and not any(c in name for c in "/\\\0") and name.isprintable()
    )


def parse_manifest(data: bytes, folder: Path) -> Manifest:
    """The manifest that `render_manifest` wrote.

    Raises:
        NewerVersionError: written by a newer version of compress.
        CorruptArtifactError: not a manifest, or changed since it was written.
    """
    path = folder / MANIFEST
    try:
        value = parse_json(data, path)
    except CorruptArtifactError as error:
        raise CorruptArtifactError(error.what, where=path, hint=_HINT) from error
    if not isinstance(value, dict):
        raise CorruptArtifactError("is not the manifest of a compress folder", where=path, hint=_HINT)
    check_version(value.get("schema_version"), SCHEMA_VERSION, path)
    manifest = _from_json(value, folder)
    if manifest is None or render_manifest(manifest) != data:
        raise CorruptArtifactError("does not match its own sha256", where=path, hint=_HINT)
    return manifest


def check_version(found: object, newest: int, path: Path) -> None:
    """Refuse what is no version of a file, and versions that are newer than this code reads.

    Args:
        found: what the file says; a whole number from 1 on is a version, true and 0 are none.
        newest: the last one that is read.
        path: of the file, for the error.

    Raises:
        NewerVersionError, CorruptArtifactError.
    """
    if type(found) is not int or found < 1:
        raise CorruptArtifactError(f"has no schema version, but {found!r}", where=path, hint=_HINT)
    if found > newest:
        what = f"has schema version {found}, this compress reads up to {newest}"
        raise NewerVersionError(what, where=path, hint="upgrade compress")


def damaged(error: CorruptArtifactError, kind: str) -> CorruptArtifactError:
    """The same error, with the command that makes a folder of this kind again as its hint."""
    return CorruptArtifactError(error.what, where=error.where, hint=_HINTS.get(kind, _HINT))


def versions() -> dict[str, str]:
    """Installed versions of python, compress, torch, numpy, h5py, faiss; what is missing is left out.

    Read from the packages' metadata, so that writing an artifact imports none of them.
    """
    return dict(_installed())


@cache
def _installed() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name, distribution in (*_DISTRIBUTIONS.items(), *(("faiss", each) for each in _FAISS)):
        if name not in found:
            with suppress(distributions.PackageNotFoundError):
                found[name] = distributions.version(distribution)
    return found


def _from_json(value: dict[str, Any], folder: Path) -> Manifest | None:
    try:
        files = {name: StoredFile(**file) for name, file in value["files"].items()}
        if not all(map(_is_sound, files.values())):
            return None
        return Manifest(
            folder, value["kind"], value["metadata"], files, value["schema_version"], value["versions"]
        )
    except (KeyError, TypeError, AttributeError):
        return None


def _is_sound(file: StoredFile) -> bool:
    # The sha256 is no signature: a hostile manifest can carry a correct one and still name `../` files.
    return isinstance(file.stored, str) and is_plain_name(file.stored) and type(file.bytes) is int

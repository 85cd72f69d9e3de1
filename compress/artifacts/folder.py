"""Several files as one artifact: it exists when its `manifest.json`, written last, names them all.

A file is stored under `<stem>-<first 8 of its sha256><suffix>`, so a new commit never overwrites a file of
the commit that readers use now; replacing the manifest switches them all at once, and the old files go after.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from compress.artifacts import disk
from compress.artifacts.atomic import (
    read_bytes,
    removed_on_error,
    render_json,
    sha256_file,
    write_bytes,
    write_new,
)
from compress.artifacts.hashed import Verify, matches
from compress.artifacts.lock import exclusive
from compress.artifacts.manifest import (
    MANIFEST,
    SCHEMA_VERSION,
    Manifest,
    StoredFile,
    damaged,
    is_plain_name,
    parse_manifest,
    render_manifest,
    versions,
)
from compress.errors import CorruptArtifactError, NotFoundError, UsageError

_LEFTOVER = re.compile(r".+-[0-9a-f]{8}(\.[^.]*)?|tmp\.[0-9]+\..+|manifest\.json\.tmp\.[0-9]+")

Content = bytes | Callable[[Path], None]


def commit_folder(
    folder: Path, kind: str, files: Mapping[str, Content], metadata: dict[str, Any]
) -> Manifest:
    """Write `files` into `folder` and make them its content in one step; an older commit is replaced.

    Args:
        folder: created when missing; files in it that no commit made are left alone.
        kind: what the folder is ("model", "index", ...); readers ask for it.
        files: by plain file name: bytes, or a function that writes the path it is given (of the same suffix).
        metadata: JSON, kept in the manifest.

    Raises:
        LockedError: another process is committing to the same folder.
        StorageError: the disk refused; the older commit is intact.
    """
    for name in files:
        if not is_plain_name(name) or name == MANIFEST:
            raise UsageError(f"{name!r} cannot be the name of a file in an artifact", where=folder)
    render_json(metadata, folder / MANIFEST)  # Refuse what is not JSON before the long writes.
    disk.make_folder(folder)
    with exclusive(folder / MANIFEST):
        stored = {name: _store(folder, name, content) for name, content in sorted(files.items())}
        manifest = Manifest(folder, kind, metadata, stored, SCHEMA_VERSION, versions())
        with disk.storage_errors(folder):
            disk.fsync_folder(folder)
        write_bytes(folder / MANIFEST, render_manifest(manifest))
        with disk.storage_errors(folder):
            disk.fsync_folder(folder.parent)
            _remove_leftovers(folder, {file.stored for file in stored.values()})
    return manifest


def read_folder(folder: Path, kind: str, verify: Verify = True) -> Manifest:
    """The manifest of a committed folder, after its files were checked.

    Args:
        folder: what `commit_folder` wrote.
        kind: what the caller expects it to be.
        verify: check every file's sha256; False checks presence and size only, a memory trusts what it knows.

    Raises:
        NotFoundError: no folder, or nothing was ever committed to it.
        CorruptArtifactError: a file is missing, resized or changed, or the folder is of another kind.
        DataError: written by a newer version of this project.
    """
    try:
        return _read(folder, kind, verify)
    except CorruptArtifactError as error:
        raise damaged(error, kind) from error


def _read(folder: Path, kind: str, verify: Verify) -> Manifest:
    data = _read_manifest(folder)
    while True:
        manifest = parse_manifest(data, folder)
        if manifest.kind != kind:
            raise CorruptArtifactError(f"is a folder of kind {manifest.kind!r}, not {kind!r}", where=folder)
        try:
            for file in manifest.files.values():
                _check(folder / file.stored, file, verify)
            return manifest
        except (CorruptArtifactError, NotFoundError):
            # A writer may have committed meanwhile and removed the files of the manifest that we hold.
            data, old = _read_manifest(folder), data
            if data == old:
                raise


def _store(folder: Path, name: str, content: Content) -> StoredFile:
    # The suffix stays at the end: np.save appends .npy to any other name.
    temporary = folder / f"tmp.{os.getpid()}.{name}"
    needed = len(content) if isinstance(content, bytes) else None
    with removed_on_error(temporary, folder / name, needed):
        if isinstance(content, bytes):
            write_new(temporary, content)
        else:
            content(temporary)
            disk.fault_point("write")
        disk.fsync_path(temporary)
        file = _describe(temporary, name)
        disk.rename(temporary, folder / file.stored)
    return file


def _describe(temporary: Path, name: str) -> StoredFile:
    digest, path = sha256_file(temporary), Path(name)
    return StoredFile(f"{path.stem}-{digest[:8]}{path.suffix}", temporary.stat().st_size, digest)


def _remove_leftovers(folder: Path, keep: set[str]) -> None:
    # Only names that a commit makes: a person's notes in the folder are not ours to remove.
    for entry in sorted(os.listdir(folder)):
        if entry not in keep and _LEFTOVER.fullmatch(entry):
            disk.remove(folder / entry)


def _read_manifest(folder: Path) -> bytes:
    if not folder.is_dir():
        raise NotFoundError("no such folder", where=folder)
    if not (folder / MANIFEST).exists():
        raise NotFoundError(
            f"has no {MANIFEST}, so nothing was committed to it",
            where=folder,
            hint="run the command that makes it",
        )
    return read_bytes(folder / MANIFEST)


def _check(path: Path, file: StoredFile, verify: Verify) -> None:
    try:
        facts = path.lstat()
    except FileNotFoundError as error:
        raise CorruptArtifactError("is named by the manifest, but missing", where=path) from error
    if not stat.S_ISREG(facts.st_mode):
        raise CorruptArtifactError("is not a plain file", where=path)
    if facts.st_size != file.bytes:
        sizes = f"has {facts.st_size:,} bytes, its manifest says {file.bytes:,}"
        raise CorruptArtifactError(sizes, where=path)
    if not matches(verify, facts, file.sha256, lambda: sha256_file(path)):
        raise CorruptArtifactError("does not match the sha256 in its manifest", where=path)

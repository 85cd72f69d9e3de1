"""Several files as one artifact: it exists when its `manifest.json`, written last, names them all.

A file is stored under `<stem>-<first 8 digits of its sha256><suffix>`, so a new commit never overwrites a
file that readers use now. Replacing the manifest switches to all new files at once; then the old ones go.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
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
from compress.artifacts.lock import exclusive, lock_path
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
from compress.errors import CorruptArtifactError, DataError, NotFoundError, UsageError

_LEFTOVER = re.compile(r".+-[0-9a-f]{8}(\.[^.]*)?|tmp\.[0-9]+\..+|manifest\.json\.tmp\.[0-9]+")
_OTHER = "choose another folder"

Content = bytes | Callable[[Path], None]


def commit_folder(
    folder: Path, kind: str, files: Mapping[str, Content], metadata: dict[str, Any]
) -> Manifest:
    """Write `files` into `folder` and make them its content in one step; an older commit is replaced.

    Args:
        folder: created when missing; notes that somebody put beside an older commit stay.
        kind: what the folder is ("model", "index", ...); readers ask for it.
        files: by plain file name: bytes, or a function that writes the path it is given (of the same suffix).
        metadata: JSON, kept in the manifest.

    Raises:
        UsageError: the folder holds an artifact of another kind, or files and no artifact.
        LockedError: another process is committing to the same folder.
        StorageError: the disk refused; the older commit is intact.
    """
    for name in files:
        if not is_plain_name(name) or name == MANIFEST:
            raise UsageError(f"{name!r} cannot be the name of a file in an artifact", where=folder)
    render_json(metadata, folder / MANIFEST)  # Refuse what is not JSON before the long writes.
    disk.make_folder(folder)
    with exclusive(folder / MANIFEST):
        _refuse_foreign(folder, kind)
        stored = {name: _store(folder, name, content) for name, content in sorted(files.items())}
        manifest = Manifest(folder, kind, metadata, stored, SCHEMA_VERSION, versions())
        with disk.storage_errors(folder):
            disk.fsync_folder(folder)
        write_bytes(folder / MANIFEST, render_manifest(manifest))
        with disk.storage_errors(folder):
            disk.fsync_folder(folder.parent)
            _remove_leftovers(folder, {file.stored for file in stored.values()})
    return manifest


def _refuse_foreign(folder: Path, kind: str) -> None:
    """UsageError unless the folder is empty or holds an older (perhaps damaged or unfinished) commit."""
    if (folder / MANIFEST).exists():
        with suppress(DataError):  # A damaged artifact may be replaced.
            found = parse_manifest(read_bytes(folder / MANIFEST), folder).kind
            if found != kind:
                raise UsageError(f"holds a {found}, not a folder of kind {kind!r}", where=folder, hint=_OTHER)
        return
    # Hidden files (.DS_Store, .nfs...) appear by themselves.
    ours = re.compile(rf"{_LEFTOVER.pattern}|{re.escape(lock_path(folder / MANIFEST).name)}|\..*")
    foreign = sorted(name for name in os.listdir(folder) if not ours.fullmatch(name))
    if foreign:
        raise UsageError(f"holds other files, such as {foreign[0]}", where=folder, hint=_OTHER)


def read_folder(folder: Path, kind: str, verify: Verify = True) -> Manifest:
    """The manifest of a committed folder, after its files were checked.

    Args:
        folder: what `commit_folder` wrote.
        kind: the expected kind.
        verify: True checks every file's sha256; False its presence and size; `HashedFiles` skips files that
            it has seen.

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
            # Another process may have committed meanwhile and removed the files of the manifest we hold.
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
        digest, path = sha256_file(temporary), Path(name)
        file = StoredFile(f"{path.stem}-{digest[:8]}{path.suffix}", temporary.stat().st_size, digest)
        disk.rename(temporary, folder / file.stored)
    return file


def _remove_leftovers(folder: Path, keep: set[str]) -> None:
    # Only names that a commit makes: somebody's notes in the folder are not ours to remove.
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

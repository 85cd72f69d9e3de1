"""Several files as one artifact: it exists when its `manifest.json`, written last, names them all.

A file is stored under `<stem>-<first 8 digits of its sha256><suffix>`, so a new commit never overwrites a
file that readers use now. Replacing the manifest switches to all new files at once; then the old ones go
(`ownership` says which files those may be).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

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
from compress.artifacts.lock import exclusive, lock_path, remove_dead_lock
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
from compress.artifacts.one_state import one_state
from compress.artifacts.ownership import (
    is_stored,
    is_temporary,
    ours_within,
    refuse_link,
    stored_name,
    temporary_within,
)
from compress.errors import CorruptArtifactError, DataError, NotFoundError, UsageError

# Temporaries of version 0.1 had no mark of ours: they count as an unfinished commit, but are not removed.
_EARLIER = re.compile(r"tmp\.[0-9]+\..+|manifest\.json\.tmp\.[0-9]+")
_OTHER = "choose another folder"

Content = bytes | Callable[[Path], None]
Loaded = TypeVar("Loaded")


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
        UsageError: the folder holds an artifact of another kind, or files and no artifact, or is a link.
        LockedError: another process is committing to the same folder.
        StorageError: the disk refused; the older commit is intact.
    """
    _check_contents(folder, files, metadata)  # before the folder is made
    with changing_folder(folder, kind) as change:
        return change.commit(files, metadata)


@contextmanager
def changing_folder(folder: Path, kind: str) -> Iterator[Change]:
    """Inside the `with`, nobody else commits to `folder`: look at what is there, then commit what follows.

    Raises:
        As `commit_folder`.
    """
    refuse_link(folder)
    disk.make_folder(folder)
    with exclusive(folder / MANIFEST):
        yield Change(folder, kind, _standing(folder, kind))


@dataclass(frozen=True)
class Change:
    """A folder that is locked for a commit, and the commit `before`; None where there is none, or a damaged
    one."""

    folder: Path
    kind: str
    before: Manifest | None

    def commit(
        self, files: Mapping[str, Content], metadata: dict[str, Any], keep: Iterable[str] = ()
    ) -> Manifest:
        """As `commit_folder`; files of the commit before that are named in `keep` stay as they are, unread.

        Raises:
            NotFoundError: the commit before has no file of that name.
            CorruptArtifactError: such a file is missing or resized.
        """
        _check_contents(self.folder, files, metadata)
        kept = {name: self._kept(name) for name in keep}
        written = {name: _store(self.folder, name, content) for name, content in sorted(files.items())}
        stored = {**kept, **written}
        manifest = Manifest(self.folder, self.kind, metadata, stored, SCHEMA_VERSION, versions())
        with disk.storage_errors(self.folder):
            disk.fsync_folder(self.folder)
        write_bytes(self.folder / MANIFEST, render_manifest(manifest))
        with disk.storage_errors(self.folder):
            disk.fsync_folder(self.folder.parent)
        self._remove_all_but(stored)
        return manifest

    def clean(self) -> None:
        """Remove what killed commits left: files of ours that the commit before does not name."""
        if self.before is not None:
            self._remove_all_but(self.before.files)

    def _remove_all_but(self, stored: Mapping[str, StoredFile]) -> None:
        kept = {file.stored for file in stored.values()}
        with disk.storage_errors(self.folder):
            for path in ours_within(self.folder, {*_named(self.before), *kept}):
                if path.name not in kept:
                    disk.remove(path)

    def _kept(self, name: str) -> StoredFile:
        if self.before is None or name not in self.before.files:
            raise NotFoundError(f"has no file {name!r} to keep", where=self.folder)
        file = self.before.files[name]
        _check(self.folder / file.stored, file, verify=False)
        return file


def _check_contents(folder: Path, files: Mapping[str, Content], metadata: dict[str, Any]) -> None:
    for name in files:
        if not is_plain_name(name) or name == MANIFEST:
            raise UsageError(f"{name!r} cannot be the name of a file in an artifact", where=folder)
    render_json(metadata, folder / MANIFEST)  # Refuse what is not JSON before the long writes.


def remove_folder(folder: Path) -> None:
    """Remove a committed or unfinished artifact: what is ours in it, and the folder if nothing else is left.

    Raises:
        UsageError: it is a symbolic link.
        LockedError: another process is committing to it.
        StorageError: the disk refused.
    """
    refuse_link(folder)
    if not folder.is_dir():
        return
    with exclusive(folder / MANIFEST), disk.storage_errors(folder):
        before = _manifest_or_none(folder)
        disk.remove(folder / MANIFEST)  # first: without it, what is left is known by its names
        for path in ours_within(folder, _named(before)):
            disk.remove(path)
    with disk.storage_errors(folder):
        disk.remove_if_empty(folder)


def _standing(folder: Path, kind: str) -> Manifest | None:
    """The commit that is there, None if it is damaged, unfinished or missing; UsageError for all else."""
    if (folder / MANIFEST).exists():
        found = _manifest_or_none(folder)  # a damaged artifact may be replaced
        if found is not None and found.kind != kind:
            what = f"holds a {found.kind}, not a folder of kind {kind!r}"
            raise UsageError(what, where=folder, hint=_OTHER)
        return found
    # Hidden files (.DS_Store, .nfs...) appear by themselves.
    lock = lock_path(folder / MANIFEST).name
    for name in sorted(os.listdir(folder)):
        path = folder / name
        ours = name == lock or name.startswith(".") or _EARLIER.fullmatch(name)
        if not (ours or is_temporary(path) or is_stored(path)):
            raise UsageError(f"holds other files, such as {name}", where=folder, hint=_OTHER)
    return None


def _manifest_or_none(folder: Path) -> Manifest | None:
    with suppress(DataError, NotFoundError):
        return parse_manifest(read_bytes(folder / MANIFEST), folder)
    return None


def _named(manifest: Manifest | None) -> list[str]:
    """The files that a manifest names as a commit does; a forged one may say anything."""
    files = {} if manifest is None else manifest.files
    return [file.stored for name, file in files.items() if file.stored == stored_name(name, file.sha256)]


def read_folder(folder: Path, kind: str, verify: Verify = True) -> Manifest:
    """The manifest of a committed folder, after its files were checked.

    Who opens files of the folder afterwards uses `load_folder`: another process may remove them meanwhile.

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
    return load_folder(folder, kind, lambda manifest: manifest, verify)


def load_folder(folder: Path, kind: str, load: Callable[[Manifest], Loaded], verify: Verify = True) -> Loaded:
    """What `load` makes of the files of a committed folder, all of one commit.

    When another process commits meanwhile, the files of the older commit disappear; then the newer one is
    read from the start.

    Args:
        folder, kind, verify: as of `read_folder`.
        load: gets the manifest, and opens the files that it needs.

    Raises:
        As `read_folder`, and what `load` raises while nobody commits.
        NotFoundError: the folder was deleted meanwhile.
        LockedError: another process commits again and again.
    """

    def read() -> Loaded:
        return load(_checked(folder, kind, verify))

    return one_state(lambda: _read_manifest(folder), read, whole=False)


def _checked(folder: Path, kind: str, verify: Verify) -> Manifest:
    try:
        manifest = parse_manifest(_read_manifest(folder), folder)
        if manifest.kind != kind:
            raise CorruptArtifactError(f"is a folder of kind {manifest.kind!r}, not {kind!r}", where=folder)
        for file in manifest.files.values():
            _check(folder / file.stored, file, verify)
    except CorruptArtifactError as error:
        raise damaged(error, kind) from error
    remove_dead_lock(folder / MANIFEST)
    return manifest


def _store(folder: Path, name: str, content: Content) -> StoredFile:
    # The suffix stays at the end: np.save appends .npy to any other name.
    temporary = temporary_within(folder, name)
    for left in os.listdir(folder):  # another's of the same number, perhaps a link, or what it wrote beside
        if left.startswith(temporary.name):
            (folder / left).unlink()
    needed = len(content) if isinstance(content, bytes) else None
    with removed_on_error(temporary, folder / name, needed):
        if isinstance(content, bytes):
            write_new(temporary, content)
        else:
            content(temporary)
            disk.fault_point("write")
        disk.fsync_path(temporary)
        digest = sha256_file(temporary)
        file = StoredFile(stored_name(name, digest), temporary.stat().st_size, digest)
        disk.rename(temporary, folder / file.stored)
    return file


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

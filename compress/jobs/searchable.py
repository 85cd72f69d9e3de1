"""A store and its index, opened as belonging together, and hashed once in 24 hours."""

from __future__ import annotations

from functools import partial

from compress.artifacts.hashed import HashedFiles
from compress.artifacts.manifest import MANIFEST
from compress.artifacts.one_state import files_state, one_state
from compress.errors import NotFoundError, StorageError
from compress.index import Index, open_index
from compress.jobs.names import StoreFile
from compress.progress import Note, Reporter
from compress.store.reader import Store, open_store
from compress.workspace import Workspace


def open_searchable(
    workspace: Workspace, found: StoreFile, verify: bool, report: Reporter
) -> tuple[Store, Index]:
    """A store and its index, of one moment, also while another process writes both.

    Args:
        workspace: remembers what was hashed.
        found: the store.
        verify: hash both in full now.
        report: gets notes.

    Raises:
        NotFoundError: no index; the hint names the command that builds it.
        CorruptArtifactError, DataError: damaged, or not belonging together.
    """
    if not found.index.is_dir():
        raise NotFoundError(
            "no index of this store",
            where=found.index,
            hint=f"`compress index --name {found.typed}` builds it",
        )
    hashed = HashedFiles(workspace.cache / "hashed.json", trust=not verify)
    try:
        return one_state(
            lambda: files_state([found.path, found.index / MANIFEST]), partial(_opened, found, hashed)
        )
    finally:  # Also when one of them is damaged.
        remember(hashed, report)


def _opened(found: StoreFile, hashed: HashedFiles) -> tuple[Store, Index]:
    store = open_store(found.path, verify=hashed)
    return store, open_index(found.index, verify=hashed, store=store)


def remember(hashed: HashedFiles, report: Reporter) -> None:
    """Keep which files were hashed; a note where the disk refuses."""
    try:
        hashed.save()
    except StorageError as error:  # A read-only workspace can be searched all the same.
        report(Note(f"{error}; the next search hashes store and index again"))

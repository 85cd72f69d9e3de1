"""Names of the classes: the vocabulary of a workspace, or the names that a store or a run was made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compress.artifacts.folder import read_folder
from compress.datasets.vocabulary import Vocabulary, load_vocabulary
from compress.errors import CompressError, NotFoundError
from compress.progress import Note, Reporter
from compress.store.reader import Store
from compress.workspace import FILE_NAME, Workspace

NO_NAMES = Vocabulary({})


def workspace_vocabulary(workspace: Workspace) -> Vocabulary | None:
    """The vocabulary that compress.toml names; None where it names none.

    Raises:
        NotFoundError: it is gone; the hint says how to name another.
        DataError: it is wrong.
    """
    if workspace.vocabulary is None:
        return None
    try:
        return load_vocabulary(workspace.vocabulary)
    except NotFoundError as error:
        error.hint = f'write where it is now in {workspace.root / FILE_NAME}: vocabulary = "FILE"'
        raise


def vocabulary_of(
    workspace: Workspace, run: str | None = None, given: Path | None = None, report: Reporter | None = None
) -> Vocabulary:
    """The names of the classes.

    Args:
        workspace: its vocabulary counts before the names of a run.
        run: whose classes they are; None for those of any run of the workspace.
        given: a vocabulary file that counts before all others.
        report: is told once that the workspace's vocabulary is gone, and what a run knows then counts. None:
            that is an error, for names that are written down.

    Returns:
        Without names where there are none anywhere: `shown` then gives numbers.

    Raises:
        NotFoundError: `given` is gone, or the vocabulary of the workspace, and there is no `report`.
        DataError: a vocabulary file is wrong.
    """
    if given is not None:
        return load_vocabulary(given)
    try:
        known = workspace_vocabulary(workspace)
    except NotFoundError as error:
        if report is None:
            raise
        known = None
        report(Note(str(error), once=True))
    if known is not None:
        return known
    folders = sorted(workspace.runs.glob("*")) if run is None else [workspace.run(run)]
    return next((found for found in map(_of_run, folders) if len(found)), NO_NAMES)


def vocabulary_of_store(
    workspace: Workspace, store: Store, given: Path | None = None, report: Reporter | None = None
) -> Vocabulary:
    """The names of the classes of a store; as `vocabulary_of`, and those that the store itself holds."""
    if given is None and (names := store.metadata.get("class_names")):
        return Vocabulary.from_list(names)
    return vocabulary_of(workspace, str(store.metadata.get("run", "")) or None, given, report)


def _of_run(folder: Path) -> Vocabulary:
    """What a run was trained on; read quickly, and without names where it is unfinished or damaged."""
    try:
        schema: dict[str, Any] = read_folder(folder / "model", "model", verify=False).metadata["schema"]
        return Vocabulary.from_list(schema.get("class_names", ()))
    except (CompressError, KeyError, TypeError, AttributeError):
        return NO_NAMES

"""Names of the classes: the vocabulary of a workspace, or the names that a store or a run was made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compress.artifacts.folder import read_folder
from compress.datasets.vocabulary import Vocabulary, load_vocabulary
from compress.errors import CompressError
from compress.store.reader import Store
from compress.workspace import Workspace

NO_NAMES = Vocabulary({})


def vocabulary_of(workspace: Workspace, run: str | None = None, given: Path | None = None) -> Vocabulary:
    """The names of the classes.

    Args:
        workspace: its vocabulary counts before the names of a run.
        run: whose classes they are; None for those of any run of the workspace.
        given: a vocabulary file that counts before all others.

    Returns:
        Without names where there are none anywhere: `shown` then gives numbers.

    Raises:
        NotFoundError, DataError: a vocabulary file is gone or wrong.
    """
    path = given or workspace.vocabulary
    if path is not None:
        return load_vocabulary(path)
    folders = sorted(workspace.runs.glob("*")) if run is None else [workspace.run(run)]
    return next((found for found in map(_of_run, folders) if len(found)), NO_NAMES)


def vocabulary_of_store(workspace: Workspace, store: Store, given: Path | None = None) -> Vocabulary:
    """The names of the classes of a store; as `vocabulary_of`, and those that the store itself holds."""
    if given is None and (names := store.metadata.get("class_names")):
        return Vocabulary.from_list(names)
    return vocabulary_of(workspace, str(store.metadata.get("run", "")) or None, given)


def _of_run(folder: Path) -> Vocabulary:
    """What a run was trained on; read quickly, and without names where it is unfinished or damaged."""
    try:
        schema: dict[str, Any] = read_folder(folder / "model", "model", verify=False).metadata["schema"]
        return Vocabulary.from_list(schema.get("class_names", ()))
    except (CompressError, KeyError, TypeError, AttributeError):
        return NO_NAMES

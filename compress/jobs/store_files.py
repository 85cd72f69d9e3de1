"""Which file a store is: one of the workspace by its name or size, or one anywhere by its path."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from compress.errors import NotFoundError, UsageError
from compress.jobs.names import find_store
from compress.workspace import Workspace

SUFFIX = ".h5"


@dataclass(frozen=True)
class StoreFile:
    """A store.

    Args:
        name: what `--name` calls it: a name, or a path that ends in .h5.
        path: the file.
    """

    name: str
    path: Path

    @property
    def index(self) -> Path:
        """The folder of its index, beside it."""
        return self.path.with_suffix(".index")

    @property
    def typed(self) -> str:
        """Its name as a shell takes it."""
        return shlex.quote(self.name)


def find_store_file(workspace: Workspace, dim: int | None, name: str | None) -> StoreFile:
    """The store that is meant, in the workspace or, when `name` ends in .h5, where it says.

    Raises:
        NotFoundError: there is none; the hint says which command writes it.
        UsageError: several fit, or nothing says which.
    """
    if name is None or not name.endswith(SUFFIX):
        found = find_store(workspace, dim, name)
        return StoreFile(found, workspace.store(found))
    path = Path(name).expanduser()
    if path.is_file():
        return store_file(workspace, path)
    inside = workspace.store(path.stem)
    made = f"`compress encode --output {shlex.quote(name)}` writes it"
    hint = f"did you mean --name {shlex.quote(path.stem)}?" if inside.is_file() else made
    raise NotFoundError("no such store", where=path, hint=hint)


def store_file(workspace: Workspace, path: Path) -> StoreFile:
    """A store as `--name` calls it: in the workspace by its name, elsewhere by its path."""
    return StoreFile(path.stem if _inside(workspace, path) else str(path), path)


def name_in_workspace(workspace: Workspace, dim: int | None, name: str | None) -> str:
    """The name of a store of the workspace, for what is kept beside other stores by its name.

    Raises:
        UsageError: a store elsewhere; and as `find_store_file`.
    """
    found = find_store_file(workspace, dim, name)
    if not _inside(workspace, found.path):
        raise UsageError(
            "only stores of the workspace are evaluated, this one is elsewhere",
            where=found.path,
            hint=f"copy it into {workspace.embeddings}, or encode without --output",
        )
    return found.path.stem


def _inside(workspace: Workspace, path: Path) -> bool:
    return path.resolve() == workspace.store(path.stem).resolve()

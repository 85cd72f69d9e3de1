"""Which run or store is meant: by its name, or by its number of dimensions.

A run is called `<encoder>-<dim>` unless a name is given; a store like its run, with `-<codec>` behind it
when it is not float32. The untouched features are called `original`, a random projection `random-<dim>`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from compress.errors import NotFoundError, UsageError
from compress.workspace import Workspace

STEMS = {"identity": "original", "random_projection": "random"}
# The encoders of Table 4 are meant by their size alone, whatever else has that size.
FIRST = ("residual_cnn", "lstm")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_DIM = re.compile(r"-(\d+)(?:-(?:float16|int8))?$")


def run_name(encoder: str, dim: int | None, name: str | None) -> str:
    """The name of a new run; `name` when it is given.

    Raises:
        UsageError: a name that cannot be a file's name.
    """
    if name is not None:
        return checked(name)
    if encoder == "identity" or dim is None:
        return STEMS.get(encoder, encoder)
    return f"{STEMS.get(encoder, encoder)}-{dim}"


def store_name(run: str, codec: str) -> str:
    """The name of the store that a run's embeddings get."""
    return run if codec == "float32" else f"{run}-{codec}"


def find_run(workspace: Workspace, dim: int | None, name: str | None) -> str:
    """The trained run that is meant.

    Raises:
        NotFoundError: there is none; the hint says which command trains it.
        UsageError: several fit, or nothing says which.
    """
    present = sorted(path.name for path in workspace.runs.glob("*") if path.is_dir())
    return _choose(present, workspace.runs, "trained encoder", dim, name, "train")


def find_store(workspace: Workspace, dim: int | None, name: str | None) -> str:
    """The store of embeddings that is meant.

    Raises:
        NotFoundError: there is none; the hint says which command writes it.
        UsageError: several fit, or nothing says which.
    """
    present = sorted(path.stem for path in workspace.embeddings.glob("*.h5"))
    return _choose(present, workspace.embeddings, "store of embeddings", dim, name, "encode")


def checked(name: str) -> str:
    """`name` itself; UsageError when it is not letters, digits, `-`, `_` and `.`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"cannot be a name: {name!r}", where="--name", hint="use letters, digits, -, _ and ."
        )
    return name


def _choose(
    present: Sequence[str], folder: Path, what: str, dim: int | None, name: str | None, command: str
) -> str:
    if name is not None:
        if checked(name) in present:
            return name
        close = difflib.get_close_matches(name, present, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else _maker(command, None, name)
        raise NotFoundError(f"no {what} named {name!r}", where=folder, hint=hint)
    fitting = [item for item in present if dim is None or _dim(item) == dim]
    if not fitting:
        size = "" if dim is None else f" with {dim} dimensions"
        raise NotFoundError(f"no {what}{size}", where=folder, hint=_maker(command, dim, None))
    if len(fitting) == 1:
        return fitting[0]
    for stem in FIRST:
        if dim is not None and f"{stem}-{dim}" in fitting:
            return f"{stem}-{dim}"
    raise UsageError(f"several fit: {', '.join(fitting)}", where=folder, hint="choose one with --name")


def _dim(name: str) -> int | None:
    found = _DIM.search(name)
    return int(found[1]) if found else None


def _maker(command: str, dim: int | None, name: str | None) -> str:
    if name == "original" and command == "train":
        return "`compress train --encoder identity` makes it"
    words = f"--name {name}" if name else f"--dim {dim or 320}"
    return f"`compress {command} {words}` makes it"

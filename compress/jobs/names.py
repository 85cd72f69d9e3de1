"""Which run or store is meant: by its name, or by its number of dimensions.

A run is called `<encoder>-<dim>` unless a name is given; a store like its run, with `-<codec>` behind it
when it is not float32, and before that `-d<dim>` when it holds the first so many numbers of the run's
embeddings. The untouched features are called `original`, a random projection `random-<dim>`.
The number of dimensions is that of the run or store itself, whatever it is called; of several that have it,
an encoder of Table 4 is meant, and of its stores the one in float32.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from compress.codecs import pattern
from compress.errors import NotFoundError, UsageError
from compress.jobs.identity import Identity, is_smaller_copy, run_identity, store_identity
from compress.workspace import Workspace

STEMS = {"identity": "original", "random_projection": "random"}
# The encoders of Table 4 are meant by their size alone, whatever else has that size.
FIRST = ("residual_cnn", "lstm")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ENCODER_DIM_CODEC = re.compile(rf"(.+?)(?:-(\d+))?(?:-d(\d+))?(?:-({pattern()}))?")


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


def store_name(run: str, codec: str, prefix: int | None = None) -> str:
    """The name of the store that a run's embeddings get, or the first `prefix` numbers of them."""
    cut = run if prefix is None else f"{run}-d{prefix}"
    return cut if codec == "float32" else f"{cut}-{codec}"


def find_run(workspace: Workspace, dim: int | None, name: str | None) -> str:
    """The trained run that is meant.

    Raises:
        NotFoundError: there is none; the hint says which command trains it.
        UsageError: several fit, or nothing says which.
    """
    present = _runs(workspace, name)
    known = _known(present, dim, lambda run: run_identity(workspace.run(run)))
    return _choose(present, known, workspace.runs, "trained encoder", dim, name, "train")


def find_run_and_prefix(workspace: Workspace, dim: int | None, name: str | None) -> tuple[str, int | None]:
    """The trained run that is meant, and how many numbers of its embeddings: None for all.

    With a name, `dim` says how many; without one it picks the run of that size, or else the one that was
    trained for prefixes of that size.

    Raises:
        NotFoundError: there is none; the hint says which command trains it.
        UsageError: several fit, or nothing says which.
    """
    present = _runs(workspace, name)
    known = _known(present, dim, lambda run: run_identity(workspace.run(run)))
    if dim is None or (name is None and any(run.dim == dim for run in known.values())):
        return find_run(workspace, dim, name), None
    if name is not None:
        found = find_run(workspace, None, name)
        return found, None if known[found].dim == dim else dim
    nested = {run: its for run, its in known.items() if dim in its.nested_dims}
    if len(nested) > 1:
        several = f"several have prefixes of {dim} numbers: {', '.join(nested)}"
        raise UsageError(several, where=workspace.runs, hint="choose one with --name")
    return (next(iter(nested)), dim) if nested else (find_run(workspace, dim, None), None)


def find_store(workspace: Workspace, dim: int | None, name: str | None) -> str:
    """The store of embeddings that is meant.

    Raises:
        NotFoundError: there is none; the hint says which command writes it.
        UsageError: several fit, or nothing says which.
    """
    present = sorted(path.stem for path in workspace.embeddings.glob("*.h5"))
    known = _known(present, dim, lambda store: store_identity(workspace.store(store)))
    return _choose(present, known, workspace.embeddings, "store of embeddings", dim, name, "encode")


def checked(name: str, option: str = "--name") -> str:
    """`name` itself; UsageError, about `option`, when it is not letters, digits, `-`, `_` and `.`."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"cannot be a name: {name!r}", where=option, hint="use letters, digits, -, _ and .")
    return name


def _runs(workspace: Workspace, name: str | None) -> list[str]:
    """Runs that may be meant: a smaller copy has the size of the run that it came from, so by name alone."""
    present = sorted(path.name for path in workspace.runs.glob("*") if path.is_dir())
    return [run for run in present if name is not None or not is_smaller_copy(workspace.run(run))]


def _known(
    present: Sequence[str], dim: int | None, identify: Callable[[str], Identity | None]
) -> dict[str, Identity]:
    """What each of `present` is; nothing is read where no size is asked for."""
    return {} if dim is None else {name: identify(name) or _by_name(name) for name in present}


def _by_name(name: str) -> Identity:
    found = _ENCODER_DIM_CODEC.fullmatch(name)
    size = found and (found[3] or found[2])
    return Identity(found[1], int(size), found[4] or "float32") if found and size else Identity(name, None)


def _choose(
    present: Sequence[str],
    known: Mapping[str, Identity],
    folder: Path,
    what: str,
    dim: int | None,
    name: str | None,
    command: str,
) -> str:
    if name is not None:
        if checked(name) in present:
            return name
        close = difflib.get_close_matches(name, present, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else _maker(command, None, name)
        raise NotFoundError(f"no {what} named {name!r}", where=folder, hint=hint)
    fitting = [item for item in present if dim is None or known[item].dim == dim]
    if not fitting:
        size = "" if dim is None else f" with {dim} dimensions"
        raise NotFoundError(f"no {what}{size}", where=folder, hint=_maker(command, dim, None))
    first = _of_table4(fitting, known)
    # The one that got its name by itself was made by the size alone, so that is what the size alone means.
    unnamed = [item for item in first if item == run_name(known[item].encoder, dim, None)]
    for choice in (fitting, unnamed, first):
        if len(choice) == 1:
            return choice[0]
    raise UsageError(f"several fit: {', '.join(fitting)}", where=folder, hint="choose one with --name")


def _of_table4(fitting: Sequence[str], known: Mapping[str, Identity]) -> list[str]:
    for encoder in FIRST:
        own = [name for name in fitting if name in known and known[name].encoder == encoder]
        if own:
            return [name for name in own if known[name].codec == "float32"]
    return []


def _maker(command: str, dim: int | None, name: str | None) -> str:
    if name == "original" and command == "train":
        return "`compress train --encoder identity` makes it"
    words = f"--name {name}" if name else f"--dim {dim or 320}"
    return f"`compress {command} {words}` makes it"

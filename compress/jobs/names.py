"""Selects a run or a store by its name, or by its embedding size.

A run is called `<encoder>-<dim>` unless it is given a name. A store is called like its run, then `-d<dim>` if
it holds only the first dimensions of the run's embeddings, then `-<codec>` unless that is float32. The
original features are called `original`, a random projection `random-<dim>`.

The size is read from the run or store, not from its name. If several have it, an encoder of Table 4 wins, and
of its stores the one in float32. A store may also be named by its path, which ends in .h5.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.artifacts.folder import read_folder
from compress.codecs import pattern
from compress.errors import CompressError, NotFoundError, UsageError
from compress.run_config import read_run_config
from compress.workspace import Workspace

STEMS = {"identity": "original", "random_projection": "random"}
SUFFIX = ".h5"
# An encoder of Table 4 is selected by its size alone, whatever else has that size.
FIRST = ("residual_cnn", "lstm")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ENCODER_DIM_CODEC = re.compile(rf"(.+?)(?:-(\d+))?(?:-d(\d+))?(?:-({pattern()}))?")


@dataclass(frozen=True)
class Identity:
    """What a run or store can be selected by.

    Args:
        encoder: by its name for `compress train`, e.g. "residual_cnn" or "pca".
        dim: embedding size; None if only the finished model records it.
        codec: of a store; "float32" for a run.
        nested_dims: of a run: sizes of prefixes that were trained too.
    """

    encoder: str
    dim: int | None
    codec: str = "float32"
    nested_dims: tuple[int, ...] = ()


@dataclass(frozen=True)
class StoreFile:
    """A store: what `--name` calls it (a name, or a path that ends in .h5), and its file."""

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


def checked(name: str, option: str = "--name") -> str:
    """`name` itself; UsageError, about `option`, when it is not letters, digits, `-`, `_` and `.`."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"not a valid name: {name!r}", where=option, hint="use letters, digits, -, _ and .")
    return name


def run_name(encoder: str, dim: int | None, name: str | None) -> str:
    """The name of a new run; `name` when it is given.

    Raises:
        UsageError: a name that cannot be a file's name.
    """
    if name is not None:
        return checked(name)
    stem = STEMS.get(encoder, encoder)
    return stem if encoder == "identity" or dim is None else f"{stem}-{dim}"


def store_name(run: str, codec: str, prefix: int | None = None) -> str:
    """The name of the store of a run's embeddings, or of their first `prefix` dimensions."""
    cut = run if prefix is None else f"{run}-d{prefix}"
    return cut if codec == "float32" else f"{cut}-{codec}"


def find_run(workspace: Workspace, dim: int | None, name: str | None) -> str:
    """The trained run of this name or size.

    Raises:
        NotFoundError: there is none; the hint names the command that trains it.
        UsageError: several fit.
    """
    return _choose_run(workspace, _runs(workspace, dim, name), dim, name)


def find_run_and_prefix(workspace: Workspace, dim: int | None, name: str | None) -> tuple[str, int | None]:
    """The trained run, and how many dimensions of its embeddings are wanted: None for all.

    With a name, `dim` says how many. Without one it selects the run of that size, otherwise the run that was
    trained for prefixes of that size.

    Raises:
        NotFoundError: there is none; the hint names the command that trains it.
        UsageError: several fit.
    """
    known = _runs(workspace, dim, name)
    if dim is None or (name is None and any(run.dim == dim for run in known.values())):
        return _choose_run(workspace, known, dim, name), None
    if name is not None:
        found = _choose_run(workspace, known, None, name)
        return found, None if known[found].dim == dim else dim
    nested = [run for run, its in known.items() if dim in its.nested_dims]
    if len(nested) > 1:
        several = f"several runs have prefixes of size {dim}: {', '.join(nested)}"
        raise UsageError(several, where=workspace.runs, hint="choose one with --name")
    return (nested[0], dim) if nested else (_choose_run(workspace, known, dim, None), None)


def find_store(workspace: Workspace, dim: int | None, name: str | None) -> StoreFile:
    """The store of this name or size in the workspace, or at this path if the name ends in .h5.

    Raises:
        NotFoundError: there is none; the hint names the command that writes it.
        UsageError: several fit.
    """
    if name is None or not name.endswith(SUFFIX):
        present = sorted(path.stem for path in workspace.embeddings.glob(f"*{SUFFIX}"))
        known = {
            store: _unknown if dim is None else store_identity(workspace.store(store)) or _by_name(store)
            for store in present
        }
        found = _choose(known, workspace.embeddings, "store of embeddings", dim, name, "encode")
        return StoreFile(found, workspace.store(found))
    path = Path(name).expanduser()
    if path.is_file():
        return store_file(workspace, path)
    made = f"`compress encode --output {shlex.quote(name)}` writes it"
    inside = workspace.store(path.stem).is_file()
    hint = f"did you mean --name {shlex.quote(path.stem)}?" if inside else made
    raise NotFoundError("no such store", where=path, hint=hint)


def find_store_inside(workspace: Workspace, dim: int | None, name: str | None) -> str:
    """The name of a store of the workspace; as `find_store`, but UsageError for a store elsewhere."""
    found = find_store(workspace, dim, name)
    if not _inside(workspace, found.path):
        raise UsageError(
            "only stores of the workspace can be evaluated; this one is elsewhere",
            where=found.path,
            hint=f"copy it into {workspace.embeddings}, or encode without --output",
        )
    return found.path.stem


def store_file(workspace: Workspace, path: Path) -> StoreFile:
    """A store as `--name` calls it: in the workspace by its name, elsewhere by its path."""
    return StoreFile(path.stem if _inside(workspace, path) else str(path), path)


def run_identity(folder: Path) -> Identity | None:
    """What a run is, read from its model, or from its config.json while there is no model.

    Read quickly, without torch and without verifying checksums; None where it is damaged or not yet written.
    """
    try:
        if (folder / "model" / "manifest.json").exists():
            facts = read_folder(folder / "model", "model", verify=False).metadata
            encoder, model = facts["train_config"]["encoder"], facts["model_config"]
            return _checked(encoder, model["encoder_options"]["dim"], nested=model.get("nested_dims"))
        config = read_run_config(folder)["config"]
        dim = config["encoder_options"].get("dim")
        return _checked(config["encoder"], dim, nested=config.get("nested_dims"))
    except (CompressError, KeyError, TypeError, AttributeError):
        return None


def is_smaller_copy(folder: Path) -> bool:
    """Whether `compress shrink` made runs/<name>: by its config.json, or else by its model."""
    try:
        return "refines" in read_run_config(folder)
    except CompressError:
        pass
    try:
        return "shrunk" in read_folder(folder / "model", "model", verify=False).metadata
    except CompressError:
        return False


def store_identity(path: Path) -> Identity | None:
    """Of embeddings/<name>.h5: from the attributes of the file."""
    # Imported late: h5py takes a while, and most commands name their store.
    from compress.artifacts.disk import storage_errors
    from compress.store.audit import audit

    try:
        with storage_errors(path), path.open("rb") as file:
            found = audit(file, path)
        return _checked(found.metadata["encoder"], found.dim, found.codec)
    except (CompressError, KeyError):
        return None


def _checked(encoder: Any, dim: Any, codec: str = "float32", nested: Any = None) -> Identity | None:
    sound = isinstance(encoder, str) and (dim is None or isinstance(dim, int))
    # Runs of earlier versions do not record nested dims.
    sizes = tuple(nested) if isinstance(nested, list) and all(isinstance(n, int) for n in nested) else ()
    return Identity(encoder, dim, codec, sizes) if sound else None


def _inside(workspace: Workspace, path: Path) -> bool:
    return path.resolve() == workspace.store(path.stem).resolve()


_unknown = Identity("", None)


def _runs(workspace: Workspace, dim: int | None, name: str | None) -> dict[str, Identity]:
    """Runs to select from, each with what it is if a size is given.

    A smaller copy has the size of the run that it was made from, so only its name selects it.
    """
    present = sorted(path.name for path in workspace.runs.glob("*") if path.is_dir())
    return {
        run: _unknown if dim is None else run_identity(workspace.run(run)) or _by_name(run)
        for run in present
        if name is not None or not is_smaller_copy(workspace.run(run))
    }


def _choose_run(
    workspace: Workspace, known: Mapping[str, Identity], dim: int | None, name: str | None
) -> str:
    return _choose(known, workspace.runs, "trained encoder", dim, name, "train")


def _by_name(name: str) -> Identity:
    """What the name of a damaged or unfinished run or store says about it."""
    found = _ENCODER_DIM_CODEC.fullmatch(name)
    size = found and (found[3] or found[2])
    return Identity(found[1], int(size), found[4] or "float32") if found and size else Identity(name, None)


def _choose(
    known: Mapping[str, Identity], folder: Path, what: str, dim: int | None, name: str | None, command: str
) -> str:
    if name is not None:
        if checked(name) in known:
            return name
        close = difflib.get_close_matches(name, known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else _maker(command, None, name)
        raise NotFoundError(f"no {what} named {name!r}", where=folder, hint=hint)
    fitting = [item for item in known if dim is None or known[item].dim == dim]
    if not fitting:
        size = "" if dim is None else f" with {dim} dimensions"
        raise NotFoundError(f"no {what}{size}", where=folder, hint=_maker(command, dim, None))
    first = _of_table4(fitting, known)
    # One with a default name was made by its size alone, so that is what the size alone selects.
    unnamed = [item for item in first if item == run_name(known[item].encoder, dim, None)]
    for choice in (fitting, unnamed, first):
        if len(choice) == 1:
            return choice[0]
    raise UsageError(f"several fit: {', '.join(fitting)}", where=folder, hint="choose one with --name")


def _of_table4(fitting: list[str], known: Mapping[str, Identity]) -> list[str]:
    for encoder in FIRST:
        own = [name for name in fitting if known[name].encoder == encoder]
        if own:
            return [name for name in own if known[name].codec == "float32"]
    return []


def _maker(command: str, dim: int | None, name: str | None) -> str:
    if name == "original" and command == "train":
        return "`compress train --encoder identity` makes it"
    words = f"--name {name}" if name else f"--dim {dim or 320}"
    if name and command == "train":  # a name does not say which encoder to train
        words = f"--dim 320 {words}"
    return f"`compress {command} {words}` makes it"

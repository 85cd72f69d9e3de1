"""Other stores of the same embeddings: of the same run, model and size, in another codec."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.artifacts.disk import storage_errors
from compress.codecs import canonical
from compress.command_line import command_argv, command_line, unless
from compress.errors import CompressError, NotFoundError, SchemaError, UsageError
from compress.index.aligned import aligned
from compress.index.rows import Selection
from compress.jobs.names import SUFFIX, StoreFile, find_store, store_file
from compress.run_config import config_path, read_run_config
from compress.store.audit import Description, audit
from compress.store.reader import Store, open_store
from compress.workspace import Workspace

_SAME = ("run", "model_sha256", "prefix_of")
ORIGINAL = "float32"


@dataclass(frozen=True)
class Sister:
    """A store of the same embeddings in another codec, its rows in the order that was asked for."""

    file: StoreFile
    rows: Selection


def find_sister(
    workspace: Workspace, store: Store, codec: str, id_bytes: np.ndarray, metric: str
) -> Sister | None:
    """The store in `codec` of the embeddings that `store` holds in its own, with all of some videos, or None.

    Args:
        workspace: whose stores are looked through, and the folder of `store`.
        store: written by `compress encode`, which notes the run and its model.
        codec: by its canonical name.
        id_bytes: the videos, S (n,).
        metric: that the rows are compared by, "cosine" or "ip".
    """
    for path in _candidates(workspace, store):
        try:
            found = _described(path)
            if (found.codec, found.dim) == (codec, store.dim) and _same(found, store):
                rows = aligned(open_store(path), id_bytes, store.dim, metric, str(path))
                return Sister(store_file(workspace, path), rows)
        except (CompressError, OSError):
            continue  # Damaged, in use, or without some of the videos: as good as not there.
    return None


def sister_called(
    workspace: Workspace, store: Store, wanted: str, id_bytes: np.ndarray, metric: str
) -> Sister:
    """The store that `--rerank` names, by its own name, its path, or its codec.

    Raises:
        NotFoundError: no such store; the hint names the command that writes it.
        SchemaError: it is of another model.
        UsageError: neither a store nor a codec.
    """
    if wanted.endswith(SUFFIX) or workspace.store(wanted).is_file():
        file = find_store(workspace, None, wanted)
        other = open_store(file.path)
        what = f"--rerank {shlex.quote(wanted)}"
        if any(other.metadata.get(key) != store.metadata.get(key) for key in _SAME):
            raise SchemaError(
                f"is not of the same model as {store.path}",
                where=file.path,
                hint="re-rank with a store of the same run",
            )
        return Sister(file, aligned(other, id_bytes, store.dim, metric, what))
    try:
        codec = canonical(wanted)
    except UsageError as error:
        raise UsageError(
            f"neither a store nor a codec: {wanted!r}", where="--rerank", hint=error.hint
        ) from error
    found = find_sister(workspace, store, codec, id_bytes, metric)
    if found is None:
        made = command_for(workspace, store, codec)
        hint = f"`{made}` writes it" if made else "name a store of the same embeddings"
        raise NotFoundError(f"no {codec} store of these videos", where=workspace.embeddings, hint=hint)
    return found


def command_for(workspace: Workspace, store: Store, codec: str) -> str | None:
    """The `compress encode` that writes the embeddings of `store` in another codec; None where not known.

    That is where its run is not in the workspace, and where it was not made from the workspace's shards.
    """
    run = str(store.metadata.get("run", ""))
    if not run or not config_path(workspace.run(run)).is_file() or "input" in _splits(store):
        return None
    is_prefix = "prefix_of" in store.metadata
    trained = read_run_config(workspace.run(run))["config"].get("nested_dims", ())
    options = {
        "name": run,
        "dim": store.dim if is_prefix else None,
        "any_dim": is_prefix and store.dim not in trained,
        "codec": unless(codec, workspace.defaults.codec),
    }
    return command_line(command_argv("encode", options))


def _splits(store: Store) -> tuple[str, ...]:
    sources = store.metadata.get("sources")
    return tuple(sources) if isinstance(sources, dict) else ()


def _candidates(workspace: Workspace, store: Store) -> Iterator[Path]:
    folders = dict.fromkeys((workspace.embeddings.resolve(), store.path.parent.resolve()))
    for folder in folders:
        yield from sorted(folder.glob(f"*{SUFFIX}"))


def _described(path: Path) -> Description:
    with storage_errors(path), path.open("rb") as file:
        return audit(file, path)


def _same(found: Description, store: Store) -> bool:
    return "run" in found.metadata and all(
        found.metadata.get(key) == store.metadata.get(key) for key in _SAME
    )

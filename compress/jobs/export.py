"""`compress export`: a store in the form that other programs read, decoded to float32."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.atomic import replacing
from compress.errors import UsageError
from compress.index.rows import select
from compress.jobs.classes import vocabulary_of_store
from compress.jobs.export_forms import WRITERS, check_ids
from compress.jobs.names import find_store
from compress.jobs.table_file import need_to_write
from compress.progress import Reporter, silent
from compress.store.reader import open_store
from compress.workspace import Workspace

FORMS = {
    "parquet": (".parquet",),
    "npy": (".npy",),
    "safetensors": (".safetensors",),
    "faiss": (".faiss", ".index"),
    "projector": (".tsv",),
}
"""Suffixes of each form; the first is the usual one."""
_BESIDE = {"npy": ".ids.txt", "safetensors": ".ids.txt", "faiss": ".ids.txt", "projector": ".metadata.tsv"}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        store: its name. form: one of FORMS.
        files: the embeddings, and the ids where they are in a file of their own.
        videos, dim: of the embeddings. bytes: of all files.
        seconds: of the work.
    """

    store: str
    form: str
    files: tuple[Path, ...]
    videos: int
    dim: int
    bytes: int
    seconds: float


def export_store(
    workspace: Workspace,
    *,
    store: str,
    output: Path,
    form: str | None = None,
    split: str | None = None,
    vocabulary: Path | None = None,
    replace: bool = False,
    report: Reporter = silent,
) -> Exported:
    """Write the decoded embeddings of a store for other programs, a block at a time.

    Args:
        workspace: has the store, unless `store` is a path.
        store: its name or path.
        output: the file; ids that do not fit into its form go to a file beside it.
        form: one of FORMS; None for what the suffix of `output` says.
        split: only the videos of one split; None for all.
        vocabulary: names of the classes; None means those of the store or the workspace.
        replace: write over files that are there.
        report: gets progress.

    Raises:
        NotFoundError: no such store or split.
        UsageError: a file is there, the suffix names no form, or an id has a line break and the form has one
            id in each line.
        UnavailableError: Parquet without pyarrow.
    """
    started = time.monotonic()
    form = form or _form_of(output)
    files = [output]
    if form in _BESIDE:
        files.append(output.with_name(output.stem + _BESIDE[form]))
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there and not replace:
        raise UsageError("is there already", where=there[0], hint="choose another OUTPUT, or give --replace")
    if form == "parquet":
        need_to_write("pip install 'compress-video-embeddings[parquet]', or use --format npy")
    found = find_store(workspace, None, store)
    if output.resolve() in {found.path.resolve(), found.index.resolve()}:
        raise UsageError("is the store itself, or its index", where=output, hint="choose another OUTPUT")
    opened = open_store(found.path)
    rows, names = select(opened, split, "ip"), vocabulary_of_store(workspace, opened, vocabulary)
    if _BESIDE.get(form) == ".ids.txt":
        check_ids(rows.ids(), files[1])
    facts = {"store_sha256": opened.sha256, "codec": opened.codec.name, "store": found.name}
    with ExitStack() as stack:
        # The embeddings take their place last: where they are, their ids are too.
        unfinished = [stack.enter_context(replacing(path)) for path in files]
        WRITERS[form](rows, opened.labels, names, facts, unfinished, report)
    size = sum(path.stat().st_size for path in files)
    took = time.monotonic() - started
    return Exported(found.name, form, tuple(files), len(rows), opened.dim, size, took)


def _form_of(output: Path) -> str:
    for form, suffixes in FORMS.items():
        if output.suffix.lower() in suffixes:
            return form
    usual = ", ".join(suffixes[0] for suffixes in FORMS.values())
    hint = f"end it in {usual}, or give --format"
    raise UsageError("its suffix names no form", where=output, hint=hint)

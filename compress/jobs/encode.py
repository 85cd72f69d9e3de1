"""`compress encode`: a store of embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from compress.datasets.policy import OnCorrupt
from compress.errors import UsageError
from compress.jobs.names import SUFFIX, find_run_and_prefix, store_name
from compress.jobs.sources import open_split, read_for, run_schema, tell_skipped
from compress.machine import choose_device
from compress.progress import Reporter, silent
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.encoding import EncodeResult
    from compress.training.precision import Wanted


def encode_store(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    any_dim: bool = False,
    codec: str = "float32",
    inputs: Sequence[str] = (),
    output: Path | None = None,
    batch_size: int | None = None,
    precision: Wanted = "auto",
    on_corrupt: OnCorrupt = "fail",
    append: bool = False,
    replace: bool = False,
    device: str = "auto",
    report: Reporter = silent,
) -> EncodeResult:
    """Encode every video once.

    Args:
        workspace: has the run, and the shards unless `inputs` names others.
        dim, name: which run, and how many dimensions of its embeddings; see `find_run_and_prefix`.
        any_dim: also a dim that the run was not trained for.
        codec: how embeddings are stored.
        inputs: patterns of shards; none means the workspace's train and validate.
        output: the store to write; None: in the workspace, named like the run.
        batch_size: videos at once; None for the default.
        precision: "fp32", "bf16", or "auto": as the run was trained, where the device has that.
        on_corrupt: what happens to unusable records.
        append: add the videos that a store which is there lacks.
        replace: write the store also where another one, or some of its videos, are lost by that.
        device: "auto", "cpu" or "cuda".
        report: gets progress and notes.

    Raises:
        NotFoundError: no such run; the hint names the command that trains it.
        UsageError: inputs without output, an output that is not called .h5, no shards, a run that was not
            trained for that dim, or a store that is there and would be lost (see `compress.encoding.encode`).
    """
    run, prefix = find_run_and_prefix(workspace, dim, name)
    if inputs and output is None:
        raise UsageError("--input needs --output", hint="say where the store goes: --output FILE.h5")
    if output is not None and output.suffix != SUFFIX:
        raise UsageError("the name of a store must end in .h5", where=f"--output {output}")
    reads = run_schema(workspace, run)
    if inputs:
        with read_for(run):
            splits = {"input": open_split(workspace, "input", inputs, on_corrupt, run=reads)}
    else:
        with read_for(run):
            train = open_split(workspace, "train", (), on_corrupt, level=reads.level, run=reads)
        validate = open_split(workspace, "validate", (), on_corrupt, schema=train.schema, level=reads.level)
        splits = {"train": train, "validate": validate}

    # Imported late: torch takes seconds, and a wrong name or pattern should be answered at once.
    from compress.encoding import encode

    done = encode(
        workspace.run(run),
        splits,
        output or workspace.store(store_name(run, codec, prefix)),
        dim=prefix,
        any_dim=any_dim,
        codec=codec,
        batch_size=batch_size,
        precision=precision,
        append=append,
        replace=replace,
        device=choose_device(device),
        report=report,
    )
    tell_skipped(tuple(splits.values()), report)
    return done

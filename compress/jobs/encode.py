"""`compress encode`: from a request to a store of embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compress.datasets.policy import OnCorrupt
from compress.datasets.source import Source
from compress.errors import UsageError
from compress.jobs.names import find_run_and_prefix, store_name
from compress.jobs.sources import open_split, tell_skipped
from compress.jobs.store_files import SUFFIX
from compress.machine import choose_device
from compress.progress import Reporter
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.encoding import EncodeResult
    from compress.training.precision import Wanted


@dataclass(frozen=True)
class EncodeRequest:
    """What to encode.

    Args:
        dim, name: which run, and how many numbers of its embeddings; see `find_run_and_prefix`.
        codec: how numbers are stored.
        inputs: patterns of shards; none means the workspace's train and validate.
        output: the store to write; None means the workspace's, named like the run.
        batch_size: videos at once; None for the default.
        on_corrupt: what happens to unusable records.
        device: "auto", "cpu" or "cuda".
        precision: "fp32", "bf16", or "auto": as it was trained, where the device has that.
        any_dim: also a dim that the run was not trained for.
    """

    dim: int | None
    name: str | None
    codec: str
    inputs: tuple[str, ...]
    output: Path | None
    batch_size: int | None
    on_corrupt: OnCorrupt
    device: str
    precision: Wanted = "auto"
    any_dim: bool = False


def encode_store(workspace: Workspace, request: EncodeRequest, report: Reporter) -> EncodeResult:
    """Encode every video once.

    Raises:
        NotFoundError: no such run; the hint says what trains it.
        UsageError: --input without --output, an output that is not called .h5, or no shards; a run that was
            not trained for that dim.
    """
    run, prefix = find_run_and_prefix(workspace, request.dim, request.name)
    if request.inputs and request.output is None:
        raise UsageError("--input needs --output", hint="say where the store goes: --output FILE.h5")
    if request.output is not None and request.output.suffix != SUFFIX:
        raise UsageError("a store's name ends in .h5", where=f"--output {request.output}")
    splits = _splits(workspace, request, _level(workspace, run))

    # Not before: it imports torch, and a wrong name or pattern should be answered at once.
    from compress.encoding import encode

    done = encode(
        workspace.run(run),
        splits,
        request.output or workspace.store(store_name(run, request.codec, prefix)),
        dim=prefix,
        any_dim=request.any_dim,
        codec=request.codec,
        batch_size=request.batch_size,
        precision=request.precision,
        device=choose_device(request.device),
        report=report,
    )
    tell_skipped(tuple(splits.values()), report)
    return done


def _level(workspace: Workspace, run: str) -> str:
    """Which of the workspace's shards the encoder reads; "video" where there is nothing to choose."""
    if not workspace.train_frames:
        return "video"
    from compress.training.run import model_manifest

    return str(model_manifest(workspace.run(run)).metadata["schema"]["level"])


def _splits(workspace: Workspace, request: EncodeRequest, level: str) -> dict[str, Source]:
    if request.inputs:
        return {"input": open_split(workspace, "input", request.inputs, request.on_corrupt)}
    train = open_split(workspace, "train", (), request.on_corrupt, level=level)
    validate = open_split(workspace, "validate", (), request.on_corrupt, schema=train.schema, level=level)
    return {"train": train, "validate": validate}

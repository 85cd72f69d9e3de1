"""The demo's steps, one after another, through the same jobs as the commands; finished ones are reused."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.lock import exclusive
from compress.datasets.catalogue import scan
from compress.demo.folder import Folder, claim, workspace_of
from compress.demo.plan import (
    FRAMES,
    SMALLER,
    Request,
    Row,
    Size,
    rows,
)
from compress.errors import CorruptArtifactError, DataError, NotFoundError, UsageError
from compress.index import open_index
from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_store
from compress.jobs.index import index_store
from compress.jobs.report import Reported, report_workspace
from compress.jobs.search import Answer, search_store
from compress.jobs.sources import open_split
from compress.jobs.train import train_run
from compress.machine import choose_device, cpu_count
from compress.progress import Note, Reporter, check_interrupt
from compress.reports.table_4.sentences import SAMPLE_NOTE
from compress.store.reader import Store, open_store
from compress.workspace import Workspace

SIMILAR = 5
SEARCHED = "residual_cnn-320"


@dataclass(frozen=True)
class Demo:
    """What came out: five videos similar to one, and the report."""

    folder: Path
    similar: Answer
    report: Reported
    seconds: float


def run_demo(request: Request, report: Reporter) -> Demo:
    """Make everything once, or what an earlier, stopped run has left to do.

    Raises:
        UsageError: only one of --train and --validate, or the folder holds something else.
        SchemaError, DataError, NotFoundError: of the real shards.
        Interrupted: on request; the same command continues.
    """
    started = time.monotonic()
    if bool(request.train) != bool(request.validate):
        raise UsageError("--train and --validate need each other", hint="or neither, for sample data")
    if request.on_sample and (request.vocabulary or request.num_classes):
        raise UsageError(
            "--vocabulary and --num-classes are for real shards", hint="give --train, --validate"
        )
    request.folder.mkdir(parents=True, exist_ok=True)
    with exclusive(request.folder / "demo"):
        folder = claim(request)
        workspace = workspace_of(request, report)
        size = _size(workspace, report)
        report(Note(_estimate(request, size)))
        _run_rows(request, size, folder, workspace, report)
        return Demo(
            request.folder, _search(workspace), _write_report(request, workspace), time.monotonic() - started
        )


def _run_rows(request: Request, size: Size, folder: Folder, workspace: Workspace, report: Reporter) -> None:
    planned = rows(size)
    for number, row in enumerate(planned, 1):

        def step(verb: str, row: Row = row, number: int = number) -> None:
            check_interrupt()
            report(Note(f"[{number}/{len(planned)}] {verb} {row.store}"))

        step("train" if row.epochs else "compute")
        train_run(
            workspace,
            dim=row.dim,
            encoder=row.encoder,
            epochs=row.epochs,
            settings=row.settings,
            seed=request.seed,
            threads=request.threads,
            device=request.device,
            report=report,
        )
        step("encode")
        encode_store(workspace, name=row.run, codec=row.codec, device=request.device, report=report)
        store = open_store(workspace.store(row.store), verify=False)
        if row.searched and not _indexed(workspace, store):
            step("index")
            index_store(workspace, name=row.store, seed=request.seed, device=request.device, report=report)
        if folder.evaluated.get(row.store) != store.sha256 or not _measured(workspace, row.store):
            step("evaluate")
            evaluate_store(
                workspace,
                name=row.store,
                head_epochs=size.head_epochs,
                seed=request.seed,
                threads=request.threads,
                device=request.device,
                notes=_notes(request, row),
                report=report,
            )
            folder.evaluated[row.store] = store.sha256
            folder.save()


def _notes(request: Request, row: Row) -> list[str]:
    notes = [SAMPLE_NOTE] if request.on_sample else []
    if row.encoder == "lstm":
        notes.append(f"Only {FRAMES[0]} to {FRAMES[1]} frames a video.")
    return notes


def _indexed(workspace: Workspace, store: Store) -> bool:
    """Whether the index beside a store is whole and of that store."""
    try:
        open_index(workspace.index(store.path.stem), store=store)
    except CorruptArtifactError:
        raise
    except (NotFoundError, DataError):
        return False  # none, or one of an earlier version of the store
    return True


def _measured(workspace: Workspace, name: str) -> bool:
    scores = workspace.evaluation / "scores" / name / "manifest.json"
    return (workspace.evaluation / f"{name}.json").exists() and scores.exists()


def _search(workspace: Workspace) -> Answer:
    row = open_store(workspace.store(SEARCHED), verify=False).splits["validate"].start
    return search_store(workspace, name=SEARCHED, row=row, k=SIMILAR)


def _write_report(request: Request, workspace: Workspace) -> Reported:
    words = "compress demo" if request.on_sample else "compress demo --train PATTERN --validate PATTERN"
    return report_workspace(workspace, None, words)


def _size(workspace: Workspace, report: Reporter) -> Size:
    train, validate = (
        scan(open_split(workspace, split, (), "fail", require_labels=True), report)
        for split in ("train", "validate")
    )
    classes = 0 if train.labels is None else train.labels.num_classes
    return Size(len(train), len(train) + len(validate), classes, bool(workspace.train_frames))


def _estimate(request: Request, size: Size) -> str:
    # Not all of it runs on all cores at once.
    minutes = max(1.0, size.core_seconds / min(cpu_count(), 16) * 1.3 / 60)
    gpu = " (less with this GPU)" if choose_device(request.device) == "cuda" else ""
    data = "sample" if request.on_sample else "real"
    return (
        f"{size.videos:,} {data} videos of {size.num_classes:,} classes; the encoders are {SMALLER}; about "
        f"{minutes:.0f} min on {cpu_count()} CPU cores{gpu}, {size.bytes / 1e6:,.0f} MB in {request.folder}; "
        "Ctrl-C stops, the same command goes on"
    )

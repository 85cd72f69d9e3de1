"""The demo's steps, one after another, through the same jobs as the commands; finished ones are reused."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.lock import exclusive
from compress.datasets.catalogue import Catalogue, scan
from compress.demo.folder import Folder, claim, workspace_of
from compress.demo.plan import FRAMES, SAMPLE_NOTE, SMALLER, Request, Row, core_seconds, head_epochs, rows
from compress.errors import CorruptArtifactError, DataError, NotFoundError, UsageError
from compress.index import open_index
from compress.jobs.encode import EncodeRequest, encode_store
from compress.jobs.evaluate import EvaluateRequest, evaluate_store
from compress.jobs.index import IndexRequest, index_store
from compress.jobs.report import Reported, report_workspace
from compress.jobs.search import Answer, SearchRequest, search_store
from compress.jobs.sources import open_split
from compress.jobs.train import TrainRequest, train_run
from compress.machine import choose_device, cpu_count
from compress.progress import Note, Reporter, check_interrupt
from compress.store.reader import open_store
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
        frames = bool(workspace.train_frames)
        report(Note(_estimate(request, workspace, frames, report)))
        _run_rows(request, folder, workspace, rows(request, frames=frames), report)
        return Demo(
            request.folder, _search(workspace), _write_report(request, workspace), time.monotonic() - started
        )


def _run_rows(
    request: Request, folder: Folder, workspace: Workspace, planned: list[Row], report: Reporter
) -> None:
    for number, row in enumerate(planned, 1):

        def step(verb: str, row: Row = row, number: int = number) -> None:
            check_interrupt()
            report(Note(f"[{number}/{len(planned)}] {verb} {row.store}"))

        _make_row(request, folder, workspace, row, report, step)


def _make_row(
    request: Request,
    folder: Folder,
    workspace: Workspace,
    row: Row,
    report: Reporter,
    step: Callable[[str], None],
) -> None:
    step("train" if row.epochs else "compute")
    train_run(workspace, _training(request, row), report)
    step("encode")
    encoded = EncodeRequest(None, row.run, row.codec, (), None, 256, "fail", request.device)
    encode_store(workspace, encoded, report)
    if row.searched and not _indexed(workspace, row.store):
        step("index")
        wanted = IndexRequest(None, row.store, "cosine", None, None, 1000, request.seed, request.device)
        index_store(workspace, wanted, report)
    sha256 = open_store(workspace.store(row.store), verify=False).sha256
    if folder.evaluated.get(row.store) == sha256 and _measured(workspace, row.store):
        return
    step("evaluate")
    evaluate_store(workspace, _evaluation(request, row), report)
    folder.evaluated[row.store] = sha256
    folder.save()


def _training(request: Request, row: Row) -> TrainRequest:
    return TrainRequest(
        dim=row.dim,
        encoder=row.encoder,
        preset="best",
        epochs=row.epochs,
        batch_size=None,
        learning_rate=None,
        settings=row.settings,
        name=None,
        train=(),
        validate=(),
        num_classes=None,
        fresh=False,
        on_corrupt="fail",
        seed=request.seed,
        threads=request.threads,
        device=request.device,
    )


def _evaluation(request: Request, row: Row) -> EvaluateRequest:
    notes = [SAMPLE_NOTE] if request.on_sample else []
    if row.encoder == "lstm":
        notes.append(f"Only {FRAMES[0]} to {FRAMES[1]} frames a video.")
    return EvaluateRequest(
        dim=None,
        name=row.store,
        baseline="original",
        head_epochs=head_epochs(request),
        retrieval=True,
        seed=request.seed,
        threads=request.threads,
        device=request.device,
        notes=tuple(notes),
    )


def _indexed(workspace: Workspace, name: str) -> bool:
    """Whether the index beside a store is whole and of that store."""
    try:
        open_index(workspace.index(name), store=open_store(workspace.store(name), verify=False))
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
    return search_store(workspace, SearchRequest(None, SEARCHED, None, row, None, SIMILAR, None))


def _write_report(request: Request, workspace: Workspace) -> Reported:
    words = "compress demo" if request.on_sample else "compress demo --train PATTERN --validate PATTERN"
    return report_workspace(workspace, None, words)


def _estimate(request: Request, workspace: Workspace, frames: bool, report: Reporter) -> str:
    train = _catalogue(workspace, "train", report)
    validate = _catalogue(workspace, "validate", report)
    classes = train.labels.num_classes if train.labels is not None else 0
    wanted = core_seconds(len(train), classes, on_sample=request.on_sample, frames=frames)
    # Not all of it runs on all cores at once.
    minutes = max(1.0, wanted / min(cpu_count(), 16) * 1.3 / 60)
    videos = len(train) + len(validate)
    disk = videos * 60e3 / 1e6
    data = "sample" if request.on_sample else "real"
    gpu = " (less with this GPU)" if choose_device(request.device) == "cuda" else ""
    return (
        f"{videos:,} {data} videos of {classes:,} classes; the encoders are {SMALLER}; about "
        f"{minutes:.0f} min on {cpu_count()} CPU cores{gpu}, {disk:,.0f} MB in {request.folder}; "
        "Ctrl-C stops, the same command goes on"
    )


def _catalogue(workspace: Workspace, split: str, report: Reporter) -> Catalogue:
    return scan(open_split(workspace, split, (), "fail", require_labels=True), report)

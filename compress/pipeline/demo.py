"""`compress demo`: data, training, embeddings, neighbours and Table 4 once, in minutes on two CPU cores."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.lock import exclusive
from compress.datasets.catalogue import scan
from compress.errors import UsageError
from compress.jobs.report import Reported, report_stores
from compress.jobs.search import Answer, search_store
from compress.jobs.sources import open_split
from compress.machine import choose_device, cpu_count
from compress.pipeline import engine
from compress.pipeline.demo_folder import FRAMES, SPLITS, DemoFolder
from compress.pipeline.maker import FreshHead, Maker, Training
from compress.pipeline.runs import RunFacts, finished_run
from compress.pipeline.stores import Shards, StoreTarget
from compress.progress import Note, Reporter, silent
from compress.reports.cautions import SAMPLE_NOTE
from compress.store.reader import open_store
from compress.training.recipes import DEMO
from compress.training.run import Run
from compress.workspace import Workspace

SIMILAR = 5
SEARCHED = "residual_cnn-320"
SMALLER = (
    "smaller than the paper's models, so that a CPU can train them in minutes: ResidualCNN with 1/16 of "
    f"the channels, LSTM 256, 640 instead of 1280, 640, on {FRAMES[0]} to {FRAMES[1]} frames per video"
)


@dataclass(frozen=True)
class DemoRow:
    """One line of the demo's report."""

    training: Training
    codec: str = "float32"
    searched: bool = False


JUDGES = ("logistic", "ridge")
"""Two of the judges, each trained once: with all of them the demo would take half an hour."""


@dataclass(frozen=True)
class DemoSize:
    """How much there is to do."""

    train_videos: int
    videos: int
    num_classes: int
    frames: bool

    @property
    def epochs(self) -> int:
        """Of a trained encoder: the recipe's 6, more where videos are so few that 6 would not be enough."""
        return min(max(6, 48_000 // self.train_videos), 12)

    @property
    def core_seconds(self) -> float:
        """CPU time of everything, roughly; measured on two cores of an AMD EPYC server.

        Convolutions and LSTM cost per video; judges per video, class and dimension that they read.
        """
        per_video = 0.025 + (0.009 if self.frames else 0.0)
        return 25.0 + self.train_videos * (per_video + 5e-5 * self.num_classes)

    @property
    def bytes(self) -> int:
        """Disk of everything: embeddings, frames and tables per video, heads per class; measured."""
        return 75_000 * self.videos + 180_000 * self.num_classes


def demo_rows(size: DemoSize) -> list[DemoRow]:
    """The baseline first, then the controls, then the encoders of Table 4."""
    epochs = size.epochs
    # All but the last epoch without the convolutions, which cost a hundred times the rest.
    cnn = (*DEMO["residual_cnn"], f"warm_epochs={epochs - 1}")
    lstm = Training("lstm", 640, epochs=5, settings=DEMO["lstm"])
    dims = (320, 512, *((640,) if size.frames else ()))
    return [
        DemoRow(Training("identity", None)),
        DemoRow(Training("identity", None), codec="int8"),
        *(DemoRow(Training("pca", dim)) for dim in dims),
        *(DemoRow(Training("random_projection", dim)) for dim in dims),
        DemoRow(Training("linear", 320, epochs=epochs, settings=DEMO["linear"])),
        *(
            DemoRow(Training("residual_cnn", dim, epochs=epochs, settings=cnn), searched=True)
            for dim in (320, 512)
        ),
        *([DemoRow(lstm, searched=True)] if size.frames else []),
    ]


class DemoTarget(StoreTarget):
    """A row of the demo; every row is part of the report."""

    @property
    def essential(self) -> bool:
        return True


@dataclass(frozen=True)
class Demo:
    """What came out: videos similar to one, and the report."""

    folder: Path
    similar: Answer
    report: Reported
    seconds: float


def run_demo(
    folder: DemoFolder,
    *,
    threads: int = 0,
    device: str = "auto",
    rows: Callable[[DemoSize], Sequence[DemoRow]] = demo_rows,
    heads: tuple[str, ...] = JUDGES,
    report: Reporter = silent,
) -> Demo:
    """Make everything once, or what an earlier, stopped run has left to do.

    Args:
        folder: the workspace to make, or to continue with.
        threads: 0 for all. device: "auto", "cpu" or "cuda".
        rows: what is made.
        heads: names of the judges.

    Raises:
        UsageError: train without validate shards, or the folder holds something else.
        SchemaError, DataError, NotFoundError: of the real shards.
        Interrupted: on request; the same call continues.
    """
    started = time.monotonic()
    if bool(folder.train) != bool(folder.validate):
        raise UsageError("--train and --validate need each other", hint="or neither, for sample data")
    if folder.on_sample and (folder.vocabulary or folder.num_classes):
        raise UsageError(
            "--vocabulary and --num-classes are for real shards", hint="give --train, --validate"
        )
    folder.path.mkdir(parents=True, exist_ok=True)
    with exclusive(folder.path / "demo"):
        folder.claim()
        workspace = folder.workspace(report)
        size = _size(workspace, report)
        report(Note(_estimate(folder, size, device)))
        maker = Maker(workspace, "fail", folder.seed, threads, device)
        head = FreshHead(heads=heads, seeds=1, head_mixup=0.0)
        notes = (SAMPLE_NOTE,) if folder.on_sample else ()
        engine.make_missing(engine.plan(_targets(maker, rows(size), head, notes)), report)
        row = open_store(workspace.store(SEARCHED), verify=False).splits["validate"].start
        similar = search_store(workspace, name=SEARCHED, row=row, k=SIMILAR)
        assert isinstance(similar, Answer)  # one query
        words = "compress demo" if folder.on_sample else "compress demo --train PATTERN --validate PATTERN"
        reported = report_stores(workspace, None, words)
        return Demo(folder.path, similar, reported, time.monotonic() - started)


def _targets(
    maker: Maker, rows: Sequence[DemoRow], head: FreshHead, notes: tuple[str, ...]
) -> list[DemoTarget]:
    shards, few_frames = Shards(maker), f"Only {FRAMES[0]} to {FRAMES[1]} frames per video."
    return [
        DemoTarget(
            run=_run(maker.workspace, row.training),
            training=row.training,
            codec=row.codec,
            head=head,
            seed=maker.seed,
            folder=maker.workspace.evaluation,
            maker=maker,
            shards=shards,
            notes=(*notes, few_frames) if row.training.encoder == "lstm" else notes,
            searched=row.searched,
        )
        for row in rows
    ]


def _run(workspace: Workspace, training: Training) -> RunFacts:
    folder = workspace.run(training.run)
    if Run(folder).finished:
        return finished_run(folder)
    return RunFacts(training.run, training.encoder, training.dim or 0, learned=training.epochs is not None)


def _size(workspace: Workspace, report: Reporter) -> DemoSize:
    train, validate = (
        scan(open_split(workspace, split, (), "fail", require_labels=True), report) for split in SPLITS
    )
    classes = 0 if train.labels is None else train.labels.num_classes
    return DemoSize(len(train), len(train) + len(validate), classes, bool(workspace.train_frames))


def _estimate(folder: DemoFolder, size: DemoSize, device: str) -> str:
    # Not all of it runs on all cores at once.
    minutes = max(1.0, size.core_seconds / min(cpu_count(), 16) * 1.3 / 60)
    gpu = " (less with this GPU)" if choose_device(device) == "cuda" else ""
    data = "sample" if folder.on_sample else "real"
    return (
        f"{size.videos:,} {data} videos of {size.num_classes:,} classes; the encoders are {SMALLER}; about "
        f"{minutes:.0f} min on {cpu_count()} CPU cores{gpu}, {size.bytes / 1e6:,.0f} MB in {folder.path}; "
        "Ctrl-C stops, the same command continues"
    )

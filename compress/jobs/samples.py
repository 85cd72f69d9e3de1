"""`compress data sample` and `data import`: shards from nothing, from means or from plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compress.datasets.arrays import write_shards
from compress.datasets.expand import expand_frames
from compress.datasets.sample import write_sample
from compress.datasets.sample.frames import NUM_FRAMES
from compress.datasets.source import open_source
from compress.progress import Note, Reporter

VIDEOS_A_SHARD = 1000
VALIDATION_PART = 5
BYTES_A_VIDEO, BYTES_A_FRAME = 4_700, 1_160  # float32 features; uint8 features; with the framing


@dataclass(frozen=True)
class SampleRequest:
    """What to make.

    Args:
        folder: where the shards go.
        videos: N; one in five is for validation.
        level: "video" or "frame".
        num_classes: C.
        source: patterns of video-level shards to expand into frames; none means made-up videos.
        seed: >= 0.
        num_frames: least and most frames of a video, both included; frame level only.
    """

    folder: Path
    videos: int
    level: Literal["video", "frame"]
    num_classes: int
    source: tuple[str, ...]
    seed: int
    num_frames: tuple[int, int] = NUM_FRAMES


@dataclass(frozen=True)
class Made:
    """The shards by split, and what to type next."""

    folder: Path
    shards: Mapping[str, list[Path]]
    next: str


def make_sample(request: SampleRequest, report: Reporter) -> Made:
    """Write the shards; the same request gives the same bytes.

    Raises:
        UsageError, SchemaError, StorageError: see `write_sample` and `expand_frames`.
    """
    if request.source:
        shards = expand_frames(
            open_source(request.source),
            request.folder,
            seed=request.seed,
            num_frames=request.num_frames,
            report=report,
        )
        return Made(request.folder, {"frame": shards}, f"compress data inspect {request.folder}")
    frames = sum(request.num_frames) / 2
    size = request.videos * (frames * BYTES_A_FRAME if request.level == "frame" else BYTES_A_VIDEO)
    report(Note(f"writing {request.videos:,} {request.level}-level videos, about {size / 1e6:,.0f} MB"))
    validation = request.videos // VALIDATION_PART
    counts = {"train": request.videos - validation, "validate": validation}
    shards_by_split = {
        split: write_sample(
            request.folder,
            level=request.level,
            num_videos=count,
            shards=-(-count // VIDEOS_A_SHARD),
            num_classes=request.num_classes,
            seed=request.seed,
            prefix=split,
            num_frames=request.num_frames,
            report=report,
        )
        for split, count in counts.items()
    }
    words = "--train 'train*.tfrecord' --validate 'validate*.tfrecord' --vocabulary vocabulary.csv"
    words += f" --num-classes {request.num_classes}"
    return Made(request.folder, shards_by_split, f"compress init {words} {request.folder}")


def import_arrays(
    path: Path,
    folder: Path,
    *,
    labels: Path | None,
    num_classes: int | None,
    split: str,
    shards: int,
    report: Reporter,
) -> Made:
    """Write the rows of an array file as shards `<split>0000.tfrecord`, ... in `folder`.

    Args:
        path: .npy, .h5 or .parquet.
        labels: labels of the rows, where the file has none itself.
        num_classes: C, where the labels do not tell.
        split: the beginning of the shards' names.
        shards: how many, >= 1.

    Raises:
        NotFoundError, DataError, RecordError: see `open_source`.
        UsageError: fewer rows than shards.
    """
    source = open_source([str(path)], labels=labels, num_classes=num_classes)
    made = write_shards(source, folder, shards, prefix=split, report=report)
    return Made(folder, {split: made}, f"compress data inspect '{folder}/{split}*.tfrecord'")

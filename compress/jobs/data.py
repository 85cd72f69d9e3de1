"""`compress data`: sample shards, shards from your own arrays, and how to download YouTube-8M."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compress.artifacts.atomic import write_bytes
from compress.datasets.export import expand_frames, write_shards
from compress.datasets.policy import OnCorrupt
from compress.datasets.sample import write_sample
from compress.datasets.source import open_source
from compress.datasets.vocabulary import Vocabulary, load_vocabulary, vocabulary_csv
from compress.description import NOTHING_SAID, Description
from compress.errors import UsageError
from compress.jobs.sources import tell_skipped
from compress.progress import Note, Reporter, silent

VIDEOS_PER_SHARD = 1000
VALIDATION_PART = 5  # one video in five
BYTES_PER_VIDEO, BYTES_PER_FRAME = 4_700, 1_160  # float32 and uint8 features, with the framing

DOWNLOAD_SCRIPT = "data.yt8m.org/download.py"
# Source: research.google.com/youtube8m/download.html; release 2 of May 2018, 3844 shards per split.
DOWNLOAD_SPLITS = ("train", "validate", "test")


@dataclass(frozen=True)
class Made:
    """The shards by split, and what to type next."""

    folder: Path
    shards: Mapping[str, list[Path]]
    next: str


def make_sample(
    folder: Path,
    *,
    videos: int = 5000,
    level: Literal["video", "frame"] = "video",
    num_classes: int = 3862,
    num_frames: tuple[int, int] = (120, 300),
    source: Sequence[str] = (),
    description: Description = NOTHING_SAID,
    seed: int = 0,
    replace: bool = False,
    report: Reporter = silent,
) -> Made:
    """Write sample shards; the same arguments give the same bytes.

    Args:
        folder: where the shards go.
        videos: N; one in five is for validation.
        level: "video" or "frame".
        num_classes: C.
        num_frames: least and most frames per video, both included; frame level only.
        source: patterns of video-level shards to expand into frames; none means made-up videos.
        description: names in those shards, where they cannot be seen.
        seed: >= 0.
        replace: write over shards that are there and hold something else.
        report: gets progress and notes.

    Raises:
        UsageError, SchemaError, StorageError: see `write_sample` and `expand_frames`.
    """
    if source:
        shards = expand_frames(
            open_source(source, description=description),
            folder,
            seed=seed,
            num_frames=num_frames,
            replace=replace,
            report=report,
        )
        return Made(folder, {"frame": shards}, f"compress data inspect {shlex.quote(str(folder))}")
    frames = sum(num_frames) / 2
    size = videos * (frames * BYTES_PER_FRAME if level == "frame" else BYTES_PER_VIDEO)
    report(Note(f"writing {videos:,} {level}-level videos, about {size / 1e6:,.0f} MB"))
    validation = videos // VALIDATION_PART
    counts = {"train": videos - validation, "validate": validation}
    shards_by_split = {
        split: write_sample(
            folder,
            level=level,
            num_videos=count,
            shards=-(-count // VIDEOS_PER_SHARD),
            num_classes=num_classes,
            seed=seed,
            prefix=split,
            num_frames=num_frames,
            replace=replace,
            report=report,
        )
        for split, count in counts.items()
    }
    words = "--train 'train*.tfrecord' --validate 'validate*.tfrecord' --vocabulary vocabulary.csv"
    words += f" --num-classes {num_classes}"
    return Made(folder, shards_by_split, f"compress init {words} {shlex.quote(str(folder))}")


def import_arrays(
    path: Path,
    folder: Path,
    *,
    num_classes: int | None = None,
    split: str = "train",
    shards: int = 1,
    description: Description = NOTHING_SAID,
    on_corrupt: OnCorrupt = "fail",
    replace: bool = False,
    report: Reporter = silent,
) -> Made:
    """Write the rows of an array file as shards `<split>0000.tfrecord`, ... in `folder`.

    Labels that are names become numbers, by `folder`/vocabulary.csv; it is made by the first file, of all its
    names.

    Args:
        path: a file of feature vectors, such as .npy, .h5 or .parquet.
        num_classes: C, where the labels do not tell.
        split: the beginning of the shards' names.
        shards: how many, >= 1.
        description: names in the file, where they cannot be seen, or the file that has its labels.
        on_corrupt: what happens to rows that cannot be used; copies go to `folder`/quarantine.
        replace: write over shards that are there and hold something else.

    Raises:
        NotFoundError, DataError, RecordError: see `open_source`.
        UsageError: fewer rows than shards, or other shards are there.
    """
    names = folder / "vocabulary.csv"
    known = load_vocabulary(names) if names.exists() else None
    source = open_source(
        [str(path)],
        num_classes=num_classes,
        on_corrupt=on_corrupt,
        quarantine=folder / "quarantine" if on_corrupt == "quarantine" else None,
        description=description,
        vocabulary=known,
    )
    made = write_shards(source, folder, shards, prefix=split, replace=replace, report=report)
    tell_skipped([source], report)
    if source.schema.class_names and known is None:
        write_bytes(names, vocabulary_csv(Vocabulary.from_list(source.schema.class_names)))
        report(Note(f"the labels are names: their numbers are in {names}"))
    pattern = shlex.quote(f"{folder}/{split}*.tfrecord")
    return Made(folder, {split: made}, f"compress data inspect {pattern}")


@dataclass(frozen=True)
class Repaired:
    """A whole store, and whether it had to be repaired."""

    path: Path
    repaired: bool


def repair_store(path: Path) -> Repaired:
    """Remove the mark of another program from a store; errors as `compress.store.superblock.repair`."""
    from compress.store.superblock import repair  # not before: h5py

    return Repaired(path, repair(path))


@dataclass(frozen=True)
class Downloads:
    """Shell commands to run by hand, one per split, and what to type afterwards."""

    commands: list[str]
    next: str


def download_commands(level: str, part: str) -> Downloads:
    """The official commands for one level of the 2018 release; this project never touches the network.

    Args:
        level: "video" (31 GB in all) or "frame" (1.5 TB in all).
        part: "1/100" for the first of 100 equal parts of the shards, "1/1" for everything.

    Raises:
        UsageError: `part` is not I/N with 1 <= I <= N.
    """
    first, _, second = part.partition("/")
    if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
        raise UsageError(
            f"not a part: {part!r}", where="--part", hint="write 1/100 for the first of 100 parts"
        )
    shard = "" if int(second) == 1 else f"shard={int(first)},{int(second)} "
    commands = [
        f"mkdir -p {level}/{split} && (cd {level}/{split} && "
        f"curl {DOWNLOAD_SCRIPT} | {shard}partition=2/{level}/{split} mirror=us python)"
        for split in DOWNLOAD_SPLITS
    ]
    train, validate = (f"'{level}/{split}/*.tfrecord'" for split in DOWNLOAD_SPLITS[:2])
    return Downloads(commands, f"compress init --train {train} --validate {validate}")

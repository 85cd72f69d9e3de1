"""`compress extract`: raw videos to shards, in a folder that is a workspace afterwards."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.artifacts.atomic import read_bytes, sha256_file, write_bytes
from compress.artifacts.lock import exclusive
from compress.artifacts.manifest import Manifest
from compress.datasets.files import DEAD_LINK, dead_links
from compress.datasets.vocabulary import Vocabulary, load_vocabulary, vocabulary_csv
from compress.description import labels_option
from compress.errors import DataError, NotFoundError, UnavailableError, UsageError
from compress.extract import projection_artifact, shards
from compress.extract.account import PCA_DIM, account
from compress.extract.backbones.choice import BUILT_IN, BackboneChoice
from compress.extract.features import (
    AUDIO,
    RGB,
    Extraction,
    KeptFeatures,
    Sampling,
    extract_features,
)
from compress.extract.folder import (
    FEATURES,
    PROJECTION,
    SHARDS,
    digest,
    finished,
    forget_settings,
    keep_features,
)
from compress.extract.labels import VideoLabels, read_video_labels
from compress.extract.projection import COMPONENTS, fit
from compress.extract.videos import SUFFIXES, IdStyle, Video, common_folder, find_videos
from compress.jobs.init import create_workspace
from compress.machine import choose_device, cpu_count, installed
from compress.progress import Note, Reporter, silent
from compress.workspace import FILE_NAME

if TYPE_CHECKING:
    from compress.extract.features import Backbones

VALIDATE_FRACTION = 0.1
VIDEOS_PER_PROCESS = 8  # a process takes seconds to start
MOST_PROCESSES = 8
VOCABULARY = "vocabulary.csv"


@dataclass(frozen=True)
class Extracted:
    """What was made.

    Args:
        folder: as it was given; holds shards/, projection/ and features/.
        videos: in the shards.
        frames: in the shards.
        parts: videos by part, "train" and "validate".
        features: bytes of a frame, by feature name.
        left_out: files that are not in the shards, and why.
        damaged: files of which only the readable part is in the shards.
        silent: videos without a sound track, whose audio is silence.
        labelled: videos with labels; None when no table of labels was given.
        notes: what a person should know about the result.
        new: False when all was there before.
        next: the command to type next.
        seconds: it took.
    """

    folder: Path
    videos: int
    frames: int
    parts: dict[str, int]
    features: dict[str, int]
    left_out: dict[str, str]
    damaged: dict[str, str]
    silent: int
    labelled: int | None
    notes: list[str]
    new: bool = True
    next: str = ""
    seconds: float = field(default=0.0, compare=False)


def extract_videos(
    patterns: Sequence[str],
    folder: Path,
    *,
    fps: float = 1.0,
    max_frames: int = 360,
    backbone: str = BUILT_IN,
    weights: str | None = None,
    audio_backbone: Path | None = None,
    projection: Path | None = None,
    components: int = COMPONENTS,
    validate_fraction: float | None = None,
    labels: str | None = None,
    label_separator: str | None = None,
    vocabulary: Path | None = None,
    id_style: IdStyle = "path",
    keep_damaged: bool = False,
    replace: bool = False,
    workers: int = 0,
    device: str = "auto",
    report: Reporter = silent,
) -> Extracted:
    """Extract features of raw videos and write them as shards of the YouTube-8M layout.

    Args:
        patterns: files, folders or glob patterns.
        folder: where everything goes; the same call again continues after a stop.
        fps: frames per second that are looked at.
        max_frames: per video, from its start.
        backbone, weights, audio_backbone: see `BackboneChoice`.
        projection: a folder `projection` of an earlier extraction; None fits one on the training part.
        components: of the fitted projection, at most.
        validate_fraction: share of the videos for validation; None for 0.1, or 0 with `projection`.
        labels: a table of labels, perhaps with the names of its columns: see `read_video_labels`.
        label_separator: between the labels of one video in it; None looks for it.
        vocabulary: names of the classes in it.
        id_style: see `find_videos`.
        keep_damaged: take what can be read of a damaged video, instead of leaving it out.
        replace: make shards and projection anew, though the folder has some of other videos or options.
        workers: processes; 0 chooses. 1 means this process, where a decoder that crashes ends everything.
        device: "auto", "cpu" or "cuda".
        report: gets progress and notes.

    Raises:
        NotFoundError: no such videos, weights, labels or projection.
        UsageError: the folder holds the shards of something else.
        UnavailableError: a package or the GPU is missing.
        DataError: not one video can be decoded.
        Interrupted: on request; what is done is kept.
    """
    started = time.monotonic()
    _check_packages()
    videos = find_videos(patterns, id_style)
    dead = dead_links(patterns, SUFFIXES)
    report(Note(f"{len(videos):,} videos; ids are {_id_words(videos, id_style)}"))
    if audio_backbone is not None and not audio_backbone.exists():
        raise NotFoundError("no such file", where=audio_backbone, hint="it holds the weights of VGGish")
    fraction = validate_fraction
    if fraction is None:
        fraction = 0.0 if projection else VALIDATE_FRACTION
    sampling = Sampling(Fraction(str(fps)), max_frames)
    choice = BackboneChoice(backbone, weights, audio_backbone, choose_device(device))
    known = None if vocabulary is None else load_vocabulary(vocabulary)
    labelled = None if labels is None else read_video_labels(labels, videos, known, label_separator)
    fitted = None if projection is None else projection_artifact.load(projection)
    asked = {
        "fps": str(sampling.fps),
        "max_frames": max_frames,
        "backbone": [backbone, weights, str(audio_backbone or "")],
        "projection": fitted.fingerprint if fitted else components,
        "validate_fraction": fraction,
        "labels": [
            *(labels, _digest_of(labels), vocabulary and sha256_file(vocabulary)),
            *filter(None, [label_separator]),  # shards of earlier versions know of none
        ],
        "keep_damaged": keep_damaged,
        "count": len(videos),
        "videos": digest(videos),
    }
    with exclusive(folder / FEATURES):
        if (before := finished(folder, asked, replace)) is not None:
            _make_workspace(folder, before, labelled, replace)
            return _result(folder, before, dead, new=False)
        backbones = choice()
        facts = _backbone_facts(backbones)
        if fitted and projection:
            projection_artifact.check_fits(fitted, facts, projection)
        settings = {"fps": str(sampling.fps), "max_frames": max_frames, "backbones": facts}
        kept = keep_features(folder, settings, replace)
        processes = workers or min(MOST_PROCESSES, cpu_count(), -(-len(videos) // VIDEOS_PER_PROCESS))
        threads = max(1, int(os.environ.get("OMP_NUM_THREADS", cpu_count())) // processes)
        here = workers == 1
        load = (lambda: backbones) if here else choice
        outcomes = extract_features(
            videos,
            Extraction(load, sampling, kept, threads),
            workers=0 if here else processes,
            report=report,
        )
        usable = [each for each in outcomes if each.frames and (keep_damaged or not each.damage)]
        if not usable:
            forget_settings(folder)
            first = next(each for each in outcomes if each.damage)
            what = f"not one of {len(videos):,} videos can be used; the first: {first.damage}"
            raise (UnavailableError if first.try_again else DataError)(what, where=first.video.path)
        parts = shards.split([each.video for each in usable], fraction)
        if fitted is None:
            fitted = _fit(folder / PROJECTION, parts["train"], kept, facts, components, report)
        manifest = shards.write_shards(
            folder / SHARDS,
            parts,
            kept,
            fitted,
            labelled.classes if labelled else {},
            {**account(outcomes, usable, parts, fitted, labelled), "asked": asked, **settings},
            report,
        )
        _make_workspace(folder, manifest, labelled, replace)
    return _result(folder, manifest, dead, seconds=time.monotonic() - started)


def _digest_of(labels: str | None) -> str | None:
    path = labels_option(labels).path
    return None if path is None else sha256_file(path)


def _check_packages() -> None:
    """UnavailableError at once, not after minutes, where PyAV is missing."""
    if not installed("av"):
        hint = "install it: pip install 'compress-video-embeddings[video]'"
        raise UnavailableError("decoding videos needs the package av (PyAV)", hint=hint)


def _id_words(videos: Sequence[Video], style: IdStyle) -> str:
    example = f"such as {videos[0].video_id!r}"
    if style == "name":
        return f"the file names without suffix, {example}"
    return f"the paths below {common_folder([video.path for video in videos])} without suffix, {example}"


def _backbone_facts(backbones: Backbones) -> dict[str, Any]:
    visual, audio = backbones
    return {RGB: visual.facts()} if audio is None else {RGB: visual.facts(), AUDIO: audio.facts()}


def _fit(
    folder: Path,
    videos: Sequence[Video],
    kept: KeptFeatures,
    facts: dict[str, Any],
    components: int,
    report: Reporter,
) -> projection_artifact.Projections:
    def read(name: str) -> Iterator[np.ndarray]:
        for video in videos:
            found = kept.read(video)
            if found is not None:
                yield found.parts[name]

    report(Note(f"fitting PCA and quantiser on the {len(videos):,} training videos"))
    parts = {name: fit(partial(read, name), components) for name in facts}
    return projection_artifact.keep(folder, parts, facts)


def _make_workspace(folder: Path, manifest: Manifest, labelled: VideoLabels | None, replace: bool) -> None:
    """compress.toml beside the shards, unless there is one, or no part to measure on."""
    names = labelled.class_names if labelled else ()
    if names:
        path, content = folder / VOCABULARY, vocabulary_csv(Vocabulary.from_list(names))
        if path.exists() and read_bytes(path) != content and not replace:
            raise UsageError("holds other names of classes", where=path, hint="choose another folder")
        write_bytes(path, content)
    if (folder / FILE_NAME).exists() or "validate" not in manifest.metadata["parts"]:
        return
    patterns = {
        f"{part}{ending}": [f"{SHARDS}/{level}-{part}*.tfrecord"]
        for part in ("train", "validate")
        for level, ending in (("video", ""), ("frame", "_frames"))
    }
    create_workspace(
        folder,
        train=patterns["train"],
        validate=patterns["validate"],
        train_frames=patterns["train_frames"],
        validate_frames=patterns["validate_frames"],
        vocabulary=Path(VOCABULARY) if names else None,
        num_classes=labelled.num_classes if labelled else None,
    )


def _result(
    folder: Path, manifest: Manifest, dead: Sequence[Path], new: bool = True, seconds: float = 0.0
) -> Extracted:
    facts = {
        name: manifest.metadata[name] for name in Extracted.__dataclass_fields__ if name in manifest.metadata
    }
    facts["left_out"] = {**facts["left_out"], **dict.fromkeys(map(str, dead), DEAD_LINK)}
    if (folder / FILE_NAME).exists():
        dim = min(PCA_DIM, sum(facts["features"].values()))
        words = f"compress train --workspace {shlex.quote(str(folder))} --encoder pca --dim {dim}"
    else:
        pattern = shlex.quote(f"{folder}/{SHARDS}/video-*.tfrecord")
        words = f"compress encode --name RUN --input {pattern} --output FILE.h5"
    return Extracted(folder=folder, **facts, new=new, next=words, seconds=seconds)

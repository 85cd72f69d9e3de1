"""The features of every video, computed in several processes and kept on disk, one file a video.

A file is named after the id and says what it was made from: the video's size and time, the frames that were
looked at, and the weights of the backbones. So a run that was stopped goes on where it was, and a video that
changed is done again.
"""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from crc32c import crc32c
from safetensors.numpy import save

from compress.artifacts.atomic import write_bytes
from compress.doors.tensors import read_safetensors_arrays
from compress.errors import ITEM_FAILURES, CorruptArtifactError, DataError, reason_and_exit_code
from compress.extract.processes import Crashed, in_processes
from compress.extract.videos import Video
from compress.progress import Note, Progress, Reporter, check_interrupt, silent

if TYPE_CHECKING:
    from compress.extract.backbones.backbone import AudioBackbone, Backbone

    Backbones = tuple[Backbone, AudioBackbone | None]

RGB, AUDIO = "rgb", "audio"
_FACTS = "facts"


@dataclass(frozen=True)
class Sampling:
    """Which frames are looked at.

    Args:
        fps: moments per second.
        max_frames: at most this many, from the start.
    """

    fps: Fraction = Fraction(1)
    max_frames: int = 360


@dataclass(frozen=True)
class Features:
    """What is kept of a video.

    Args:
        parts: by name, "rgb" and, with a backbone of sound, "audio": float16 (T, dim).
        damage: what is wrong with the rest of the file; empty for a sound file.
        has_sound: False where its audio is silence, as the file has no sound track.
    """

    parts: dict[str, np.ndarray]
    damage: str = ""
    has_sound: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of a video.

    Args:
        frames: looked at; 0 when nothing could be decoded.
        damage: why it is not, or not wholly, decoded; empty for a sound file.
        has_sound: see `Features`.
        try_again: this machine could not do it (too little memory, too many open files).
    """

    video: Video
    frames: int
    damage: str = ""
    has_sound: bool = True
    try_again: bool = False


@dataclass(frozen=True)
class KeptFeatures:
    """The folder in which the features of the videos of one extraction are kept.

    Args:
        folder: one file a video, named after its id.
        settings: JSON; files that were made with others are made again.
    """

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    def path(self, video: Video) -> Path:
        """The file of a video."""
        name = hashlib.sha256(video.video_id.encode("utf-8")).hexdigest()[:32]
        return self.folder / f"{name}.safetensors"

    def write(self, video: Video, features: Features) -> None:
        """Keep the features of a video."""
        sums = {name: f"{crc32c(part.tobytes()):08x}" for name, part in features.parts.items()}
        facts = {
            "origin": self._origin(video),
            "crc32c": json.dumps(sums, sort_keys=True),
            "damage": features.damage,
            "has_sound": json.dumps(features.has_sound),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        # In one field: safetensors writes several in an order of its own, another one each time.
        text = json.dumps(facts, sort_keys=True)
        metadata = {_FACTS: f"{crc32c(text.encode()):08x} {text}"}
        write_bytes(self.path(video), save(features.parts, metadata=metadata))

    def read(self, video: Video) -> Features | None:
        """The kept features of a video; None when there are none, or they were made from something else.

        Raises:
            CorruptArtifactError: a checksum does not match.
        """
        path = self.path(video)
        if not path.is_file():
            return None
        parts, metadata = read_safetensors_arrays(path, error=CorruptArtifactError)
        try:
            facts = _facts(metadata)
            if facts.get("origin") != self._origin(video):
                return None
            sums, damage = json.loads(facts["crc32c"]), facts["damage"]
            has_sound = json.loads(facts["has_sound"])
        except (ValueError, RecursionError, KeyError) as error:
            raise _damaged(path) from error
        if sums != {name: f"{crc32c(part.tobytes()):08x}" for name, part in parts.items()}:
            raise _damaged(path)
        return Features(parts, damage, has_sound)

    def outcome(self, video: Video) -> Outcome | None:
        """What became of a video that was done before; None when it is to be done."""
        try:
            kept = self.read(video)
        except CorruptArtifactError:
            return None  # it is made again
        return None if kept is None else _outcome(video, kept)

    def _origin(self, video: Video) -> str:
        facts = {"id": video.video_id, "size": video.size, "mtime_ns": video.mtime_ns, **self.settings}
        return json.dumps(facts, sort_keys=True)


@dataclass(frozen=True)
class Extraction:
    """Starts a process: loads the backbones, and gives the function that does one video.

    Args:
        load: loads the backbones; see `BackboneChoice`.
        sampling: which frames are looked at.
        kept: where the features go.
        threads: CPU threads of the process.
    """

    load: Callable[[], Backbones]
    sampling: Sampling
    kept: KeptFeatures
    threads: int

    def __call__(self) -> Callable[[Video], Outcome]:
        """Load the backbones."""
        backbones = self.load()
        return lambda video: self._extract(video, backbones)

    def _extract(self, video: Video, backbones: Backbones) -> Outcome:
        try:
            features = compute_features(video.path, backbones, self.sampling, self.threads)
        except DataError as error:
            return Outcome(video, 0, error.what)
        except ITEM_FAILURES as error:
            return Outcome(video, 0, reason_and_exit_code(error)[0], try_again=True)
        self.kept.write(video, features)  # a full disk ends everything
        return _outcome(video, features)


def compute_features(path: Path, backbones: Backbones, sampling: Sampling, threads: int = 1) -> Features:
    """Decode a video and put it through the backbones.

    Raises:
        DataError: nothing can be decoded.
    """
    from compress.extract.frames import decode
    from compress.extract.sound import decode_sound, patches, seconds_needed

    visual, audio = backbones
    seen = decode(
        path, visual.preprocessing, fps=sampling.fps, max_frames=sampling.max_frames, threads=threads
    )
    parts, damages, has_sound = {RGB: visual.features(seen.pictures)}, [seen.damage], True
    if audio is not None:
        count = len(seen.pictures)
        heard = decode_sound(path, seen.start, seconds_needed(count, sampling.fps))
        has_sound = heard is not None
        samples = np.zeros(0, dtype=np.float32) if heard is None else heard.samples
        parts[AUDIO] = audio.features(patches(samples, count, sampling.fps))
        damages.append("" if heard is None else heard.damage)
    return Features(parts, "; ".join(filter(None, damages)), has_sound)


def extract_features(
    videos: list[Video],
    extraction: Extraction,
    *,
    workers: int = 1,
    report: Reporter = silent,
) -> list[Outcome]:
    """Compute the features of every video that has none kept yet.

    Args:
        videos: all of them, also those that are done.
        extraction: what to do with each.
        workers: processes; 0 means this process, where a crash is the end.
        report: gets progress, and a note for each video that is damaged.

    Returns:
        The outcome of each video, in their order.

    Raises:
        Interrupted: on request; what is done is kept.
        StorageError: the disk refused.
    """
    done = {video: found for video in videos if (found := extraction.kept.outcome(video))}
    remaining = [video for video in videos if video not in done]
    if done:
        report(Note(f"{len(done):,} of {len(videos):,} videos were done before"))
    for outcome in done.values():
        _tell(outcome, report)
    report(Progress("extract", len(done), len(videos)))
    results = in_processes(
        extraction, remaining, workers=workers, threads=extraction.threads, pause=check_interrupt
    )
    for video, result in results if remaining else ():
        if isinstance(result, Crashed):
            killed = result.exit_code == -signal.SIGKILL  # as the system does when memory is short
            what = f"the process that decoded it ended (exit code {result.exit_code})"
            result = Outcome(video, 0, what, try_again=killed)
        done[video] = result
        _tell(result, report)
        report(Progress("extract", len(done), len(videos)))
    return [done[video] for video in videos]


def _outcome(video: Video, features: Features) -> Outcome:
    return Outcome(video, len(features.parts[RGB]), features.damage, features.has_sound)


def _tell(outcome: Outcome, report: Reporter) -> None:
    if outcome.damage:
        report(Note(f"{outcome.video.path}: {outcome.damage}"))


def _facts(metadata: dict[str, str]) -> dict[str, str]:
    """What is kept beside features; ValueError where it was changed. Version 0.1 had a field for each."""
    if _FACTS not in metadata:
        return metadata
    checksum, _, text = metadata[_FACTS].partition(" ")
    if checksum != f"{crc32c(text.encode()):08x}":
        raise ValueError("the facts were changed")
    facts: dict[str, str] = json.loads(text)
    return facts


def _damaged(path: Path) -> CorruptArtifactError:
    return CorruptArtifactError("is damaged", where=path, hint="remove it and run the same command again")

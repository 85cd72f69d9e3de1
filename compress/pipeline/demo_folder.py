"""The demo's folder: a workspace, its shards (made up or real), and a note of the settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.sealed import read_sealed, write_sealed
from compress.datasets.catalogue import scan
from compress.datasets.source import Source, open_source
from compress.description import NOTHING_SAID, Description
from compress.errors import CorruptArtifactError, RecordError, SchemaError, UsageError
from compress.jobs.data import make_sample
from compress.jobs.init import create_workspace
from compress.progress import Note, Reporter
from compress.workspace import FILE_NAME, Workspace, load_workspace

SAMPLE_VIDEOS, SAMPLE_CLASSES = 5_000, 100
FRAMES = (8, 16)
"""Least and most frames per video."""
LARGEST_DIM = 640
MOST_VIDEOS_WITH_FRAMES = 50_000
"""Frame-level training costs the most per video; beyond this it would take hours."""

SPLITS = ("train", "validate")
_RECIPE = 1  # counts up when the demo's rows change: an older folder is then not continued


@dataclass(frozen=True)
class DemoFolder:
    """The folder of one demo.

    Args:
        path: the workspace to make, or to continue with.
        train, validate: patterns of real video-level shards; none means sample data.
        vocabulary, num_classes: of the real shards, where they do not tell.
        seed: >= 0.
        sample_videos, sample_classes: how large the sample is.
        most_videos: with more there are no frames.
        description: names in the real shards, where they cannot be seen.
    """

    path: Path
    train: Sequence[str] = ()
    validate: Sequence[str] = ()
    vocabulary: Path | None = None
    num_classes: int | None = None
    seed: int = 0
    sample_videos: int = SAMPLE_VIDEOS
    sample_classes: int = SAMPLE_CLASSES
    most_videos: int = MOST_VIDEOS_WITH_FRAMES
    description: Description = NOTHING_SAID

    @property
    def on_sample(self) -> bool:
        """Whether the videos are made up."""
        return not self.train

    def claim(self) -> None:
        """Write demo.json, or check that an earlier run of the same demo wrote it.

        Raises:
            UsageError: the folder holds something else.
            CorruptArtifactError: demo.json is damaged.
        """
        note = self.path / "demo.json"
        settings = {
            "recipe": _RECIPE,
            "train": _absolute(self.train),
            "validate": _absolute(self.validate),
            "vocabulary": None if self.vocabulary is None else str(self.vocabulary.absolute()),
            "num_classes": self.num_classes,
            "seed": self.seed,
            **json.loads(json.dumps(self.description.said())),
        }
        if not note.exists():
            if (self.path / FILE_NAME).exists():
                what = "is a workspace that `compress demo` did not make"
                raise UsageError(what, where=self.path, hint="name another folder")
            write_sealed(note, {"settings": settings})
            return
        content = read_sealed(note, "name another folder, or remove this one")
        try:
            found = dict(content["settings"])
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptArtifactError("is not what `compress demo` wrote", where=note) from error
        if found != settings:
            changed = sorted(key for key in settings | found if found.get(key) != settings.get(key))
            what = f"holds a demo with other settings ({', '.join(changed)})"
            raise UsageError(what, where=self.path, hint="name another folder, or remove this one")

    def workspace(self, report: Reporter) -> Workspace:
        """The workspace with its shards; everything that is missing is made.

        Raises:
            SchemaError: real shards that are not video level, or have too few dimensions.
            NotFoundError, CorruptShardError, RecordError: of the real shards.
        """
        if (self.path / FILE_NAME).exists():
            return load_workspace(self.path)
        if self.on_sample:
            make_sample(
                self.path / "sample",
                videos=self.sample_videos,
                num_classes=self.sample_classes,
                seed=self.seed,
                report=report,
            )
            patterns = {split: [f"sample/{split}*.tfrecord"] for split in SPLITS}
            vocabulary: Path | None = Path("sample/vocabulary.csv")
            num_classes: int | None = self.sample_classes
        else:
            patterns = {"train": _absolute(self.train), "validate": _absolute(self.validate)}
            vocabulary = None if self.vocabulary is None else self.vocabulary.absolute()
            num_classes = self.num_classes
        frames = self._frames(patterns, num_classes, report)
        # Last, so that a workspace is one whose shards are whole.
        return create_workspace(
            self.path,
            train=patterns["train"],
            validate=patterns["validate"],
            train_frames=frames[:1],
            validate_frames=frames[1:],
            vocabulary=vocabulary,
            num_classes=num_classes,
            description=self.description,
        )

    def _frames(self, patterns: dict[str, list[str]], num_classes: int | None, report: Reporter) -> list[str]:
        """Patterns of the frames by split, or none where they cannot be made; reports why."""
        given = {split: [str(self.path.absolute() / one) for one in patterns[split]] for split in SPLITS}
        said = self.description
        sources = [open_source(given[split], num_classes=num_classes, description=said) for split in SPLITS]
        videos = sum(len(scan(_usable(source), report)) for source in sources)
        try:
            if videos > self.most_videos:
                raise UsageError(f"{videos:,} videos are more than {self.most_videos:,}")
            for split in SPLITS:
                folder = self.path / "frames" / split
                make_sample(
                    folder,
                    source=given[split],
                    description=said,
                    num_frames=FRAMES,
                    seed=self.seed,
                    report=report,
                )
        except (RecordError, SchemaError, UsageError) as error:
            report(Note(f"LSTM 640 will be NOT RUN, there are no frames for it: {error}"))
            return []
        return [f"frames/{split}/*.tfrecord" for split in SPLITS]


def _usable(source: Source) -> Source:
    schema = source.schema
    if schema.level != "video" or schema.dim < LARGEST_DIM:
        raise SchemaError(
            f"holds {schema.level}-level features of {schema.dim} dimensions, the demo needs "
            f"video-level ones of at least {LARGEST_DIM}",
            where=source.shards[0],
            hint="see `compress init` and `compress train --dim`",
        )
    return source


def _absolute(patterns: Sequence[str]) -> list[str]:
    return [str(Path(pattern).expanduser().absolute()) for pattern in patterns]

"""The demo's folder: a workspace with its shards, and a note of what an earlier run has finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import read_json, write_json
from compress.datasets.catalogue import scan
from compress.datasets.source import Source, open_source
from compress.demo.plan import (
    FRAMES,
    LARGEST_DIM,
    MOST_VIDEOS_WITH_FRAMES,
    SAMPLE_CLASSES,
    SAMPLE_VIDEOS,
    Request,
)
from compress.errors import CorruptArtifactError, RecordError, SchemaError, UsageError
from compress.jobs.data import make_sample
from compress.progress import Note, Reporter
from compress.workspace import FILE_NAME, Workspace, create_workspace, load_workspace

SPLITS = ("train", "validate")
_RECIPE = 1  # counts up when the demo's rows change: an older folder is then not continued


@dataclass
class Folder:
    """What is finished in the demo's folder.

    Args:
        path: the file that says so.
        settings: of the demo that was started here.
        evaluated: sha256 of the measured store, by name of the row.
    """

    path: Path
    settings: dict[str, Any]
    evaluated: dict[str, str] = field(default_factory=dict)

    def save(self) -> None:
        """Write it down."""
        write_json(self.path, {"settings": self.settings, "evaluated": self.evaluated})


def claim(request: Request) -> Folder:
    """The folder, new or as an earlier run of the same demo left it.

    Raises:
        UsageError: it holds something else.
        CorruptArtifactError: demo.json is damaged.
    """
    path = request.folder / "demo.json"
    settings = {
        "recipe": _RECIPE,
        "train": _absolute(request.train),
        "validate": _absolute(request.validate),
        "vocabulary": None if request.vocabulary is None else str(request.vocabulary.absolute()),
        "num_classes": request.num_classes,
        "seed": request.seed,
    }
    if not path.exists():
        if (request.folder / FILE_NAME).exists():
            what = "is a workspace that `compress demo` did not make"
            raise UsageError(what, where=request.folder, hint="name another folder")
        made = Folder(path, settings)
        made.save()
        return made
    content = read_json(path)
    try:
        found = Folder(path, dict(content["settings"]), dict(content["evaluated"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptArtifactError("is not what `compress demo` wrote", where=path) from error
    if found.settings != settings:
        changed = sorted(key for key in settings if found.settings.get(key) != settings[key])
        what = f"holds a demo with other settings ({', '.join(changed)})"
        raise UsageError(what, where=request.folder, hint="name another folder, or remove this one")
    return found


def workspace_of(request: Request, report: Reporter) -> Workspace:
    """The workspace with its shards; everything that is missing is made.

    Raises:
        SchemaError: real shards that are not video level, or have too few numbers.
        NotFoundError, CorruptShardError, RecordError: of the real shards.
    """
    if (request.folder / FILE_NAME).exists():
        return load_workspace(request.folder)
    if request.on_sample:
        sample = request.folder / "sample"
        make_sample(
            sample, videos=SAMPLE_VIDEOS, num_classes=SAMPLE_CLASSES, seed=request.seed, report=report
        )
        patterns = {split: [f"sample/{split}*.tfrecord"] for split in SPLITS}
        vocabulary: Path | None = Path("sample/vocabulary.csv")
        num_classes: int | None = SAMPLE_CLASSES
    else:
        patterns = {"train": _absolute(request.train), "validate": _absolute(request.validate)}
        vocabulary = None if request.vocabulary is None else request.vocabulary.absolute()
        num_classes = request.num_classes
    frames = _frames(request, patterns, num_classes, report)
    # Last, so that a workspace is one whose shards are whole.
    return create_workspace(
        request.folder,
        train=patterns["train"],
        validate=patterns["validate"],
        train_frames=frames[:1],
        validate_frames=frames[1:],
        vocabulary=vocabulary,
        num_classes=num_classes,
    )


def _frames(
    request: Request, patterns: dict[str, list[str]], num_classes: int | None, report: Reporter
) -> list[str]:
    """Patterns of the frames by split, or none when they cannot be made; says why."""
    given = {
        split: [str(request.folder.absolute() / pattern) for pattern in patterns[split]] for split in SPLITS
    }
    sources = [open_source(given[split], num_classes=num_classes) for split in SPLITS]
    videos = sum(len(scan(_usable(source), report)) for source in sources)
    if videos > MOST_VIDEOS_WITH_FRAMES:
        _without_frames(f"{videos:,} videos are more than {MOST_VIDEOS_WITH_FRAMES:,}", report)
        return []
    try:
        for split in SPLITS:
            source = tuple(given[split])
            folder = request.folder / "frames" / split
            make_sample(folder, source=source, num_frames=FRAMES, seed=request.seed, report=report)
    except (RecordError, SchemaError, UsageError) as error:
        _without_frames(str(error), report)
        return []
    return [f"frames/{split}/*.tfrecord" for split in SPLITS]


def _usable(source: Source) -> Source:
    schema = source.schema
    if schema.level != "video" or schema.dim < LARGEST_DIM:
        raise SchemaError(
            f"holds {schema.level}-level features of {schema.dim} numbers, the demo makes up to "
            f"{LARGEST_DIM} of video-level ones",
            where=source.shards[0],
            hint="see `compress init` and `compress train --dim`",
        )
    return source


def _without_frames(reason: str, report: Reporter) -> None:
    report(Note(f"LSTM 640 will be NOT RUN, there are no frames for it: {reason}"))


def _absolute(patterns: Sequence[str]) -> list[str]:
    return [str(Path(pattern).expanduser().absolute()) for pattern in patterns]

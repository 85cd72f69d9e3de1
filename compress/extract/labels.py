"""Labels of the videos from a table: joined by id, or by file name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compress.datasets.formats.label_csv import read_label_csv
from compress.datasets.label_file import LabelFile
from compress.datasets.vocabulary import Vocabulary
from compress.description import TABLES, labels_option
from compress.errors import SchemaError, UsageError
from compress.extract.videos import Video, common_folder


@dataclass(frozen=True)
class VideoLabels:
    """Labels of the videos of an extraction.

    Args:
        classes: class numbers by video id, int32 (n,), ascending; only of videos that the table has.
        num_classes: C.
        class_names: by class number; () when the labels are numbers.
        notes: what a person should know: ids without a partner, both ways.
    """

    classes: dict[str, np.ndarray]
    num_classes: int
    class_names: tuple[str, ...]
    notes: list[str]


def read_video_labels(
    labels: str,
    videos: Sequence[Video],
    vocabulary: Vocabulary | None = None,
    separator: str | None = None,
) -> VideoLabels:
    """Read a table of labels for these videos.

    A line belongs to the video of that id; or of that path below the common folder, with suffix; or of that
    file name, with or without suffix, where only one video has it. Several lines of a video add up.

    Args:
        labels: `FILE`, `FILE:LABELS` or `FILE:ID:LABELS`, with the names of its columns.
        videos: of the extraction.
        vocabulary: known names of classes.
        separator: between the labels of a cell; see `split_cells`.

    Raises:
        UsageError: not the name of a table.
        NotFoundError, SchemaError: no such file, not a table of labels, or not one line belongs to a video.
    """
    option = labels_option(labels)
    if option.path is None or option.path.suffix.lower() not in TABLES:
        raise UsageError(f"{labels!r} is no table of labels", where="--labels", hint="give a .csv file")
    table = read_label_csv(
        option.path,
        id_column=option.id,
        label_columns=option.columns,
        separator=separator,
        vocabulary=vocabulary,
    )
    if not table.labels.texts:
        raise SchemaError("has no labels", where=option.path, hint="leave --labels out")
    file = LabelFile(option.path, table, vocabulary, None)
    names = _known(file, videos)
    ids = np.array([names.get(video.video_id, video.video_id).encode() for video in videos], dtype=np.bytes_)
    there = file.find(ids) >= 0
    if not there.any():
        first = (table.ids or [b""])[0].decode(errors="replace")
        hint = f"its first id is {first!r}, the first video's is {videos[0].video_id!r}; see --id"
        raise SchemaError("not one line belongs to a video", where=option.path, hint=hint)
    counts, classes = file.labels_of(ids)
    each = np.split(classes, np.cumsum(counts)[:-1])
    found = {video.video_id: own for video, own, has in zip(videos, each, there, strict=True) if has}
    return VideoLabels(found, file.num_classes, tuple(file.class_names), file.told(ids))


def _known(file: LabelFile, videos: Sequence[Video]) -> dict[str, str]:
    """The name that the table has for each video, by its id."""
    folder = common_folder([video.path for video in videos])
    kinds = (
        [video.video_id for video in videos],
        [video.path.relative_to(folder).as_posix() for video in videos],
        [video.path.name for video in videos],
        [video.path.stem for video in videos],
    )
    found: dict[str, str] = {}
    for names in kinds:
        counts = Counter(names)
        places = file.find(np.array([name.encode(errors="replace") for name in names], dtype=np.bytes_))
        for video, name, place in zip(videos, names, places, strict=True):
            if place >= 0 and counts[name] == 1:
                found.setdefault(video.video_id, name)
    return found

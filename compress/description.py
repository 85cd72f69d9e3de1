"""What a person says about the files of a data set; what is not said is seen from the files."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from compress.errors import NotFoundError, UsageError

Level = Literal["video", "frame"]


@dataclass(frozen=True)
class Description:
    """Names in the files, where a person gave them. None: the reader sees it from the file, or asks for it.

    It comes from compress.toml and, option by option, from the flags of a command (`Workspace.description`
    holds both). `open_source(..., description=...)` hands it to the readers of formats as
    `Wanted.description`. A reader uses what is given and refuses a name that its file does not hold; where
    nothing is given it takes the usual names, and refuses a file in which several could be meant
    (`compress.datasets.contents` does both). What it found goes into its `contents`, for `compress data
    inspect` and for the note about what is left. A part that makes no sense for a format is refused there.

    Args:
        features: names of the features (columns, keys, datasets) in the order in which they are joined.
        id: name of the video id.
        labels: name of the labels, or a file of them (see `labels_option`).
        label_separator: what is between the labels of one video, where they are one text.
        level: "video" (a vector per video) or "frame" (a vector per frame), where a file allows both.
        segments: labelled segments of a video become rows of their own, `ID:START`.

    Raises:
        UsageError: no feature, one of them twice, an empty name, or another level.
    """

    features: tuple[str, ...] | None = None
    id: str | None = None
    labels: str | None = None
    label_separator: str | None = None
    level: Level | None = None
    segments: bool = False

    def __post_init__(self) -> None:
        names = self.features
        if names is not None and (not names or not all(names) or len(set(names)) < len(names)):
            raise UsageError("name each feature once", where=f"--features {','.join(names)}")
        for option in ("id", "labels", "label_separator"):
            if getattr(self, option) == "":
                raise UsageError("is empty", where=f"--{option.replace('_', '-')}")
        if self.level not in (None, *get_args(Level)):
            raise UsageError(f"is video or frame, not {self.level!r}", where="--level")

    def over(self, other: Description) -> Description:
        """What is said here; where nothing is, what `other` says."""
        return replace(other, **self.said())

    def said(self) -> dict[str, Any]:
        """The parts that were given, by name."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in found.items() if value not in (None, False)}


NOTHING_SAID = Description()
TABLES = (".csv", ".tsv", ".txt")
LABEL_FILES = (*TABLES, ".npz")


@dataclass(frozen=True)
class LabelsOption:
    """What `--labels` says: a file, perhaps with the names of its columns; no path: a name in other files.

    Args:
        path: of the file.
        id: column of the ids; None for a usual name.
        columns: of the labels; several are one column for each class; () for a usual name.
    """

    path: Path | None
    id: str | None = None
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As it is typed."""
        names = [*filter(None, [self.id]), *([",".join(self.columns)] if self.columns else [])]
        return ":".join([str(self.path), *names])


def labels_option(value: str | None) -> LabelsOption:
    """`labels.csv`, `labels.csv:LABELS` or `labels.csv:ID:LABELS`; every other value is a name.

    Example:
        >>> labels_option("a.csv:clip:tags")
        LabelsOption(path=PosixPath('a.csv'), id='clip', columns=('tags',))
        >>> labels_option("tags").path is None
        True
    """
    parts = (value or "").split(":")
    for end in range(len(parts), max(len(parts) - 3, 0), -1):  # a path may contain colons too
        path, names = ":".join(parts[:end]), parts[end:]
        if path.lower().endswith(TABLES if names else LABEL_FILES):
            columns = tuple(names[-1].split(",")) if names else ()
            return LabelsOption(typed_path(path), names[0] if len(names) == 2 else None, columns)
    return LabelsOption(None)


def with_labels_in(description: Description, folder: Path) -> Description:
    """The description, in which a relative labels file starts at `folder`."""
    option = labels_option(description.labels)
    if description.labels is None or option.path is None:
        return description
    path = folder / option.path
    # Nothing is found by way of a folder that is yet to be made.
    path = path if folder.exists() else Path(os.path.normpath(path))
    return replace(description, labels=str(replace(option, path=path)))


def typed_path(text: str) -> Path:
    """A path or pattern as it is typed, with "~" at its beginning as the home folder.

    Raises:
        NotFoundError: nobody knows the home folder.
    """
    try:
        return Path(text).expanduser() if text == "~" or text.startswith("~/") else Path(text)
    except RuntimeError as error:
        raise NotFoundError(f"no home folder: {error}", where=text) from error

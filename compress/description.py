"""What a person says about the files of a data set; what is not said is seen from the files."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from compress.errors import UsageError

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
        labels: name of the labels.
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

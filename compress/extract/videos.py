"""Which files are to be extracted, and the id of each."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compress.artifacts import disk
from compress.datasets.files import matches
from compress.datasets.validation import check_id
from compress.errors import NotFoundError, RecordError, UsageError

SUFFIXES = frozenset(
    (
        *(".3g2", ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
        *(".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
    )
)
"""What a folder is searched for; a file or pattern may have any suffix."""

IdStyle = Literal["path", "name"]


@dataclass(frozen=True)
class Video:
    """A file to extract: its path, its id, and the size and time that tell whether it changed."""

    path: Path
    video_id: str
    size: int
    mtime_ns: int


def find_videos(patterns: Sequence[str], id_style: IdStyle = "path") -> list[Video]:
    """The files of patterns and folders, sorted by id.

    Args:
        patterns: files, folders (searched with all their subfolders for video suffixes) or glob patterns.
        id_style: "path": the path below the common folder, without suffix; "name": the file name without
            suffix. Where two ids would be the same, "path" keeps the suffix.

    Raises:
        UsageError: no pattern, or two files of one name with id_style "name".
        NotFoundError: a pattern or folder has no file.
        StorageError: a file cannot be seen.
    """
    if not patterns:
        raise UsageError("name the videos: files, folders or patterns")
    found = {path.resolve(): path for pattern in patterns for path in matches(pattern, inside=_inside)}
    paths = [Path(os.path.abspath(path)) for path in found.values()]
    ids = _ids(paths, id_style)
    videos = []
    for path, video_id in zip(paths, ids, strict=True):
        with disk.storage_errors(path):
            facts = path.stat()
        videos.append(Video(path, _checked(video_id, path), facts.st_size, facts.st_mtime_ns))
    return sorted(videos, key=lambda video: video.video_id)


def _checked(video_id: str, path: Path) -> str:
    # A name that is not UTF-8 is written with backslashes: an id is text.
    text = os.fsencode(video_id).decode("utf-8", "backslashreplace")
    try:
        check_id(text.encode())
    except RecordError as error:
        raise UsageError(error.what, where=path, hint="give the file a shorter path") from error
    return text


def _inside(folder: Path) -> list[Path]:
    # glob leaves out what begins with a dot, such as the ._x.mp4 of macOS, which is no video.
    names = glob.glob("**/*", root_dir=folder, recursive=True)
    found = [folder / name for name in names if Path(name).suffix.lower() in SUFFIXES]
    videos = sorted(path for path in found if path.is_file())
    if not videos:
        has_others = any((folder / name).is_file() for name in names if os.sep not in name)
        hint = f"name them: '{folder}/*'" if has_others else ""
        raise NotFoundError("no videos in this folder", where=folder, hint=hint)
    return videos


def _ids(paths: Sequence[Path], style: IdStyle) -> list[str]:
    if style == "name":
        names = [path.stem for path in paths]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            first, second = [path for path, name in zip(paths, names, strict=True) if name == twice[0]][:2]
            what = f"has the same name as {first}"
            raise UsageError(what, where=second, hint="take the paths as ids: --id path")
        return names
    folder = common_folder(paths)
    relative = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    counts = Counter(relative)
    return [
        path.relative_to(folder).as_posix() if counts[short] > 1 else short
        for path, short in zip(paths, relative, strict=True)
    ]


def common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder that all files are in."""
    return Path(os.path.commonpath([path.parent for path in paths]))

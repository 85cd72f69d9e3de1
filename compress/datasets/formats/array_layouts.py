"""How videos lie in files of arrays: seen from the arrays of all files, or asked for with --level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from compress.datasets.formats.arrays import (
    INDPTR,
    ArrayFile,
    ArrayRows,
    ArrayType,
    AxisRows,
    FileRow,
    GroupRows,
)
from compress.datasets.formats.columns import USUAL_FEATURES, USUAL_IDS, USUAL_LABELS, last_part, listed
from compress.datasets.formats.format import Wanted
from compress.datasets.formats.rows import Rows
from compress.datasets.schema import Level
from compress.errors import SchemaError

# More rows than this in one array are hardly the frames of one video: at one a second these are 5 hours.
_MOST_FRAMES = 18_000
_FEWEST = 3


def lay_out(files: Sequence[ArrayFile], wanted: Wanted, labelled: Sequence[Path] = ()) -> list[Rows]:
    """The videos of each file.

    An array (N, D) may be N videos or one video of N frames. Names and labels in the file tell, or else the
    other files: arrays of the same D and of many different lengths are videos.

    Args:
        files: of one source.
        wanted: the level that was said, or that a run reads, decides where both are possible.
        labelled: files that have labels for their rows in a file beside them.

    Raises:
        SchemaError: it cannot be seen, with the option that says it.
    """
    level = wanted.description.level or (wanted.reads.level if wanted.reads else None)
    names = wanted.description.features or ()
    found: dict[Path, Rows] = {}
    bare: dict[Path, tuple[ArrayFile, ArrayType]] = {}
    for file in files:
        is_rows = file.path in labelled and level != "frame"
        lone = None if is_rows else _lone_features(file.arrays, names)
        if lone is not None:
            bare[file.path] = (file, lone)
        else:
            found[file.path] = _inside(file, level, names)
    found |= _of_files(bare, level)
    return [found[file.path] for file in files]


def _inside(file: ArrayFile, level: Level | None, names: Sequence[str]) -> Rows:
    """The videos within one file."""
    arrays = file.arrays
    top = {name: kind for name, kind in arrays.items() if "/" not in name}
    groups = {group for name in arrays if (group := name.rpartition("/")[0])}
    leaves = {name.rpartition("/")[2] for name in arrays if "/" in name}
    if INDPTR in arrays or any(name in arrays for name in names) or _features(top, USUAL_FEATURES):
        return AxisRows(file)
    if groups and (leaves.intersection(names) or not _features(top)):
        if len(groups) == 1 and level != "frame":
            return AxisRows(file)
        _check_groups(file)
        return GroupRows(file, ("each group is one video",))
    videos = _videos(top)
    has_names = any(_is_named(name, USUAL_IDS | USUAL_LABELS) for name in top)
    if len(videos) < 2 or has_names or names:
        return AxisRows(file)
    is_video = True if level == "frame" or len(_shape(videos)) == 1 else _is_video_each([*videos.values()])
    if level == "video" and len(_shape(videos)) == 2:
        return AxisRows(file)  # which asks for one of them
    if is_video is None:
        what = f"holds several arrays: {listed([f'{name} {kind}' for name, kind in videos.items()])}"
        first = next(iter(videos))
        hint = f"say --level frame if each is one video, or --features {first} if its rows are videos"
        raise SchemaError(what, where=file.path, hint=hint)
    return (
        ArrayRows(file, [*videos], ("each array is one video, its name is the id",))
        if is_video
        else AxisRows(file)
    )


def _of_files(bare: Mapping[Path, tuple[ArrayFile, ArrayType]], level: Level | None) -> dict[Path, Rows]:
    """Files of nothing but features: each is one video, or its rows are videos."""
    if not bare:
        return {}
    kinds = [kind for _, kind in bare.values()]
    is_video: bool | None
    if len(kinds[0].shape) == 2 and level is not None:
        is_video = level == "frame"
    else:
        is_video = _is_video_each(kinds) if len(kinds) > 1 else len(kinds[0].shape) == 1
    if is_video is None:
        path, shape = next(iter(bare)), kinds[0].shape
        what = (
            f"each of {len(bare)} files may be one video of many frames, or many videos: this one is {shape}"
        )
        raise SchemaError(
            what, where=path, hint="say --level frame if a file is a video, --level video if a row is"
        )
    if not is_video:
        return {path: AxisRows(file) for path, (file, _) in bare.items()}
    with_folder = len({path.stem for path in bare}) < len(bare)
    notes: tuple[str, ...] = ()
    if len(kinds[0].shape) == 2 and level is None:
        notes = ("each file is one video, its rows are frames; say --level video if each row is a video",)
    return {path: FileRow(file, notes, with_folder) for path, (file, _) in bare.items()}


def _is_video_each(kinds: Sequence[ArrayType]) -> bool | None:
    """Whether each array is one video and not many; None when nobody can see it."""
    shapes = [kind.shape for kind in kinds]
    if {len(shape) for shape in shapes} == {1}:
        return True
    if {len(shape) for shape in shapes} != {2} or len({shape[1] for shape in shapes}) > 1:
        return False
    lengths = {shape[0] for shape in shapes}
    return True if len(lengths) >= _FEWEST and max(lengths) <= _MOST_FRAMES else None


def _lone_features(arrays: Mapping[str, ArrayType], names: Sequence[str]) -> ArrayType | None:
    """The features of a file that has neither ids nor labels for their rows; None for any other file."""
    if any("/" in name for name in arrays):
        return None
    found = {name: arrays[name] for name in names if name in arrays} or _features(arrays, USUAL_FEATURES)
    found = found or _videos(arrays)
    lengths = {kind.shape[0] for kind in found.values()}
    if not found or len(lengths) > 1 or any(len(kind.shape) > 2 for kind in found.values()):
        return None
    (length,) = lengths
    if len(found) > 1 and not names:
        return None
    for name, kind in arrays.items():
        is_column = name not in found and kind.shape[:1] == (length,) and len(_shape(found)) == 2
        if is_column and (kind.kind == "text" or _is_named(name, USUAL_IDS | USUAL_LABELS)):
            return None
    return next(iter(found.values()))


def _check_groups(file: ArrayFile) -> None:
    """SchemaError when a group holds many videos with ids of their own."""
    for name, kind in file.arrays.items():
        group, _, leaf = name.rpartition("/")
        if group and kind.kind == "text" and len(kind.shape) == 1 and kind.shape[0] > 1:
            what = f"'{group}' holds ids of many videos, '{leaf}'"
            raise SchemaError(what, where=file.path, hint="copy each group into a file of its own")


def _features(arrays: Mapping[str, ArrayType], names: frozenset[str] | None = None) -> dict[str, ArrayType]:
    """Arrays (N, D) or (N, T, D) that can be features, with one of the names."""
    return {
        name: kind
        for name, kind in arrays.items()
        if (
            (kind.kind == "float" and len(kind.shape) in (2, 3))
            or (kind.kind == "byte" and len(kind.shape) == 3)
        )
        and (names is None or _is_named(name, names))
    }


def _videos(arrays: Mapping[str, ArrayType]) -> dict[str, ArrayType]:
    """Arrays (D,) or (T, D) that can be one video each: those of the most common shape but for T."""
    shaped: dict[tuple[str, tuple[int, ...]], dict[str, ArrayType]] = {}
    for name, kind in arrays.items():
        size = len(kind.shape)
        if (kind.kind == "float" and size in (1, 2) and kind.shape[-1] > 1) or (
            kind.kind == "byte" and size == 2
        ):
            shaped.setdefault((kind.kind, (size, kind.shape[-1])), {})[name] = kind
    return max(shaped.values(), key=len, default={})


def _shape(arrays: Mapping[str, ArrayType]) -> tuple[int, ...]:
    return next(iter(arrays.values())).shape


def _is_named(name: str, names: frozenset[str]) -> bool:
    return last_part(name) in names

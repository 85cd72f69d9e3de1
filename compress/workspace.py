"""The workspace: a folder with `compress.toml`, which says where the videos are, and defaults of options.

    train = ["video/train*.tfrecord"]        shards to train on
    validate = ["video/validate*.tfrecord"]  shards to measure on
    train_frames = ["frame/train*.tfrecord"]        frames of the same videos, for encoders that read
    validate_frames = ["frame/validate*.tfrecord"]  frames (optional)
    validate_fraction = 0.1                  instead of validate: this share of train, by a hash of the id
    near_duplicates = "near-duplicates.csv"  with it: groups of videos that are on one side (optional)
    vocabulary = "vocabulary.csv"            names of the classes (optional)
    num_classes = 3862                       if the shards do not say (optional)
    features = ["rgb", "audio"]              names in the files, where they cannot be seen (all optional);
    id = "vid"                               also labels, label_separator, level and segments

    [defaults]                               of options of the same name (all optional)
    seed = 0

All that commands make is beside it: runs/, embeddings/, evaluation/, reports/, cache/.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from compress.description import NOTHING_SAID, Description, typed_path, with_labels_in
from compress.doors.toml import read_toml
from compress.errors import ConfigError, NotFoundError, StorageError, UsageError
from compress.limits import LIMITS

if TYPE_CHECKING:
    from compress.datasets.part import Part

FILE_NAME = "compress.toml"
OnCorrupt = Literal["fail", "skip", "quarantine"]
PATTERNS = ("train", "validate", "train_frames", "validate_frames")
_SINGLE = ("vocabulary", "num_classes", "validate_fraction", "near_duplicates")
DESCRIBED = tuple(item.name for item in fields(Description))
CHOICES: dict[str, tuple[str, ...]] = {
    "device": ("auto", "cpu", "cuda"),
    "preset": ("best", "paper"),
    "on_corrupt": ("fail", "skip", "quarantine"),
}


@dataclass(frozen=True)
class Defaults:
    """The values of options that neither a flag nor the environment sets.

    Args:
        seed: of every random choice; >= 0.
        threads: CPU threads; 0: as many as this process may use.
        device: "auto", "cpu" or "cuda".
        preset: training recipe, "best" or "paper".
        codec: how `encode` stores embeddings (see `compress.codecs`).
        on_corrupt: what to do with a damaged record, "fail", "skip" or "quarantine".
    """

    seed: int = 0
    threads: int = 0
    device: str = "auto"
    preset: str = "best"
    codec: str = "float32"
    on_corrupt: OnCorrupt = "fail"


@dataclass(frozen=True)
class Workspace:
    """One folder of work. Relative patterns and paths start at `root`.

    Args:
        root: the folder, absolute.
        train, validate: glob patterns or paths of shards, absolute.
        train_frames, validate_frames: the same, of frame-level shards of these videos; both, or neither.
        validate_fraction: instead of `validate`, in (0, 1): a hash of the id takes these from `train`.
        near_duplicates: with it, the file of groups of videos that are on one side; absolute, or None.
        vocabulary: file with the names of the classes, absolute, or None.
        num_classes: C if the shards do not say, or None.
        defaults: of options.
        description: names in the files, where they cannot be seen.
    """

    root: Path
    train: tuple[str, ...] = ()
    validate: tuple[str, ...] = ()
    vocabulary: Path | None = None
    num_classes: int | None = None
    defaults: Defaults = field(default_factory=Defaults)
    train_frames: tuple[str, ...] = ()
    validate_frames: tuple[str, ...] = ()
    description: Description = NOTHING_SAID
    validate_fraction: float | None = None
    near_duplicates: Path | None = None

    @property
    def runs(self) -> Path:
        """Where trainings are kept, one folder each."""
        return self.root / "runs"

    @property
    def embeddings(self) -> Path:
        """Where stores and, beside each, its index are kept."""
        return self.root / "embeddings"

    @property
    def evaluation(self) -> Path:
        """Where the figures of stores and runs are kept, one JSON file each."""
        return self.root / "evaluation"

    @property
    def reports(self) -> Path:
        """Where reports are written."""
        return self.root / "reports"

    @property
    def cache(self) -> Path:
        """What can be made again, such as tables built from shards."""
        return self.root / "cache"

    def patterns(self, split: str, level: str) -> tuple[str, ...]:
        """Where the shards of "train" or "validate" are; none for any other split.

        Args:
            split: name of the split.
            level: "frame" prefers frame-level shards, if the workspace has them; "video" does not.
        """
        frames = {"train": self.train_frames, "validate": self.validate_frames}
        features = {"train": self.train, "validate": self.validate}
        if self.validate_fraction is not None:  # both sides are in the same files
            frames["validate"], features["validate"] = self.train_frames, self.train
        return (frames.get(split, ()) if level == "frame" else ()) or features.get(split, ())

    def part(self, split: str) -> Part | None:
        """Which videos of `patterns` a split has, where the training videos are divided; None for all.

        Raises:
            NotFoundError, DataError: the file of groups is gone or wrong.
        """
        if self.validate_fraction is None or split not in ("train", "validate"):
            return None
        from compress.datasets.part import Part, read_groups  # Loads numpy.

        groups = {} if self.near_duplicates is None else read_groups(self.near_duplicates)
        return Part("train" if split == "train" else "validate", self.validate_fraction, groups)

    def run(self, name: str) -> Path:
        """The folder of one training."""
        return self.runs / name

    def store(self, name: str) -> Path:
        """The file of one set of embeddings."""
        return self.embeddings / f"{name}.h5"

    def index(self, name: str) -> Path:
        """The folder of the index of a store."""
        return self.embeddings / f"{name}.index"


def find_workspace(folder: Path | None = None) -> Workspace:
    """The workspace in `folder`; None: the nearest with a compress.toml from here upwards, otherwise here.

    Raises:
        NotFoundError: `folder` was named and has no compress.toml.
        ConfigError: compress.toml is wrong.
    """
    if folder is not None:
        if not (folder / FILE_NAME).is_file():
            raise NotFoundError(
                f"no {FILE_NAME} in this folder", where=folder, hint="`compress init` makes a workspace"
            )
        return load_workspace(folder)
    here = Path.cwd()
    for candidate in (here, *here.parents):
        if (candidate / FILE_NAME).is_file():
            return load_workspace(candidate)
    return Workspace(root=here)


def load_workspace(folder: Path) -> Workspace:
    """Read and check `folder`/compress.toml.

    Raises:
        ConfigError: not TOML, an unknown key (names the closest known one), or a value of the wrong kind.
    """
    root = folder.resolve()
    path = root / FILE_NAME
    try:
        content = read_toml(path)
    except StorageError as error:
        raise ConfigError(error.what, where=path) from error
    _refuse_unknown(content, (*PATTERNS, *_SINGLE, *DESCRIBED, "defaults"), path)
    vocabulary = _value(content, "vocabulary", str, None, path)
    groups = _value(content, "near_duplicates", str, None, path)
    num_classes = _value(content, "num_classes", int, None, path)
    _within("num_classes", num_classes, path)
    patterns = {key: _patterns(content, key, path) for key in PATTERNS}
    fraction = _value(content, "validate_fraction", float, None, path)
    _within("validate_fraction", fraction, path)
    if fraction is not None and (patterns["validate"] or patterns["validate_frames"]):
        raise ConfigError(
            "validate_fraction takes videos from train, so validate must not be there", where=path
        )
    if fraction is None and bool(patterns["train_frames"]) != bool(patterns["validate_frames"]):
        raise ConfigError("train_frames and validate_frames need each other", where=path)
    return Workspace(
        root=root,
        **patterns,
        vocabulary=None if vocabulary is None else root / typed_path(vocabulary),
        num_classes=num_classes,
        defaults=_defaults(_value(content, "defaults", dict, {}, path), path),
        description=_description(content, path),
        validate_fraction=fraction,
        near_duplicates=None if groups is None else root / groups,
    )


def _description(content: Mapping[str, Any], path: Path) -> Description:
    """The names in the files; a list of one feature may be a text."""
    said = {key: content[key] for key in DESCRIBED if key in content}
    for key in ("id", "labels", "label_separator", "level"):
        _value(content, key, str, None, path)
    features = said.get("features")
    if features is not None:
        names = [features] if isinstance(features, str) else features
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ConfigError("features must be a name or a list of names", where=path)
        said["features"] = tuple(names)
    if not isinstance(said.get("segments", False), bool):
        raise ConfigError("segments must be true or false", where=path)
    try:
        return with_labels_in(Description(**said), path.parent)
    except UsageError as error:
        raise ConfigError(f"{error.where.removeprefix('--')}: {error.what}", where=path) from error


def _patterns(content: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    value = content.get(key, [])
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ConfigError(f"{key} must be a pattern or a list of patterns", where=path)
    return tuple(str(path.parent / typed_path(item)) for item in items)


def _defaults(content: Mapping[str, Any], path: Path) -> Defaults:
    known = {item.name: item.default for item in fields(Defaults)}
    _refuse_unknown(content, tuple(known), path)
    chosen = {key: _value(content, key, type(known[key]), None, path) for key in content}
    for key in ("seed", "threads"):
        _within(key, chosen.get(key), path)
    for key, choices in CHOICES.items():
        if chosen.get(key, choices[0]) not in choices:
            raise ConfigError(f"{key} must be one of {', '.join(choices)}, not {chosen[key]!r}", where=path)
    if "codec" not in chosen:
        return Defaults(**chosen)
    from compress.codecs import canonical  # Loads numpy, which `compress --help` does without.

    try:
        return Defaults(**{**chosen, "codec": canonical(chosen["codec"])})
    except UsageError as error:
        raise ConfigError(f"codec: {error.what}", where=path, hint=error.hint) from error


def _within(key: str, value: float | None, path: Path) -> None:
    if value is not None and not LIMITS[key].allows(value):
        raise ConfigError(f"{key} must be {LIMITS[key]}, not {value}", where=path)


def _refuse_unknown(content: Mapping[str, Any], known: Sequence[str], path: Path) -> None:
    for key in content:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError(f"unknown key {key!r}", where=path, hint=hint)


def _value(content: Mapping[str, Any], key: str, kind: type, default: Any, path: Path) -> Any:
    value = content.get(key, default)
    # To Python, bool is an int; to a person, `seed = true` is a mistake.
    if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
        names = {str: "a string", int: "a whole number", float: "a number such as 0.1", dict: "a table"}
        raise ConfigError(f"{key} must be {names[kind]}, not {value!r}", where=path)
    return value

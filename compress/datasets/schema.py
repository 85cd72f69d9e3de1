"""The schema of a data set: level, feature names and sizes, number of classes, key of the video id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from compress.description import Level as Level
from compress.errors import SchemaError

# Labels are kept as int32.
MAX_CLASSES = 2**31 - 1

NUM_CLASSES_HINT = "give --num-classes N, or write num_classes = N into compress.toml"
"""For errors when neither labels nor settings give the number of classes."""


@dataclass(frozen=True)
class FeatureSchema:
    """The shape of every record of a source.

    Args:
        level: "video" (float32 features) or "frame" (a sequence of frames).
        names: features in the order in which they are concatenated, e.g. ("mean_rgb", "mean_audio").
        dims: the size of each feature, same order.
        num_classes: C, at most MAX_CLASSES; labels are in [0, C).
        id_key: key of the video id, "id" (2018 release) or "video_id" (2017 release, AudioSet).
        synthetic_frames: the frames were expanded from video-level features.
        max_frames: frames after this many are cut while reading; None keeps all.
        class_names: of data whose labels are names, by class index; empty for a class without a name, and ()
            where labels are numbers. Two schemas that differ in nothing else are equal.
        float_frames: frames are float32 numbers and not uint8 codes.
    """

    level: Level
    names: tuple[str, ...]
    dims: tuple[int, ...]
    num_classes: int
    id_key: str
    synthetic_frames: bool = False
    max_frames: int | None = None
    # Not compared, and neither is shown: the fingerprints of older runs contain the text of a schema.
    class_names: tuple[str, ...] = field(default=(), compare=False, repr=False)
    float_frames: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        if self.level not in ("video", "frame"):
            raise SchemaError(f"level must be 'video' or 'frame', not {self.level!r}")
        if not self.names or len(self.names) != len(self.dims) or len(set(self.names)) != len(self.names):
            raise SchemaError(f"feature names ({', '.join(self.names)}) do not fit dims {self.dims}")
        if min(self.dims) < 1 or self.num_classes < 1:
            raise SchemaError(f"dims {self.dims} and num_classes {self.num_classes} must be at least 1")
        if self.num_classes > MAX_CLASSES:
            raise SchemaError(f"num_classes is {self.num_classes}, at most {MAX_CLASSES} are possible")
        if self.max_frames is not None and self.max_frames < 1:
            raise SchemaError(f"max_frames must be at least 1, not {self.max_frames}")
        if self.class_names and len(self.class_names) != self.num_classes:
            what = f"there are {len(self.class_names)} class names for {self.num_classes} classes"
            raise SchemaError(what)

    @property
    def dim(self) -> int:
        """Size of the concatenated features."""
        return sum(self.dims)

    @property
    def row_type(self) -> str:
        """numpy's type of a row: float32, or uint8 for frames that are codes."""
        return "<f4" if self.level == "video" or self.float_frames else "|u1"

    def to_json(self) -> dict[str, Any]:
        """A JSON-able dict that `from_json` reads back."""
        value = {**asdict(self), "names": list(self.names), "dims": list(self.dims)}
        names = value.pop("class_names")  # absent where there are none, as in what older versions wrote
        if not self.float_frames:  # the same
            del value["float_frames"]
        return {**value, "class_names": list(names)} if names else value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FeatureSchema:
        """The schema that `to_json` wrote; SchemaError when a field is missing or unknown."""
        try:
            dims = tuple(int(dim) for dim in value["dims"])
            names, class_names = tuple(value["names"]), tuple(value.get("class_names", ()))
            return cls(**{**value, "names": names, "class_names": class_names, "dims": dims})
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"not a feature schema: {error}") from error


YT8M_2018_VIDEO = FeatureSchema("video", ("mean_rgb", "mean_audio"), (1024, 128), 3862, "id")
YT8M_2018_FRAME = FeatureSchema("frame", ("rgb", "audio"), (1024, 128), 3862, "id")
YT8M_2017_VIDEO = FeatureSchema("video", ("mean_rgb", "mean_audio"), (1024, 128), 4716, "video_id")
YT8M_2017_FRAME = FeatureSchema("frame", ("rgb", "audio"), (1024, 128), 4716, "video_id")
AUDIOSET = FeatureSchema("frame", ("audio_embedding",), (128,), 527, "video_id")

RELEASES = (YT8M_2018_VIDEO, YT8M_2018_FRAME, YT8M_2017_VIDEO, YT8M_2017_FRAME, AUDIOSET)

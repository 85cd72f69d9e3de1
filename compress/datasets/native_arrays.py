"""The arrays that C code fills with records: reused from block to block, grown when a record asks for it."""

from __future__ import annotations

import numpy as np

from compress.datasets.blocks import Block
from compress.datasets.native_layout import NEEDS_CLASSES, NEEDS_ROWS, NEEDS_WIDER_IDS, BlockStruct
from compress.datasets.record import FrameRecord, Record
from compress.datasets.schema import FeatureSchema
from compress.datasets.validation import MAX_ID_BYTES

_ID_WIDTH, _CLASSES_A_VIDEO, _FRAMES = 16, 8, 256


class Arrays:
    """Room for a block, and the block in the making.

    Memory that was touched once stays: fresh pages cost as much as reading the shard.

    Args:
        schema: what the records are.
    """

    def __init__(self, schema: FeatureSchema) -> None:
        self._frame_level = schema.level == "frame"
        self._ids = np.zeros(0, dtype=f"S{_ID_WIDTH}")
        self._num_labels, self._num_frames = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        self._classes = np.zeros(0, dtype=np.int32)
        dtype = np.uint8 if self._frame_level else np.float32
        self._rows = np.zeros((0, schema.dim), dtype=dtype)
        self.struct = BlockStruct()

    def __len__(self) -> int:
        return int(self.struct.videos)

    def start(self, videos: int) -> None:
        """An empty block for at most so many."""
        self.struct.videos = self.struct.classes = self.struct.rows = 0
        if videos > len(self._ids):
            self._ids = np.empty(videos, dtype=self._ids.dtype)
            self._num_labels, self._num_frames = np.empty(videos, np.int64), np.empty(videos, np.int64)
        if _CLASSES_A_VIDEO * videos > len(self._classes):
            self._classes = np.empty(_CLASSES_A_VIDEO * videos, np.int32)
        rows = _FRAMES if self._frame_level else videos
        if rows > len(self._rows):
            self._rows = np.empty((rows, self._rows.shape[1]), self._rows.dtype)
        self._tell(videos)

    def grow(self, needed: int) -> None:
        """Twice the room for what one of the NEEDS_ codes says, what is there stays."""
        if needed == NEEDS_WIDER_IDS:
            self._ids = self._ids.astype(f"S{min(2 * self._ids.itemsize, MAX_ID_BYTES)}")
        elif needed == NEEDS_CLASSES:
            self._classes = _doubled(self._classes, self.struct.classes)
        else:
            self._rows = _doubled(self._rows, self.struct.rows)
        self._tell(self.struct.max_videos)

    def append(self, record: Record) -> None:
        """A record that Python parsed."""
        rows = record.frames if isinstance(record, FrameRecord) else record.features[None]
        self._make_room(record, len(rows))
        row, classes, video = self.struct.rows, self.struct.classes, self.struct.videos
        self._ids[video], self._num_labels[video] = record.video_id, len(record.labels)
        self._num_frames[video] = len(rows)
        self._classes[classes : classes + len(record.labels)] = record.labels
        self._rows[row : row + len(rows)] = rows
        self.struct.rows, self.struct.classes = row + len(rows), classes + len(record.labels)
        self.struct.videos += 1

    def block(self) -> Block:
        """What was filled, as views."""
        videos = len(self)
        return Block(
            self._ids[:videos],
            self._num_labels[:videos],
            self._classes[: self.struct.classes],
            self._rows[: self.struct.rows],
            self._num_frames[:videos] if self._frame_level else None,
        )

    def _make_room(self, record: Record, rows: int) -> None:
        while len(record.video_id) > self._ids.itemsize:
            self.grow(NEEDS_WIDER_IDS)
        while self.struct.classes + len(record.labels) > len(self._classes):
            self.grow(NEEDS_CLASSES)
        while self.struct.rows + rows > len(self._rows):
            self.grow(NEEDS_ROWS)

    def _tell(self, videos: int) -> None:
        struct = self.struct
        struct.max_videos, struct.max_classes, struct.max_rows = videos, len(self._classes), len(self._rows)
        struct.id_width, struct.ids = self._ids.itemsize, self._ids.ctypes.data
        struct.num_labels, struct.num_frames = self._num_labels.ctypes.data, self._num_frames.ctypes.data
        struct.class_of, struct.row_of = self._classes.ctypes.data, self._rows.ctypes.data


def _doubled(array: np.ndarray, used: int) -> np.ndarray:
    larger = np.empty((2 * len(array), *array.shape[1:]), array.dtype)
    larger[:used] = array[:used]
    return larger

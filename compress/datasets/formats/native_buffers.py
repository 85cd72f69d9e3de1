"""The ctypes structs of the C record reader, and the arrays that it fills.

The structs are those of native/record.h and native/shard.c; keep both the same.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_void_p
from pathlib import Path

import numpy as np

from compress import native
from compress.datasets.formats.layout import Layout
from compress.datasets.record import Block, FrameRecord, Record
from compress.datasets.schema import FeatureSchema
from compress.datasets.validation import MAX_ID_BYTES

FOLDER = Path(__file__).resolve().parent.parent / "native"
NO_LIMIT = 2**63 - 1

# What read_chunk returns: why it stopped.
REFUSED, NEEDS_WIDER_IDS, NEEDS_CLASSES, NEEDS_ROWS = 1, 2, 3, 4
BLOCK_FULL, NEEDS_BYTES, DAMAGED = 10, 11, 12

_ID_WIDTH, _CLASSES_PER_VIDEO, _FRAMES = 16, 8, 256


def _fields(kind: type, names: str) -> list[tuple[str, type]]:
    return [(name, kind) for name in names.split()]


class NameStruct(ctypes.Structure):
    """Bytes of known length."""

    _fields_ = (("letters", c_char_p), ("size", c_int64))


class SchemaStruct(ctypes.Structure):
    """The schema of every record."""

    _fields_ = (
        *_fields(c_int64, "frame_level num_classes max_frames num_features dim"),
        ("id_key", NameStruct),
        ("names", POINTER(NameStruct)),
        ("dims", POINTER(c_int64)),
        ("found", POINTER(c_int64)),
    )


class BlockStruct(ctypes.Structure):
    """Arrays to fill, their sizes, and how much of them is used."""

    _fields_ = (
        *_fields(c_int64, "videos classes rows max_videos max_classes max_rows id_width"),
        *_fields(c_void_p, "ids num_labels class_of row_of num_frames"),
    )


class ChunkStruct(ctypes.Structure):
    """Bytes of a shard, and how many of them were parsed."""

    _fields_ = (("bytes", c_void_p), *_fields(c_int64, "size remaining at index data_size needed"))


def load() -> ctypes.CDLL | None:
    """The compiled reader; None without one or with COMPRESS_NATIVE=off."""
    library = native.load(FOLDER)
    if library is not None:
        library.read_chunk.argtypes = (POINTER(ChunkStruct), POINTER(SchemaStruct), POINTER(BlockStruct))
        library.read_chunk.restype = c_int32
    return library


def schema_struct(layout: Layout) -> SchemaStruct:
    """The layout for C; it contains scratch space, so each thread needs its own."""
    schema, count = layout.schema, len(layout.keys)
    names = (NameStruct * count)(*(_name(name) for name in layout.keys))
    return SchemaStruct(
        frame_level=schema.level == "frame",
        num_classes=schema.num_classes,
        max_frames=NO_LIMIT if schema.max_frames is None else schema.max_frames,
        num_features=count,
        dim=schema.dim,
        id_key=_name(layout.id_key),
        names=names,
        dims=(c_int64 * count)(*layout.sizes),
        found=(c_int64 * count)(),
    )


def _name(text: str) -> NameStruct:
    return NameStruct(text.encode(), len(text.encode()))


class Arrays:
    """The arrays of the current block: reused from block to block, grown when a record needs more.

    They are kept because fresh pages of memory cost as much time as reading the shard.
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
        """Begin an empty block of at most this many videos."""
        self.struct.videos = self.struct.classes = self.struct.rows = 0
        if videos > len(self._ids):
            self._ids = np.empty(videos, dtype=self._ids.dtype)
            self._num_labels, self._num_frames = np.empty(videos, np.int64), np.empty(videos, np.int64)
        if _CLASSES_PER_VIDEO * videos > len(self._classes):
            self._classes = np.empty(_CLASSES_PER_VIDEO * videos, np.int32)
        rows = _FRAMES if self._frame_level else videos
        if rows > len(self._rows):
            self._rows = np.empty((rows, self._rows.shape[1]), self._rows.dtype)
        self._tell(videos)

    def grow(self, needed: int) -> None:
        """Double the array that one of the NEEDS_ codes names; its contents stay."""
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

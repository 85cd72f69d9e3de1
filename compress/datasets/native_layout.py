"""The structs of native/record.h and native/shard.c as ctypes sees them; keep both alike."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_void_p
from pathlib import Path

from compress import native
from compress.datasets.schema import FeatureSchema

FOLDER = Path(__file__).resolve().parent / "native"
NO_LIMIT = 2**63 - 1

# What read_chunk returns: why it stopped.
REFUSED, NEEDS_WIDER_IDS, NEEDS_CLASSES, NEEDS_ROWS = 1, 2, 3, 4
BLOCK_FULL, NEEDS_BYTES, DAMAGED = 10, 11, 12


class NameStruct(ctypes.Structure):
    """Bytes of known length."""

    _fields_ = (("letters", c_char_p), ("size", c_int64))


class SchemaStruct(ctypes.Structure):
    """What every record has to be."""

    _fields_ = (
        ("frame_level", c_int64),
        ("num_classes", c_int64),
        ("require_labels", c_int64),
        ("max_frames", c_int64),
        ("num_features", c_int64),
        ("dim", c_int64),
        ("id_key", NameStruct),
        ("names", POINTER(NameStruct)),
        ("dims", POINTER(c_int64)),
        ("found", POINTER(c_int64)),
    )


class BlockStruct(ctypes.Structure):
    """Arrays to be filled, their sizes, and how much of them is in use."""

    _fields_ = (
        ("videos", c_int64),
        ("classes", c_int64),
        ("rows", c_int64),
        ("max_videos", c_int64),
        ("max_classes", c_int64),
        ("max_rows", c_int64),
        ("id_width", c_int64),
        ("ids", c_void_p),
        ("num_labels", c_void_p),
        ("class_of", c_void_p),
        ("row_of", c_void_p),
        ("num_frames", c_void_p),
    )


class ChunkStruct(ctypes.Structure):
    """Bytes of a shard, and how far they are understood."""

    _fields_ = (
        ("bytes", c_void_p),
        ("size", c_int64),
        ("remaining", c_int64),
        ("at", c_int64),
        ("index", c_int64),
        ("data_size", c_int64),
        ("needed", c_int64),
    )


def load() -> ctypes.CDLL | None:
    """The compiled reader; None where there is none or COMPRESS_NATIVE=off."""
    library = native.load(FOLDER)
    if library is not None:
        library.read_chunk.argtypes = (POINTER(ChunkStruct), POINTER(SchemaStruct), POINTER(BlockStruct))
        library.read_chunk.restype = c_int32
    return library


def schema_struct(schema: FeatureSchema, require_labels: bool) -> SchemaStruct:
    """The schema for C; with scratch space, so each thread needs one of its own."""
    count = len(schema.names)
    names = (NameStruct * count)(*(_name(name) for name in schema.names))
    return SchemaStruct(
        frame_level=schema.level == "frame",
        num_classes=schema.num_classes,
        require_labels=require_labels,
        max_frames=NO_LIMIT if schema.max_frames is None else schema.max_frames,
        num_features=count,
        dim=schema.dim,
        id_key=_name(schema.id_key),
        names=names,
        dims=(c_int64 * count)(*schema.dims),
        found=(c_int64 * count)(),
    )


def _name(text: str) -> NameStruct:
    return NameStruct(text.encode(), len(text.encode()))

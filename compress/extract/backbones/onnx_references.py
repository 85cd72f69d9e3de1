"""Whether an ONNX model refers to other files: onnxruntime would read whatever file it names.

Source: onnx.proto3 of ONNX 1.16 (fields of ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto)
and the wire format of protocol buffers.
"""

from __future__ import annotations

from collections.abc import Iterator

# Message -> its fields that lead to a tensor, with the message in them.
_FIELDS = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def refers_to_files(data: bytes) -> bool:
    """Whether a tensor of a model lies in another file; call it inside `guarded`.

    Raises:
        ValueError, IndexError, RecursionError: it is no message.
    """
    return _refers(memoryview(data), "model")


def _refers(data: memoryview, message: str) -> bool:
    for number, value in _fields(data):
        if message == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value)):
            return True
        inner = _FIELDS[message].get(number)
        if inner is not None and isinstance(value, memoryview) and _refers(value, inner):
            return True
    return False


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of every field: a whole number, or the bytes of a text or message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind not in (_BYTES, _EIGHT, _FOUR):
            raise ValueError(f"a field has the wire type {kind}")
        size, at = _varint(data, at) if kind == _BYTES else ({_EIGHT: 8, _FOUR: 4}[kind], at)
        if size > len(data) - at:
            raise ValueError("a field ends behind its message")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number has no end")

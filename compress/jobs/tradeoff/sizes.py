"""Stored bytes a video of a codec that is not built yet: a plan needs them before anything is trained."""

from __future__ import annotations

from compress.codecs.names import BY_BYTES, RABITQ, CodecSpec
from compress.codecs.rabitq import FACTOR_BYTES

_BITS = {"float32": 32, "float16": 16, "int8": 8, "int4": 4, "binary": 1}


def stored_bytes(codec: CodecSpec, dim: int) -> int:
    """Bytes of an embedding of `dim` numbers, as the codec will tell them itself."""
    if codec.family in BY_BYTES and codec.parameter is not None:
        return codec.parameter
    if codec.family == RABITQ:
        return (codec.parameter or 1) * -(-dim // 8) + FACTOR_BYTES
    return -(-dim * _BITS[codec.family] // 8)

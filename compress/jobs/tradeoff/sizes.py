"""Stored bytes a video of a codec that is not built yet: a plan needs them before anything is trained."""

from __future__ import annotations

from compress.codecs.names import BY_BYTES, CodecSpec

_BITS = {"float32": 32, "float16": 16, "int8": 8, "int4": 4, "binary": 1}


def stored_bytes(codec: CodecSpec, dim: int) -> int:
    """Bytes of an embedding of `dim` numbers; of rabitq the codes alone, without its factors.

    Only a plan is sorted by it: what is measured tells its bytes itself.
    """
    if codec.family in BY_BYTES and codec.parameter is not None:
        return codec.parameter
    bits = _BITS.get(codec.family) or codec.parameter or 1
    return -(-dim * bits // 8)

"""Embeddings <-> stored bytes: one file per codec, which registers itself."""

# A new codec is a file here and its name in this list.
from compress.codecs import (  # noqa: F401
    binary,
    float16,
    float32,
    int4,
    int8,
    product,
    rabitq,
    residual,
    rotated_product,
)
from compress.codecs.base import Codec as Codec
from compress.codecs.base import sample_rows as sample_rows
from compress.codecs.base import stored_bytes as stored_bytes
from compress.codecs.names import canonical as canonical
from compress.codecs.names import forms as forms
from compress.codecs.names import parse_codec as parse_codec
from compress.codecs.names import pattern as pattern

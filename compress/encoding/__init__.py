"""Videos through a trained encoder: shards into a store, arrays into arrays."""

from compress.encoding.store import EncodeResult as EncodeResult
from compress.encoding.store import encode as encode
from compress.encoding.vectors import embed as embed

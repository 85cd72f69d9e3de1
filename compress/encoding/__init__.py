"""From shards through a trained encoder to a store."""

from compress.encoding.embedder import Embedder as Embedder
from compress.encoding.store import EncodeResult as EncodeResult
from compress.encoding.store import encode as encode

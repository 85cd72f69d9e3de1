"""Make video embeddings small, and prove that nothing was lost: everything for a notebook on one page.

    load(run)                        a trained run -> Encoder
    Encoder.fit("linear", X, Y)      or one fitted on arrays; .encode(X) -> embeddings float32 (n, dim)
    Codec.fit("opq64", Z)            .encode(Z) -> codes of 64 bytes per row, .decode(codes) -> embeddings
    Index.build(Z, ids=ids)          .search(q, k=10) -> the nearest; arrays, codes or a store
    Collection.create(folder)        videos that come and go: .add, .delete, .search(q, where="...")
    open_store(path)                 embeddings in HDF5: .ids, .labels, .rows(...)
    gap(scores, labels) ...          GAP@20, MAP, Hit@1 and PERR of the YouTube-8M evaluation
    judge(Z, Y, Z_test, Y_test)      what a fresh classifier still learns from embeddings, with intervals
    Compressor(dim=320).fit(X, Y)    encoder and codec as one scikit-learn estimator

Whatever goes in may be a list, an array of any number type, or a tensor; paths are str or Path. What is wrong
with it is said in one sentence, as a `CompressError`. Names are imported when they are first used: `import
compress` alone loads neither torch nor faiss.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compress.codecs import Codec as Codec
    from compress.collection.collection import Collection as Collection
    from compress.compressor import Compressor as Compressor
    from compress.encoder import Encoder as Encoder
    from compress.encoder import load as load
    from compress.errors import CompressError as CompressError
    from compress.evaluation.judge import judge as judge
    from compress.index import Index as Index
    from compress.metrics import gap as gap
    from compress.metrics import hit_at_one as hit_at_one
    from compress.metrics import mean_average_precision as mean_average_precision
    from compress.metrics import perr as perr
    from compress.store.reader import open_store as open_store

_HOMES = {
    "Codec": "compress.codecs",
    "Collection": "compress.collection.collection",
    "CompressError": "compress.errors",
    "Compressor": "compress.compressor",
    "Encoder": "compress.encoder",
    "Index": "compress.index",
    "gap": "compress.metrics",
    "hit_at_one": "compress.metrics",
    "judge": "compress.evaluation.judge",
    "load": "compress.encoder",
    "mean_average_precision": "compress.metrics",
    "perr": "compress.metrics",
    "open_store": "compress.store.reader",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'compress' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

"""Make video embeddings small, and prove that nothing was lost: the public API on one page.

    open_source(patterns), load_table(source)         shards -> videos
    train_config(encoder, dim), train(...)            videos -> a trained encoder
    load_model(run)                                   -> the encoder, its head, what it was trained on
    encode(run, splits, store)                        shards -> embeddings in HDF5
    Codec.fit("opq64", embeddings)                    embeddings -> few bytes per video, and back
    open_store(path)                                  -> ids, labels, embeddings
    build_index(store, folder), open_index(folder)    embeddings -> neighbours
    evaluate(workspace, name)                         does a fresh head still classify as well?
    load_rows(folder), table4(rows), write_report()   -> Table 4

Names are imported when they are first used: `import compress` alone loads neither torch nor faiss.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compress.codecs import Codec as Codec
    from compress.datasets import load_table as load_table
    from compress.datasets import open_source as open_source
    from compress.encoding import encode as encode
    from compress.evaluation import evaluate as evaluate
    from compress.index import build_index as build_index
    from compress.index import open_index as open_index
    from compress.reports import load_rows as load_rows
    from compress.reports import table4 as table4
    from compress.reports import write_report as write_report
    from compress.store.reader import open_store as open_store
    from compress.training import load_model as load_model
    from compress.training import train as train
    from compress.training import train_config as train_config
    from compress.workspace import Workspace as Workspace

_HOMES = {
    "Codec": "compress.codecs",
    "open_source": "compress.datasets",
    "load_table": "compress.datasets",
    "train_config": "compress.training",
    "train": "compress.training",
    "load_model": "compress.training",
    "encode": "compress.encoding",
    "open_store": "compress.store.reader",
    "build_index": "compress.index",
    "open_index": "compress.index",
    "evaluate": "compress.evaluation",
    "load_rows": "compress.reports",
    "table4": "compress.reports",
    "write_report": "compress.reports",
    "Workspace": "compress.workspace",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'compress' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

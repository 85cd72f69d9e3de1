"""A small file of every format that is read, and the function that reads all of it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import safetensors.torch
import torch

from compress.codecs import Codec
from compress.datasets import features_pb2 as messages
from compress.datasets.formats.framing import frame
from compress.datasets.formats.label_csv import read_label_csv
from compress.datasets.source import open_source
from compress.datasets.vocabulary import load_vocabulary
from compress.description import Description
from compress.extract.backbones.onnx import check_self_contained, read_description
from compress.extract.backbones.weights import read_weights
from compress.faiss_engine import faiss, read_index
from compress.index.faiss_index import check_loaded
from compress.store.reader import open_store
from compress.workspace import load_workspace
from tests.store.test_hostile import forge

ROWS, DIM = 12, 6
FEATURES = np.random.default_rng(0).normal(size=(ROWS, DIM)).astype(np.float32)


@dataclass(frozen=True)
class Sort:
    """A kind of file: how it is written, and how it is read."""

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]


def videos(path: Path) -> object:
    source = open_source([str(path)], num_classes=5, description=Description(features=None))
    return [
        (record.video_id, record.features.tolist())
        for shard in source.shards
        for record in source.read(shard)
    ]


def columns() -> pa.Table:
    rows = pa.array(FEATURES.tolist(), pa.list_(pa.float32()))
    return pa.table(
        {
            "features": rows,
            "id": [f"v{row}" for row in range(ROWS)],
            "labels": [[row % 5] for row in range(ROWS)],
        }
    )


def records() -> bytes:
    def record(row: int) -> bytes:
        example = messages.Example()
        feature = example.features.feature
        feature["id"].bytes_list.value.append(b"v%d" % row)
        feature["labels"].int64_list.value.append(row % 5)
        feature["mean_rgb"].float_list.value.extend(FEATURES[row].tolist())
        return example.SerializeToString()

    return b"".join(frame(record(row)) for row in range(ROWS))


def index(path: Path) -> None:
    module = faiss()
    found = module.index_factory(DIM, "IVF2,SQ8,Refine(SQfp16)", module.METRIC_INNER_PRODUCT)
    many = np.random.default_rng(0).normal(size=(200, DIM)).astype(np.float32)
    found.train(many)
    found.add(many)
    module.write_index(found, str(path))


def read_faiss(path: Path) -> object:
    found = read_index(path)
    check_loaded(found, path)
    return found.ntotal


def workspace(path: Path) -> object:
    return load_workspace(path.parent)


def sealed(path: Path) -> object:
    store = open_store(path)
    return store.rows(slice(0, 3)).tolist(), store.ids, store.metadata


ONNX = b"\x08\x08\x12\x00:\x0f*\x0d\x08\x01\x10\x01B\x01wJ\x04\x00\x00\x80?"
TOML = 'train = ["a*.tfrecord"]\nvalidate = ["b"]\nnum_classes = 5\n[defaults]\nseed = 1\n'
PICTURES = "size = 8\nresize = 9\nmean = [0.5, 0.5, 0.5]\nstd = [1, 1, 1]\n"
VOCABULARY = 'index,name\n0,cat\n1,dog\n2,"bird, small"\n'
LABELS = "id,labels\nv0,1 2\nv1,\"['a', 'b']\"\n"

SORTS = [
    Sort(
        "a.npy",
        lambda path: (
            np.save(path, FEATURES),
            path.with_name("a.labels.csv").write_text(
                "id,labels\n" + "".join(f"v{row},{row % 5}\n" for row in range(ROWS))
            ),
        ),
        videos,
    ),
    Sort("a.npz", lambda path: np.savez_compressed(path, features=FEATURES, ids=np.arange(ROWS)), videos),
    Sort("a.pt", lambda path: torch.save({"features": torch.from_numpy(FEATURES)}, path), videos),
    Sort("a.parquet", lambda path: pa.parquet.write_table(columns(), path), videos),
    Sort("a.arrow", lambda path: pa.feather.write_feather(columns(), str(path)), videos),
    Sort("a.tfrecord", lambda path: path.write_bytes(records()), videos),
    Sort("b.tfrecord", lambda path: path.write_bytes(gzip.compress(records())), videos),
    Sort("c.tfrecord", lambda path: path.write_bytes(zlib.compress(records())), videos),
    Sort(
        "a.safetensors",
        lambda path: path.write_bytes(safetensors.torch.save({"w": torch.ones(3)})),
        read_weights,
    ),
    Sort("w.pth", lambda path: torch.save({"w": torch.ones(3)}, path), read_weights),
    Sort(
        "a.onnx",
        lambda path: path.write_bytes(ONNX),
        lambda path: check_self_contained(path.read_bytes(), path),
    ),
    Sort("a.faiss", index, read_faiss),
    Sort("s.h5", forge, sealed),
    Sort("a.codec", lambda path: Codec.fit("int8", FEATURES).save(path), Codec.load),
    Sort("compress.toml", lambda path: path.write_text(TOML), workspace),
    Sort("m.toml", lambda path: path.write_text(PICTURES), read_description),
    Sort("vocabulary.csv", lambda path: path.write_text(VOCABULARY), load_vocabulary),
    Sort("labels.csv", lambda path: path.write_text(LABELS), read_label_csv),
    Sort(
        "vocabulary.csv.gz",
        lambda path: path.write_bytes(gzip.compress(VOCABULARY.encode())),
        load_vocabulary,
    ),
]

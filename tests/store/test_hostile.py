"""Files made to have HDF5 read elsewhere, load code, or allocate: refused before anything is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from compress.errors import CorruptArtifactError
from compress.store.audit import without_plugins
from compress.store.format import UserBlock, render_user_block
from compress.store.reader import open_store
from tests.store.examples import embeddings

SECRET = b"top secret bytes" * 10


def sealed(path: Path) -> Path:
    """Give a hostile file a right size and sha256: these prove that nothing changed, not that it is ours."""
    data = path.read_bytes()[4096:]
    block = UserBlock(4096 + len(data), hashlib.sha256(data).hexdigest())
    path.write_bytes(render_user_block(block) + data)
    return path


def forge(path: Path, change: Callable[[h5py.File], object] = lambda file: None) -> Path:
    """A store made with h5py alone, then changed by `change`, then sealed."""
    with h5py.File(path, "w", userblock_size=4096, libver=("v108", "latest")) as file:
        file["embeddings"] = embeddings()
        file["ids"] = np.array([b"%d" % row for row in range(10)])
        file["labels/indptr"] = np.arange(11)
        file["labels/indices"] = np.arange(10, dtype=np.int32)
        for name, value in {"schema_version": 1, "dim": 4, "num_classes": 20}.items():
            file.attrs[name] = np.int64(value)
        for name, text in {"codec": "float32", "splits": "{}", "metadata": "{}"}.items():
            file.attrs[name] = text
        change(file)
    return sealed(path)


def replace(name: str, **options: object) -> Callable[[h5py.File], object]:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, **options)  # type: ignore[arg-type]

    return change


def attribute(name: str, value: object) -> Callable[[h5py.File], object]:
    return lambda file: file.attrs.__setitem__(name, value)


def external_storage(file: h5py.File) -> None:
    del file["ids"]
    file.create_dataset("ids", (10,), "S16", external=[("secret", 0, 160)])


def external_link(file: h5py.File) -> None:
    del file["embeddings"]
    file["embeddings"] = h5py.ExternalLink("other.h5", "/embeddings")


def soft_link(file: h5py.File) -> None:
    del file["embeddings"]
    file["embeddings"] = h5py.SoftLink("/embeddings")


def group_link(file: h5py.File) -> None:
    file["codec"] = h5py.ExternalLink("other.h5", "/codec")


def virtual(file: h5py.File) -> None:
    del file["embeddings"]
    layout = h5py.VirtualLayout((10, 4), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "embeddings", (10, 4))
    file.create_virtual_dataset("embeddings", layout)


def ten_tebibytes(file: h5py.File) -> None:
    del file["embeddings"]
    file.create_dataset("embeddings", (2**38, 10), "f4")


def unknown_filter(file: h5py.File) -> None:
    del file["embeddings"]
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((10, 4))
    creation.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((10, 4))
    h5py.h5d.create(file.id, b"embeddings", h5py.h5t.IEEE_F32LE, space, creation)


def loop(file: h5py.File) -> None:
    file["codec/again"] = file["/"]


HOSTILE = {
    "external storage": (external_storage, "not one piece inside"),
    "external link": (external_link, "link to somewhere else"),
    "soft link loop": (soft_link, "link to somewhere else"),
    "group elsewhere": (group_link, "link to somewhere else"),
    "virtual dataset": (virtual, "not one piece inside"),
    "10 TiB claim": (ten_tebibytes, "claims|embeddings are"),
    "unknown filter": (unknown_filter, "not one piece inside"),
    "gzip": (replace("embeddings", data=embeddings(), compression="gzip"), "not one piece inside"),
    "group loop": (loop, "not a dataset"),
    "dataset for a group": (lambda file: file.create_dataset("codec", data=[1]), "codec is not a group"),
    "unknown dataset": (lambda file: file.create_dataset("extra", data=[1]), "its datasets are"),
    "no ids": (lambda file: file.__delitem__("ids"), "its datasets are"),
    "half the labels": (lambda file: file.__delitem__("labels/indptr"), "its datasets are"),
    "ids of any length": (replace("ids", data=["a"] * 10), "has type object"),
    "references": (replace("ids", shape=(10,), dtype=h5py.ref_dtype), "has type object"),
    "records": (replace("embeddings", data=np.zeros(10, [("a", "f4")])), "has type"),
    "other rows": (replace("embeddings", data=embeddings(9)), "embeddings are float32"),
    "other dims": (replace("embeddings", data=embeddings(10, 5)), "embeddings are float32"),
    "other type": (replace("embeddings", data=embeddings().astype("f8")), "embeddings are float64"),
    "big endian": (replace("embeddings", data=embeddings().astype(">f4")), "embeddings are >f4"),
    "a scalar": (replace("embeddings", data=np.float32(1)), "embeddings are float32"),
    "ids in 2 dims": (replace("ids", data=np.zeros((10, 1), "S3")), "ids are"),
    "codec state": (lambda file: file.create_dataset("codec/minimum", data=[1.0]), "has the arrays"),
    "unknown codec": (attribute("codec", "pq"), "is not a store: .*codec 'pq'"),
    "labels out of range": (attribute("num_classes", np.int64(3)), "a label is outside"),
    "indptr runs out": (replace("labels/indptr", data=np.arange(11) * 2), "indptr"),
    "indptr backwards": (replace("labels/indptr", data=np.arange(10, -1, -1)), "indptr"),
    "labels of another type": (replace("labels/indices", data=np.arange(10.0)), "labels are"),
    "more attributes": (attribute("extra", 1), "its attributes are"),
    "array attribute": (attribute("dim", np.array([4, 4])), "an attribute is not one value"),
    "text for a number": (attribute("dim", "4"), "attribute dim is not one int"),
    "number for a text": (attribute("codec", 4), "attribute codec is not one str"),
    "dim of zero": (attribute("dim", np.int64(0)), "at least 1 dimension"),
    "another version": (attribute("schema_version", np.int64(9)), "schema_version is 9"),
    "splits not JSON": (attribute("splits", "{"), "cannot be read"),
    "splits a list": (attribute("splits", "[]"), "not JSON objects"),
    "splits of text": (attribute("splits", '{"a": "xy"}'), "cannot be read"),
    "splits too long": (attribute("splits", '{"a": [0, 11]}'), "split 'a'"),
    "splits overlap": (attribute("splits", '{"a": [0, 6], "b": [5, 9]}'), "split 'b'"),
    "deep JSON": (attribute("metadata", "[" * 50_000), "cannot be read"),
}


def test_the_forgery_that_changes_nothing_opens(tmp_path: Path) -> None:
    store = open_store(forge(tmp_path / "a.h5"))
    assert np.array_equal(store.decode(0, 10), embeddings())


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_and_read_nothing_else(tmp_path: Path, name: str, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(SECRET)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["embeddings"] = embeddings()
    change, message = HOSTILE[name]
    with pytest.raises(CorruptArtifactError, match=message) as caught:
        open_store(forge(tmp_path / "a.h5", change))
    assert "secret bytes" not in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_hdf5_finds_no_plugins_while_we_read_and_all_of_them_after() -> None:
    before = [h5py.h5pl.get(position) for position in range(h5py.h5pl.size())]
    with without_plugins():
        assert h5py.h5pl.size() == 0
    assert [h5py.h5pl.get(position) for position in range(h5py.h5pl.size())] == before

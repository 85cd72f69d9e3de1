"""`compress export`: what the libraries of others read is what the store holds."""

from __future__ import annotations

import csv
from pathlib import Path

import faiss
import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from compress.codecs import Codec
from compress.index import rows as index_rows
from compress.store.reader import open_store
from tests.cli.handed_over import DIM, IDS, NUM, classes, rows, write_store


@pytest.fixture
def store(here: Path) -> Path:
    (here / "compress.toml").touch()
    return write_store(here / "embeddings" / "mine.h5", rows())


@pytest.fixture(params=["in one block", "in many blocks"])
def blocks(request, monkeypatch) -> None:
    if request.param == "in many blocks":
        monkeypatch.setattr(index_rows, "rows_per_block", lambda dim: 7)


def test_parquet_holds_ids_vectors_and_labels(store, here, compress, blocks):
    done = compress("export", "mine", "out.parquet")
    table = pq.read_table("out.parquet")

    assert done.code == 0, done.err
    assert str(table.schema.field("embedding").type) == f"fixed_size_list<element: float>[{DIM}]"
    assert table.column("id").to_pylist() == IDS
    assert table.column("labels").to_pylist() == classes()
    assert table.column("label_names").to_pylist()[0] == ["red", "=first"]
    np.testing.assert_array_equal(np.array(table.column("embedding").to_pylist(), np.float32), rows())
    assert table.schema.metadata[b"compress.store_sha256"].decode() == open_store(store).sha256


def test_npy_and_its_ids(store, here, compress, blocks):
    assert compress("export", "mine", "out.npy").code == 0
    np.testing.assert_array_equal(np.load("out.npy"), rows())
    assert Path("out.ids.txt").read_text().split("\n") == [*IDS, ""]


def test_safetensors(store, here, compress, blocks):
    assert compress("export", store, "out.safetensors").code == 0
    found = load_file("out.safetensors")
    assert list(found) == ["embeddings"]
    np.testing.assert_array_equal(found["embeddings"], rows())


def test_faiss(store, here, compress, blocks):
    assert compress("export", "mine", "out.faiss").code == 0
    index = faiss.read_index("out.faiss")
    assert (index.ntotal, index.metric_type) == (NUM, faiss.METRIC_INNER_PRODUCT)
    np.testing.assert_array_equal(index.reconstruct_n(0, NUM), rows())


def test_the_projector_gets_every_float_and_names_that_are_safe(store, here, compress, blocks):
    assert compress("export", "mine", "out.tsv").code == 0
    found = np.loadtxt("out.tsv", delimiter="\t", dtype=np.float32)
    with open("out.metadata.tsv", newline="", encoding="utf-8") as file:
        table = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

    np.testing.assert_array_equal(found, rows())
    assert table[0] == ["id", "labels"]
    assert len(table) == NUM + 1
    assert table[5][0] == "'=cmd|' /C calc'!A0"
    assert table[6][0] == "tab\\x09id"


def test_codes_are_decoded_and_a_split_is_that_part(store, here, compress):
    codec = Codec.fit("int8", rows())
    from compress.store.writer import open_writer

    writer = open_writer(
        here / "embeddings" / "small.h5",
        ids=np.array([name.encode() for name in IDS]),
        labels=None,
        codec=codec,
        splits={"train": (0, 40), "validate": (40, NUM)},
        metadata={},
    )
    with writer:
        writer.write(rows())
        writer.finish()
    assert compress("export", "small", "out.npy", "--split", "validate").code == 0
    assert compress("export", "small", "out.parquet").code == 0

    wanted = codec.decode(codec.encode(rows()))
    np.testing.assert_array_equal(np.load("out.npy"), wanted[40:])
    assert Path("out.ids.txt").read_text().splitlines() == IDS[40:]
    assert pq.read_table("out.parquet").column_names == ["id", "embedding"]


def test_an_id_with_a_line_break_is_refused_where_each_line_is_one(here, compress):
    (here / "compress.toml").touch()
    write_store(here / "odd.h5", rows(), ["two\nlines", *IDS[1:]])

    ended = compress("export", "odd.h5", "out.npy")
    assert (ended.code, "use --format parquet" in ended.err) == (65, True)
    assert not Path("out.npy").exists()
    assert compress("export", "odd.h5", "out.npy", "--format", "parquet").code == 0
    assert pq.read_table("out.npy").column("id")[0].as_py() == "two\nlines"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["mine", "there.npy"], 2, "is there already"),
        (["mine", "half.npy"], 2, "half.ids.txt: is there already"),
        (["mine", "out.xyz"], 2, ".parquet, .npy, .safetensors, .faiss, .tsv"),
        (["mine", "embeddings/mine.h5", "--format", "npy", "--replace"], 2, "is the store itself"),
        (["mien", "out.npy"], 66, "did you mean mine"),
        (["no.h5", "out.npy"], 66, "no such store"),
        (["mine", "out.npy", "--split", "test"], 66, "it has: train, validate"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(store, here, compress, words, code, says):
    for name in ("there.npy", "half.ids.txt"):
        Path(name).write_text("mine")
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    ended = compress("export", *words)

    assert (ended.code, says in ended.err) == (code, True), ended.err
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_replace_writes_over_what_is_there(store, here, compress):
    Path("out.npy").write_text("mine")
    assert compress("export", "mine", "out.npy", "--replace").code == 0
    assert np.load("out.npy").shape == (NUM, DIM)

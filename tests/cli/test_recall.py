"""`compress index` tells what the index loses and what the codec loses, or what is missing for that."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from compress.store.reader import open_store
from compress.store.writer import open_writer
from tests.index.test_recall import others, share, unit

RUN = "residual_cnn-24"


@pytest.fixture
def binary(inside: Path, compress) -> Path:
    assert compress("encode", "--name", RUN, "--codec", "binary").code == 0
    return inside


def rows(name: str) -> np.ndarray:
    store = open_store(f"embeddings/{name}.h5")
    return unit(store.decode(0, len(store)), "cosine")


def test_both_figures_are_told_by_name(compress, binary: Path):
    wanted = share(others(rows(RUN), rows(f"{RUN}-binary"), 10), others(rows(RUN), rows(RUN), 10))
    found = compress("index", "--name", f"{RUN}-binary", "--json").json["summary"]
    assert found["recall_at_10_stored"] == 1.0
    assert found["recall_at_10_float32"] == pytest.approx(wanted, abs=5e-3)
    assert wanted < 0.95
    assert (found["float32_store"], found["float32_command"]) == (RUN, None)
    told = compress("index", "--name", f"{RUN}-binary").out
    assert re.search(r"recall@10, stored rows +1\.0000 of an exact search of the decoded binary rows", told)
    figure = f"{found['recall_at_10_float32']:.4f}"
    assert re.search(rf"recall@10, float32 +{figure} of the embeddings in {RUN}\n", told)
    facts = compress("data", "inspect", f"embeddings/{RUN}-binary.index", "--json").json["findings"][0][
        "facts"
    ]
    assert facts["recall_at_10_stored"] == 1.0
    assert facts["recall_at_10_float32"] == found["recall_at_10_float32"]


def test_what_was_not_measured_says_so_and_the_command_that_is_named_works(compress, binary: Path):
    (binary / f"embeddings/{RUN}.h5").unlink()
    told = compress("index", "--name", f"{RUN}-binary").out
    command = re.search(r"recall@10, float32 +not measured: needs the float32 store, `(.*)`\n", told)
    assert command is not None, told
    shown = compress("data", "inspect", f"embeddings/{RUN}-binary.index").out
    assert re.search(r"recall_at_10_float32 +not measured", shown)
    assert compress(*shlex.split(command[1])[1:]).code == 0
    assert "not measured" not in compress("index", "--name", f"{RUN}-binary").out


def test_a_codec_that_is_the_default_of_the_workspace_is_in_the_command(compress, binary: Path):
    (binary / f"embeddings/{RUN}.h5").unlink()
    with (binary / "compress.toml").open("a") as settings:
        settings.write('\ncodec = "int8"\n')
    summary = compress("index", "--name", f"{RUN}-binary", "--json").json["summary"]
    assert summary["float32_command"] == f"compress encode --name {RUN} --codec float32"


@pytest.mark.parametrize("stranger", ["another model", "other videos", "damaged"])
def test_a_store_that_is_not_of_the_same_embeddings_is_no_truth(compress, binary: Path, stranger: str):
    path = binary / f"embeddings/{RUN}.h5"
    store = open_store(path)
    ids, metadata = store.id_bytes, dict(store.metadata)
    if stranger == "damaged":
        whole = bytearray(path.read_bytes())
        whole[-9] ^= 1
        path.write_bytes(whole)
    else:
        rest = slice(1, None) if stranger == "other videos" else slice(None)
        changes = {"model_sha256": "0" * 64} if stranger == "another model" else {}
        decoded = store.decode(0, len(store))[rest]
        path.unlink()
        said = {"labels": None, "codec": store.codec, "splits": {}, "metadata": metadata | changes}
        with open_writer(path, ids=ids[rest], **said) as writer:
            writer.write(decoded)
            writer.finish()
    assert (
        compress("index", "--name", f"{RUN}-binary", "--json").json["summary"]["recall_at_10_float32"] is None
    )


def test_re_ranking_by_a_codec_or_a_store_is_measured(compress, binary: Path):
    words = ("index", "--name", f"{RUN}-binary", "--depth", 30, "--json", "--rerank")
    missing = compress(*words, "int8")
    assert (missing.code, f"`compress encode --name {RUN} --codec int8` writes it" in missing.err) == (
        66,
        True,
    )
    assert compress("encode", "--name", RUN, "--codec", "int8").code == 0
    found = [compress(*words, larger).json["summary"] for larger in ("int8", f"{RUN}-int8", RUN)]
    recalls = [one["recall_at_10_reranked"] for one in found]
    assert found[0]["recall_at_10_float32"] < recalls[0] == recalls[1] <= recalls[2]
    assert [one["reranked_by"] for one in found] == [f"{RUN}-int8", f"{RUN}-int8", RUN]
    for wrong, code, telling in (
        ("original", 68, "is not of the same model"),
        ("int9", 2, "neither a store nor a codec: 'int9'; did you mean 'int8'?"),
        ("none.h5", 66, "no such store"),
    ):
        ended = compress(*words[:-2], "--rerank", wrong)
        assert (ended.code, telling in ended.err) == (code, True), ended.err

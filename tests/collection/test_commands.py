"""`compress collection` from the shell: what a newcomer types, also wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import compress
from cli.main import run
from compress.store.writer import open_writer

DIM, COUNT = 6, 30


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with vectors and their metadata in three forms; the ids are odd."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    ids = ["-abc", "a b", "ünï", "<script>", "=1+1", *(f"v{number:04}" for number in range(COUNT - 5))]
    np.savez("vectors.npz", features=rng.normal(size=(COUNT, DIM)).astype("f4"), id=np.array(ids))
    lines = [f'"{name}",{place},2024-01-{place + 1:02}' for place, name in enumerate(ids[:20])]
    Path("meta.csv").write_text("\n".join(["video_id,place,day", *lines, "elsewhere,1,2024-02-02"]))
    Path("meta.jsonl").write_text(
        "".join(json.dumps({"id": name, "place": place}) + "\n" for place, name in enumerate(ids))
    )
    return tmp_path


@pytest.fixture
def typed(capsys):
    """(exit code, stdout, stderr) of a command of the group."""

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run(["collection", *words])
        return int(end.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture
def filled(here, typed):
    assert typed("create", "c", "--codec", "float32")[0] == 0
    assert typed("add", "c", "vectors.npz", "--metadata", "meta.csv")[0] == 0
    return here


def test_metadata_is_joined_by_id_and_what_has_no_partner_is_told(here, typed):
    typed("create", "c")
    code, out, _ = typed("add", "c", "vectors.npz", "--metadata", "meta.csv", "--json")
    told = json.loads(out)
    assert (code, told["added"], told["without_metadata"], told["unused_metadata"]) == (0, 30, 10, 1)
    code, _, err = typed("add", "c", "vectors.npz", "--metadata", "meta.csv", "--replace")
    assert code == 0
    assert "10 videos are not in meta.csv: no metadata for v0015, v0016, v0017, ..." in err
    assert "1 rows of meta.csv are of no video here: elsewhere" in err
    videos = compress.Collection.open("c")
    assert videos.video("<script>").metadata["place"] == 3
    assert videos.video("v0020").metadata == {"place": None, "day": None}
    assert typed("add", "c", "vectors.npz", "--metadata", "meta.jsonl", "--replace")[0] == 0
    assert compress.Collection.open("c").video("v0020").metadata["place"] == 25


def test_ids_that_look_like_numbers_stay_text(here, typed):
    np.savez("n.npz", features=np.eye(3, DIM, dtype="f4"), id=np.array(["007", "7", "1e3"]))
    Path("n.csv").write_text("id,n\n007,1\n7,2\n1e3,3\n")
    typed("create", "c")
    assert typed("add", "c", "n.npz", "--metadata", "n.csv")[0] == 0
    videos = compress.Collection.open("c")
    assert [videos.video(name).metadata["n"] for name in ("007", "7", "1e3")] == [1, 2, 3]


def test_search_finds_filters_and_speaks_json(filled, typed):
    code, out, _ = typed("search", "c", "a b", "--k", "3", "--where", "place < 5", "--json")
    found = json.loads(out)
    assert (code, len(found["neighbours"])) == (0, 3)
    assert {hit["metadata"]["day"] for hit in found["neighbours"]} <= {f"2024-01-0{n}" for n in range(1, 6)}
    assert "a b" not in [hit["video_id"] for hit in found["neighbours"]]
    code, out, _ = typed("search", "c", "--id=-abc", "a b", "--k", "2", "--exclude", "ünï")
    assert code == 0
    assert "most like a b, -abc" in out
    assert typed("search", "c", "--", "-abc")[0] == 0
    np.save("q.npy", compress.Collection.open("c").embeddings("ünï"))
    code, out, _ = typed("search", "c", "--vector", "q.npy", "--min-score", "0.99", "--json")
    assert [hit["video_id"] for hit in json.loads(out)["neighbours"]] == ["ünï"]
    assert "no video passes" in typed("search", "c", "ünï", "--where", "place > 999")[1]


def test_deleting_and_compacting(filled, typed):
    Path("gone.txt").write_text("v0001\r\n-abc\n")
    assert typed("delete", "c", "--ids", "gone.txt")[:1] == (0,)
    assert json.loads(typed("delete", "c", "v0002", "--id=<script>", "--json")[1]) == {"deleted": 2}
    code, out, _ = typed("stats", "c")
    assert code == 0
    assert "26" in out
    assert "4, until they are compacted" in out
    assert json.loads(typed("compact", "c", "--json")[1])["removed"] == 4
    assert json.loads(typed("stats", "c", "--json")[1])["columns"] == {"place": "BIGINT", "day": "DATE"}
    assert typed("verify", "c")[0] == 0


def test_a_store_is_taken_with_its_own_calibration(here, typed):
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(50, DIM)).astype("f4")
    codec = compress.Codec.fit("int8", vectors)
    ids = np.array([f"s{number}" for number in range(50)], dtype="S")
    with open_writer(here / "s.h5", ids=ids, labels=None, codec=codec, splits={}, metadata={}) as writer:
        writer.write(vectors)
        writer.finish()
    typed("create", "c")
    assert typed("add", "c", "s.h5")[0] == 0
    videos = compress.Collection.open("c")
    assert np.array_equal(videos.embeddings(["s3", "s9"]), codec.decode(codec.encode(vectors[[3, 9]])))
    typed("create", "d", "--codec", "float16")
    assert typed("add", "d", "s.h5")[0] == 0
    assert np.allclose(compress.Collection.open("d").embeddings("s3"), vectors[3], atol=0.05)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("create", "c"), 2, "holds something already"),
        (("create", "new", "--codec", "zip"), 2, "codec"),
        (("create", "new", "--run", "nothing"), 66, "nothing"),
        (("add", "c", "vectors.npz"), 67, "--replace puts the new one in its place"),
        (("add", "c", "absent.npz"), 66, "absent.npz"),
        (("add", "absent", "vectors.npz"), 66, "absent"),
        (("add", "c", "vectors.npz", "--metadata", "absent.csv", "--replace"), 66, "absent.csv"),
        (
            ("add", "c", "vectors.npz", "--metadata", "bad.csv", "--replace"),
            68,
            "--metadata-id; columns: x, y",
        ),
        (("add", "c", "vectors.npz", "--metadata", "twice.csv", "--replace"), 67, "'a b' is there twice"),
        (("add", "c", "vectors.npz", "--metadata", "junk.parquet", "--replace"), 65, "junk.parquet"),
        (("add", "c", "vectors.npz", "--metadata", "meta.txt", "--replace"), 68, "is no table"),
        (("delete", "c"), 2, "--ids FILE"),
        (("delete", "c", "a b", "--ids", "gone.txt"), 2, "ids or a file"),
        (("delete", "c", "a b", "nope"), 66, "no video 'nope'"),
        (("delete", "c", "v00001"), 66, "did you mean v0001"),
        (("search", "c"), 2, "--vector FILE.npy"),
        (("search", "c", "a b", "--where", "plaice > 3"), 2, "plaice"),
        (("search", "c", "a b", "--where", "place IN (SELECT 1)"), 2, "a query within it"),
        (("search", "c", "--vector", "short.npy"), 68, "2 dimensions"),
        (("search", "c", "a b", "--k", "0"), 2, "--k"),
        (("stats", "vectors.npz"), 2, "vectors.npz"),
        (("verify", "absent"), 66, "absent"),
    ],
)
def test_what_is_wrong_is_one_clear_line(filled, typed, words, code, told):
    Path("bad.csv").write_text("x,y\n1,2\n")
    Path("twice.csv").write_text("id,y\na b,2\na b,3\n")
    Path("junk.parquet").write_bytes(b"PAR1junkPAR1")
    Path("meta.txt").write_text("id\n")
    Path("gone.txt").write_text("a b\n")
    np.save("short.npy", np.ones(2, "f4"))
    before = {path.name: path.read_bytes() for path in Path("c").iterdir()}
    found, out, err = typed(*words)
    assert (found, out) == (code, "")
    assert told in err
    assert err.startswith("error: ")
    assert {path.name: path.read_bytes() for path in Path("c").iterdir()} == before


def test_a_collection_is_inspected_like_other_artifacts(filled, capsys):
    with pytest.raises(SystemExit):
        run(["data", "inspect", "c"])
    assert "collection" in capsys.readouterr().out

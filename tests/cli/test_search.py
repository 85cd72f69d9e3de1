"""`compress index` and `compress search` on a store of ten groups of ten like videos."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from compress.artifacts import folder, hashed
from compress.artifacts.atomic import sha256_file
from compress.artifacts.sealed import read_sealed, write_sealed
from compress.codecs.float32 import Float32
from compress.labels import Labels
from compress.store.writer import open_writer

NUM, DIM = 100, 16


def embeddings() -> np.ndarray:
    """Video i belongs to group i // 10; float32 (100, 16)."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, DIM))
    return (np.repeat(centres, 10, axis=0) + 0.05 * rng.standard_normal((NUM, DIM))).astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A workspace with the store `mine-16`, and a vocabulary that names the first 9 of 10 classes."""
    folder = tmp_path_factory.mktemp("workspace")
    rows = "\n".join(f"{number},group {number}" for number in range(9))
    (folder / "vocabulary.csv").write_text(f"Index,Name\n{rows}\n")
    (folder / "compress.toml").write_text('vocabulary = "vocabulary.csv"\n')
    (folder / "embeddings").mkdir()
    writer = open_writer(
        folder / "embeddings" / "mine-16.h5",
        ids=np.array([f"v{row:03d}" for row in range(NUM)], dtype="S"),
        labels=Labels.from_lists([[row // 10] for row in range(NUM)], 10),
        codec=Float32(DIM),
        splits={"train": (0, 80), "validate": (80, NUM)},
        metadata={},
    )
    with writer:
        writer.write(embeddings())
        writer.finish()
    return folder


@pytest.fixture
def indexed(made: Path, tmp_path: Path, compress, monkeypatch) -> Path:
    folder = tmp_path / "workspace"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    assert compress("index", "--dim", DIM, "--quiet").code == 0
    return folder


def test_an_index_says_its_kind_and_recall(made: Path, tmp_path: Path, compress, monkeypatch):
    shutil.copytree(made, tmp_path / "w")
    monkeypatch.chdir(tmp_path / "w")
    summary = compress("index", "--dim", DIM, "--json").json["summary"]

    assert summary["kind"] == "Flat"
    assert summary["recall_at_10_stored"] == 1.0
    assert summary["num_vectors"] == NUM


@pytest.mark.parametrize("words", [["v042"], ["--row", 42]])
def test_the_videos_of_the_same_group_are_found(compress, indexed: Path, words: list):
    answer = compress("search", *words, "--dim", DIM, "--k", 9, "--json").json
    found = {hit["video_id"] for hit in answer["neighbours"]}

    assert found == {f"v{row:03d}" for row in range(40, 50)} - {"v042"}
    assert {label for hit in answer["neighbours"] for label in hit["labels"]} == {"group 4"}


def test_a_vector_is_searched_for(compress, indexed: Path, tmp_path: Path):
    np.save(tmp_path / "query.npy", embeddings()[42])
    answer = compress("search", "--vector", tmp_path / "query.npy", "--dim", DIM, "--json").json

    assert answer["neighbours"][0]["video_id"] == "v042"
    assert answer["neighbours"][0]["score"] == pytest.approx(1, abs=1e-5)


def test_a_person_reads_scores_and_label_names(compress, indexed: Path):
    ended = compress("search", "v003", "--dim", DIM, "--k", 3)

    assert ended.out.startswith("most like v003 (row 3): group 0\n")
    assert ended.out.count("group 0") == 4


def test_a_class_without_a_name_keeps_its_number(compress, indexed: Path):
    answer = compress("search", "v095", "--dim", DIM, "--json").json

    assert answer["neighbours"][0]["labels"] == ["9"]


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.zeros((DIM + 1,), np.float32), 68),
        (np.zeros((0, DIM), np.float32), 68),
        (np.zeros((1, 1, DIM), np.float32), 68),
        (np.array(["a"] * DIM), 65),
        (np.full(DIM, np.nan, np.float32), 67),
        (np.zeros(DIM, np.float32), 67),
    ],
)
def test_a_vector_that_does_not_fit_is_refused(compress, indexed: Path, tmp_path: Path, array, code: int):
    np.save(tmp_path / "query.npy", array)

    assert compress("search", "--vector", tmp_path / "query.npy", "--dim", DIM).code == code


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY"])
def test_a_file_that_is_no_vector_is_refused(compress, indexed: Path, tmp_path: Path, content: bytes):
    (tmp_path / "query.npy").write_bytes(content)

    assert compress("search", "--vector", tmp_path / "query.npy", "--dim", DIM).code == 65


@pytest.mark.parametrize(
    ("words", "code", "telling"),
    [
        (["v0424"], 66, "v042"),
        (["--row", NUM], 66, "100 videos"),
        (["--vector", "none.npy"], 66, "none.npy"),
        (["v042", "--vocabulary", "none.csv"], 66, "none.csv"),
        (["v042", "--k", 0], 2, "--k"),
    ],
)
def test_what_is_not_there_is_named(compress, indexed: Path, words: list, code: int, telling: str):
    ended = compress("search", *words, "--dim", DIM)

    assert ended.code == code
    assert telling in ended.err


def test_without_an_index_the_command_that_builds_it_is_named(compress, indexed: Path):
    shutil.rmtree(indexed / "embeddings" / "mine-16.index")
    ended = compress("search", "v042", "--dim", DIM)

    assert ended.code == 66
    assert "`compress index --name mine-16` builds it" in ended.err


@pytest.mark.parametrize("victim", ["embeddings/mine-16.h5", "embeddings/mine-16.index/index-*.faiss"])
def test_a_flipped_bit_is_named_by_search_and_inspect(compress, indexed: Path, victim: str):
    path = next(indexed.glob(victim))
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    target = path if path.suffix == ".h5" else path.parent

    for words in (["search", "v042", "--dim", DIM], ["data", "inspect", target]):
        ended = compress(*words)
        assert ended.code == 65
        assert path.name in ended.err


def test_a_store_and_an_index_are_inspected(compress, indexed: Path):
    store, index = compress(
        "data", "inspect", "embeddings/mine-16.h5", "embeddings/mine-16.index", "--json"
    ).json["findings"]

    assert (store["kind"], store["facts"]["videos"], store["facts"]["dim"]) == ("store", NUM, DIM)
    assert store["facts"]["splits"] == {"train": 80, "validate": 20}
    assert (index["kind"], index["facts"]["num_vectors"]) == ("index", NUM)


def test_a_search_hashes_what_changed_since_the_last_one(indexed: Path, compress, monkeypatch):
    monkeypatch.setattr(hashed, "_TICK_NS", 0)
    time.sleep(0.02)
    hashings: list[Path] = []
    monkeypatch.setattr(folder, "sha256_file", lambda path: hashings.append(path) or sha256_file(path))
    ask = ("search", "v003", "--dim", DIM)
    answers = [compress(*ask, "--json").json, compress(*ask, "--json").json]
    assert answers[0] == answers[1]
    assert len(hashings) == 2  # The index and its ids, once.
    assert compress(*ask, "--json", "--verify").json == answers[0]
    assert len(hashings) == 4
    for damaged in (hashings[0], hashings[1], indexed / "embeddings" / "mine-16.h5"):
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        assert compress(*ask).code == 65
        damaged.write_bytes(whole)
    assert compress(*ask, "--json").json == answers[0]


def test_what_rotted_beneath_its_times_is_found_by_verify_and_not_believed_again(
    indexed: Path, compress, monkeypatch
):
    monkeypatch.setattr(hashed, "_TICK_NS", 0)
    time.sleep(0.02)
    ask, memory = ("search", "v003", "--dim", DIM), indexed / "cache" / "hashed.json"
    assert compress(*ask).code == 0
    path = next(indexed.glob("embeddings/mine-16.index/index-*.faiss"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    facts, known = path.stat(), read_sealed(memory, "")
    known[f"{facts.st_dev}:{facts.st_ino}"][:3] = facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
    write_sealed(memory, known)  # As if the times had stayed.

    assert [compress(*ask, *more).code for more in ([], ["--verify"], [])] == [0, 65, 65]


def test_a_workspace_that_cannot_be_written_is_searched_all_the_same(indexed: Path, compress, monkeypatch):
    monkeypatch.setattr(hashed, "_TICK_NS", 0)
    time.sleep(0.02)
    (indexed / "cache").write_text("in the way of the folder")
    ended = compress("search", "v003", "--dim", DIM)
    assert ended.code == 0
    assert "the next search hashes store and index again" in ended.err

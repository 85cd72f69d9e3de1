"""`compress search` for many queries, features, pages and diverse results, beside plain numpy."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from compress.datasets.source import open_source
from compress.store.reader import Store, open_store

RUN = "residual_cnn-24"


@pytest.fixture
def store(inside: Path) -> Store:
    return open_store(f"embeddings/{RUN}.h5")


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def nearest(store: Store, queries: np.ndarray, k: int, own: list[int] | None = None) -> list[list[str]]:
    """Ids of the k most similar videos of each query, by comparing with all."""
    scores = unit(queries) @ unit(store.decode(0, len(store))).T
    for query, row in enumerate(own or []):
        scores[query, row] = -9
    return [[store.ids[row] for row in rows[:k]] for rows in np.argsort(-scores, axis=1, kind="stable")]


def found(path: str) -> dict[str, list[tuple[int, str]]]:
    """Rank and video of the hits of each query."""
    if path.endswith(".csv"):
        rows = list(csv.DictReader(Path(path).read_text().splitlines()))
    elif path.endswith(".jsonl"):
        rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    else:
        import pyarrow.parquet as pq

        rows = pq.read_table(path).to_pylist()
    hits: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        hits.setdefault(row["query"], []).append((int(row["rank"]), row["video_id"]))
    return hits


def ranked(ids: list[str], first: int = 1) -> list[tuple[int, str]]:
    return list(enumerate(ids, first))


@pytest.mark.parametrize("output", ["hits.parquet", "hits.csv", "hits.jsonl"])
def test_every_vector_of_a_file_is_answered(compress, store: Store, output: str, monkeypatch):
    monkeypatch.setattr("compress.jobs.queries.AT_ONCE", 7)
    queries = np.random.default_rng(0).standard_normal((40, 24)).astype(np.float32)
    np.save("q.npy", queries)
    summary = compress(
        "search", "--name", RUN, "--queries", "q.npy", "--output", output, "--k", 4, "--json"
    ).json
    wanted = nearest(store, queries, 4)
    assert found(output) == {str(row): ranked(ids) for row, ids in enumerate(wanted)}
    assert (summary["queries"], summary["hits"]) == (40, 160)


def test_the_videos_of_a_list_do_not_find_themselves(compress, store: Store):
    rows = [5, 0, 17]
    Path("ids.txt").write_text("".join(f"{store.ids[row]}\r\n" for row in rows))
    assert compress("search", "--name", RUN, "--queries", "ids.txt", "--output", "h.csv", "--k", 3).code == 0
    wanted = nearest(store, store.rows(np.array(rows)), 3, rows)
    assert found("h.csv") == {store.ids[row]: ranked(ids) for row, ids in zip(rows, wanted, strict=True)}


def test_parquet_and_a_store_ask_under_their_ids(compress, store: Store):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    queries = store.decode(0, 9) + np.float32(0.01)
    ids = [f"=q{row}" for row in range(9)]
    pq.write_table(pa.table({"id": ids, "embedding": queries.tolist()}), "q.parquet")
    assert (
        compress("search", "--name", RUN, "--queries", "q.parquet", "--output", "h.jsonl", "--k", 2).code == 0
    )
    wanted = nearest(store, queries, 2)
    assert found("h.jsonl") == {name: ranked(ids) for name, ids in zip(ids, wanted, strict=True)}
    words = ("search", "--name", RUN, "--queries", f"embeddings/{RUN}.h5", "--output", "s.csv", "--k", 1)
    assert compress(*words).code == 0
    assert found("s.csv") == {name: [(1, name)] for name in store.ids}


@pytest.mark.parametrize("words", [["--vector", "x.npy"], ["--features", "x.npy"], ["--queries", "x.npy"]])
def test_features_are_encoded_by_the_run_of_the_store(compress, store: Store, words: list[str]):
    source = open_source(["train*.tfrecord"], num_classes=12)
    block = next(source.read_blocks(source.shards[0], 5))
    np.save("x.npy", block.rows[3])
    answer = compress("search", "--name", RUN, *words, "--k", 1, "--json").json
    assert answer["neighbours"][0]["video_id"] == block.ids[3].decode()
    assert answer["neighbours"][0]["score"] == pytest.approx(1, abs=1e-4)


def test_shards_are_encoded_and_ask_under_their_ids(compress, store: Store):
    words = ("search", "--name", RUN, "--queries", "validate0.tfrecord", "--output", "h.csv", "--k", 1)
    shard = next(Path().glob("validate*.tfrecord"))
    assert compress(*words[:4], shard, *words[5:]).code == 0
    hits = found("h.csv")
    assert len(hits) > 5
    assert hits == {name: [(1, name)] for name in hits}


def test_several_videos_ask_by_their_mean_and_are_not_found(compress, store: Store):
    rows = [3, 8, 40]
    mean = unit(store.rows(np.array(rows))).mean(axis=0)
    words = [store.ids[row] for row in rows]
    answer = compress("search", "--name", RUN, *words, "--k", 6, "--json").json
    wanted = [name for name in nearest(store, mean[None], 20)[0] if name not in words][:6]
    assert [hit["video_id"] for hit in answer["neighbours"]] == wanted
    assert answer["query"] == f"most like the mean of {', '.join(words)}"


def test_pages_least_scores_and_exclusion(compress, store: Store):
    wanted = nearest(store, store.rows(np.array([7])), 30, [7])[0]
    Path("out.txt").write_text(f"{wanted[1]}\n{wanted[4]}\nnobody\n")
    left = [name for place, name in enumerate(wanted) if place not in (0, 1, 4)]

    def ids(*words: object) -> list[str]:
        answer = compress("search", "--name", RUN, store.ids[7], *words, "--json").json
        return [hit["video_id"] for hit in answer["neighbours"]]

    assert ids("--k", 5) + ids("--k", 5, "--offset", 5) == wanted[:10]
    assert ids("--exclude", wanted[0], "--exclude", "out.txt", "--k", 8) == left[:8]
    noted = compress("search", "--name", RUN, store.ids[7], "--exclude", "out.txt")
    assert "1 of the ids to leave out are not in the store" in noted.err
    score = compress("search", "--name", RUN, store.ids[7], "--json").json["neighbours"][2]["score"]
    assert ids("--min-score", score - 1e-6) == wanted[:3]
    assert "no other video is found" in compress("search", "--name", RUN, store.ids[7], "--min-score", 2).out
    page = compress("search", "--name", RUN, store.ids[7], "--k", 2, "--offset", 5).out
    assert [line.split()[:2] for line in page.splitlines()[-2:]] == [["6", wanted[5]], ["7", wanted[6]]]


def test_diverse_results_are_less_alike_and_begin_with_the_best(compress, store: Store):
    rows = unit(store.decode(0, len(store)))

    def alike(*words: object) -> tuple[str, float]:
        answer = compress("search", "--name", RUN, store.ids[7], "--k", 8, *words, "--json").json
        chosen = rows[[hit["row"] for hit in answer["neighbours"]]]
        return answer["neighbours"][0]["video_id"], float((chosen @ chosen.T)[np.triu_indices(8, 1)].mean())

    plain, diverse = alike(), alike("--mmr", 0.3)
    assert alike("--mmr", 1.0) == plain
    assert diverse[0] == plain[0]
    assert diverse[1] < plain[1] - 0.02


def test_re_ranking_finds_what_the_larger_codec_finds(compress, store: Store):
    assert compress("encode", "--name", RUN, "--codec", "binary").code == 0
    assert compress("index", "--name", f"{RUN}-binary").code == 0
    words = ("search", "--name", f"{RUN}-binary", store.ids[7], "--k", 10, "--rerank", "float32", "--json")
    best = [hit["video_id"] for hit in compress(*words, "--depth", 500).json["neighbours"]]
    assert best == nearest(store, store.rows(np.array([7])), 10, [7])[0]


@pytest.mark.parametrize(
    ("words", "code", "telling"),
    [
        (["--vector", "many.npy"], 2, "holds more than one query, and one is answered here; give --output"),
        (["--queries", "ids.txt"], 2, "holds more than one query"),
        (["--queries", "many.npy", "--output", "hits.xlsx"], 2, "end it in .parquet, .csv, .jsonl"),
        (["--queries", "many.npy", "--output", "there.csv"], 2, "is there already; choose another --output"),
        (["--queries", "unknown.txt", "--output", "h.csv"], 66, "no video 'nobody'"),
        (["--queries", "empty.txt", "--output", "h.csv"], 65, "holds no ids"),
        (["--queries", "latin.txt", "--output", "h.csv"], 65, "not a text file of ids in UTF-8"),
        (["--queries", "wide.npy", "--output", "h.csv"], 68, f"its run {RUN} reads 1152 numbers"),
        (["--features", "many.npy", "--output", "h.csv"], 68, "has rows of 24 numbers, and its run"),
        (["--queries", "nan.npy", "--output", "h.csv"], 67, "nan.npy: query 3: holds NaN or Inf"),
        (["--queries", "none.npy", "--output", "h.csv"], 66, "none.npy"),
        (["--vector", "raw.npy", "--run", "lstm-8"], 68, "reads frames"),
        (["--vector", "raw.npy", "--run", "original"], 68, "is not the model that made"),
        (["--vector", "raw.npy", "--run", "nope"], 68, "'nope' is not here"),
        (["nobody", "--exclude", "x"], 66, "no video"),
        (["--row", 0, "--exclude", "nobody"], 66, "no video 'nobody'"),
        (["--row", 0, "--queries", "many.npy"], 2, "exactly one thing"),
        ([], 2, "exactly one thing"),
        (["--row", 0, "--mmr", "1.5"], 2, "--mmr"),
        (["--row", 0, "--rerank", "nope"], 2, "neither a store nor a codec"),
        (["--row", 0, "--rerank", "original"], 68, "is not of the same model"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_nothing_is_written(compress, store, words, code, telling):
    many = np.ones((4, 24), np.float32)
    np.save("many.npy", many)
    np.save("wide.npy", np.ones((4, 25), np.float32))
    np.save("raw.npy", np.ones(1152, np.float32))
    many[3, 3] = np.nan
    np.save("nan.npy", many)
    Path("ids.txt").write_text("\n".join(store.ids[:3]))
    Path("unknown.txt").write_text(f"{store.ids[0]}\nnobody\n")
    Path("empty.txt").write_text("\n \n")
    Path("latin.txt").write_bytes("ünï".encode("latin-1"))
    Path("there.csv").write_text("mine")
    ended = compress("search", "--name", RUN, *words)
    assert (ended.code, telling in ended.err) == (code, True), ended.err
    assert not list(Path().glob("*hits*")) + list(Path().glob("h.*"))
    assert Path("there.csv").read_text() == "mine"


def test_an_answer_replaces_another_one_only_when_asked(compress, store: Store):
    np.save("q.npy", np.ones((2, 24), np.float32))
    Path("h.csv").write_text("old")
    words = ("search", "--name", RUN, "--queries", "q.npy", "--output", "h.csv")
    assert compress(*words).code == 2
    assert compress(*words, "--replace").code == 0
    assert len(found("h.csv")) == 2

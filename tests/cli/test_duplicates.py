"""`compress duplicates` and `compress clusters` beside loops over every pair and every centre."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from compress.index import pairs
from tests.cli.handed_over import IDS, NUM, rows, write_store


@pytest.fixture
def store(here: Path) -> Path:
    (here / "compress.toml").touch()
    return write_store(here / "embeddings" / "mine.h5", rows())


def cosines() -> dict[tuple[int, int], float]:
    """Of every pair, the slow way."""
    made = rows().astype(float)
    unit = [row / (np.linalg.norm(row) or 1) for row in made]
    return {(a, b): float(unit[a] @ unit[b]) for a, b in itertools.combinations(range(NUM), 2)}


@pytest.mark.parametrize("threshold", [0.3, 0.95, 1.0])
@pytest.mark.parametrize("tile", [4096, 7])
def test_exactly_the_pairs_above_the_threshold_are_found(store, here, compress, monkeypatch, threshold, tile):
    monkeypatch.setattr(pairs, "_TILE", tile)
    found = compress(
        "duplicates", "--threshold", threshold, "--pairs", "--output", "p.parquet", "--json"
    ).json
    table = pq.read_table("p.parquet").to_pylist()
    true = {pair: value for pair, value in cosines().items() if value >= threshold - 1e-9}
    got = {(IDS.index(row["video_id"]), IDS.index(row["other"])): row["cosine"] for row in table}

    assert found["pairs"] == len(table) == len(true)
    assert got == pytest.approx(true, abs=1e-6)


def test_blocks_of_a_large_store_find_the_same(store, here, compress, monkeypatch):
    whole = compress("duplicates", "--threshold", 0.5, "--output", "a.csv", "--json").json
    monkeypatch.setattr(pairs, "spans", lambda rows, dim: [rows[i : i + 11] for i in range(0, NUM, 11)])
    blocks = compress("duplicates", "--threshold", 0.5, "--output", "b.csv", "--json").json

    assert whole["pairs"] == blocks["pairs"] > 100
    assert Path("a.csv").read_text() == Path("b.csv").read_text()


def test_groups_follow_chains_and_a_file_holds_every_member(store, here, compress):
    found = compress("duplicates", "--output", "groups.csv")
    with open("groups.csv", newline="") as file:
        table = list(csv.DictReader(file))
    members = {(row["video_id"], row["group"], row["nearest"]) for row in table}

    assert found.code == 0, found.err
    assert "2, of 6 videos" in found.out
    assert members == {
        ("-abc", "-abc", "v10"),
        ("v10", "-abc", "-abc"),
        ("v50", "-abc", "-abc"),
        ("v51", "-abc", "v50"),
        ("v20", "v20", "v30"),
        ("v30", "v20", "v20"),
    }


def test_foreign_ids_are_safe_in_csv_and_exact_in_json_lines(store, here, compress):
    for name in ("all.csv", "all.jsonl"):
        assert compress("duplicates", "--threshold", 0.01, "--output", name).code == 0
    ids = [json.loads(line)["video_id"] for line in Path("all.jsonl").read_text().splitlines()]

    assert set(ids) == set(IDS) - {IDS[40]}  # zeros are like nothing
    assert "\n'=cmd|" in Path("all.csv").read_text()


def test_only_a_split_is_compared(store, here, compress):
    assert compress("duplicates", "--split", "validate", "--json").json["pairs"] == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["duplicates", "--output", "there.csv"], 2, "is there already"),
        (["duplicates", "--output", "a.txt"], 2, "end it in .parquet, .csv"),
        (["duplicates", "--pairs"], 2, "give --output"),
        (["duplicates", "--threshold", "0"], 2, "0"),
        (["duplicates", "--threshold", "nan"], 2, "nan"),
        (["duplicates", "--split", "test"], 66, "it has: train, validate"),
        (["duplicates", "--name", "mien"], 66, "did you mean mine"),
        (["clusters", "--k", "61"], 2, "61 clusters of 60 videos"),
        (["clusters", "--k", "2", "--output", "there.csv"], 2, "is there already"),
    ],
)
def test_what_cannot_be_done_is_one_line(store, here, compress, words, code, says):
    (here / "there.csv").write_text("mine")
    ended = compress(*words)

    assert (ended.code, says in ended.err) == (code, True), ended.err
    assert (here / "there.csv").read_text() == "mine"


def test_every_video_has_the_cluster_of_its_nearest_centre(store, here, compress):
    found = compress("clusters", "--k", 5, "--output", "c.parquet", "--json").json
    table = pq.read_table("c.parquet").to_pylist()
    numbers = np.array([row["cluster"] for row in table])
    told = {each["number"]: each for each in found["clusters"]}

    assert [row["video_id"] for row in table] == IDS
    assert sorted(np.bincount(numbers), reverse=True) == [each["size"] for each in found["clusters"]]
    for number, each in told.items():
        inside = {row["video_id"]: row["cosine"] for row in table if row["cluster"] == number}
        assert inside[each["nearest"]] == max(inside.values())
        assert each["cosine"] == pytest.approx(np.mean(list(inside.values())), abs=1e-6)
        shares = dict(map(tuple, each["labels"]))
        reds = np.mean([IDS.index(video) % 3 == 0 for video in inside])
        assert shares.get("red", 0) in (0, pytest.approx(reds))
    assert found["cosine"] > 0.6  # one centre for all has 0.2


def test_the_same_seed_gives_the_same_clusters(store, here, compress):
    for name in ("a.csv", "b.csv"):
        assert compress("clusters", "--k", 7, "--seed", 4, "--output", name, "--quiet").code == 0
    assert Path("a.csv").read_text() == Path("b.csv").read_text()


def test_as_many_clusters_as_videos_are_allowed(store, here, compress):
    assert "red" in compress("clusters", "--k", NUM).out

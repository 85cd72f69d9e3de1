"""Building: the right kind of index, with a recall that was measured."""

from __future__ import annotations

import re

import numpy as np
import pytest

from compress.errors import DataError, Interrupted, NotFoundError, RecordError, UsageError
from compress.index import default_factory, exact_neighbours, open_index, rows
from compress.progress import Note, Progress, clear_interrupt, request_interrupt
from tests.index.building import build_index

APPROXIMATE = "IVF64,PQ16x4fs,Refine(SQ8)"


@pytest.fixture(scope="module")
def big_store(clustered, memory_store):
    return memory_store(
        clustered(20_000, 32), splits={"train": range(12_000), "validate": range(12_000, 20_000)}
    )


@pytest.mark.parametrize(
    ("videos", "dim", "factory"),
    [
        (499_999, 320, "Flat"),
        (500_000, 320, "IVF1414,PQ160x4fs,Refine(SQfp16)"),
        (1_000_000, 1152, "IVF2000,PQ576x4fs,Refine(SQfp16)"),
        (500_000, 7, "IVF1414,PQ7x4fs,Refine(SQfp16)"),
    ],
)
def test_the_default_is_exact_below_half_a_million_videos(videos, dim, factory):
    assert default_factory(videos, dim) == factory


@pytest.mark.parametrize("metric", ["cosine", "ip"])
def test_a_flat_index_finds_what_an_exact_search_finds(metric, clustered, memory_store, tmp_path):
    store = memory_store(clustered(2000, 16))
    summary = build_index(store, tmp_path / "index", metric=metric)
    assert (summary.kind, summary.recall_at_10, summary.nprobe, summary.k_factor) == ("Flat", 1.0, 0, 0)
    rows = open_index(tmp_path / "index").search(store.vectors[:50] + 0.01, 10).rows
    assert np.array_equal(rows, exact_neighbours(store.vectors[:50] + 0.01, store, 10, metric))


def test_duplicates_and_ties_do_not_lower_the_recall_of_an_exact_index(memory_store, tmp_path):
    rng = np.random.default_rng(0)
    store = memory_store(np.repeat(rng.standard_normal((40, 8), dtype=np.float32), 25, axis=0))
    assert build_index(store, tmp_path / "index").recall_at_10 == 1.0


def test_many_videos_get_an_approximate_index_that_reaches_the_wanted_recall(big_store, tmp_path):
    summary = build_index(big_store, tmp_path / "index", exact_below=20_000, wanted_recall=0.9)
    assert summary.kind == "IVF283,PQ16x4fs,Refine(SQfp16)"
    assert summary.recall_at_10 >= 0.9
    own = np.arange(5, 20_000, 50)
    found = open_index(tmp_path / "index").search(big_store.vectors[own], 11).rows
    wanted = exact_neighbours(big_store.vectors[own], big_store, 10, exclude=own)
    again = np.mean([len(set(a) - {row} & set(b)) / 10 for a, b, row in zip(found, wanted, own, strict=True)])
    assert again == pytest.approx(summary.recall_at_10, abs=0.03)


def test_more_recall_is_bought_with_more_work(big_store, tmp_path):
    low = build_index(big_store, tmp_path / "a", factory=APPROXIMATE, wanted_recall=0.5)
    high = build_index(big_store, tmp_path / "b", factory=APPROXIMATE, wanted_recall=0.97)
    assert 0.5 <= low.recall_at_10 < high.recall_at_10
    assert (low.nprobe, low.k_factor) < (high.nprobe, high.k_factor)


def test_a_recall_out_of_reach_is_said_and_not_claimed(big_store, tmp_path):
    notes = []
    summary = build_index(
        big_store, tmp_path / "a", factory="PQ4x4fs", wanted_recall=0.99, report=notes.append
    )
    assert summary.recall_at_10 < 0.99
    assert any("No search setting" in note.text for note in notes if isinstance(note, Note))


def test_one_split_is_indexed_under_its_rows_of_the_store(big_store, tmp_path):
    summary = build_index(big_store, tmp_path / "index", split="validate")
    index = open_index(tmp_path / "index", store=big_store)
    assert (summary.num_vectors, index.facts.first_row) == (8000, 12_000)
    assert index.search(big_store.vectors[12_345], 1)[0][0].row == 12_345
    assert index.search(big_store.vectors[12_345], 1)[0][0].video_id == "vid12345"
    assert len(index) == 8000


def test_a_single_video_makes_an_index(memory_store, tmp_path):
    store = memory_store(np.ones((1, 4), np.float32))
    assert build_index(store, tmp_path / "index").recall_at_10 == 1.0
    assert open_index(tmp_path / "index").search(np.ones(4), 3)[0][0].video_id == "vid00000"
    assert open_index(tmp_path / "index").search(np.ones(4), 3, exclude=0)[0] == []


def test_the_same_seed_gives_the_same_bytes(big_store, tmp_path):
    def built(name, seed):
        build_index(big_store, tmp_path / name, factory=APPROXIMATE, seed=seed, recall_queries=50)
        return next((tmp_path / name).glob("index-*.faiss")).read_bytes()

    assert built("a", 3) == built("b", 3)
    assert built("c", 4) != built("d", 3)


def test_the_store_is_read_in_blocks(clustered, memory_store, tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK_BYTES", 0)
    store, events = memory_store(clustered(1000, 8)), []
    build_index(store, tmp_path / "index", report=events.append)
    assert store.largest_read == 256
    assert [event.done for event in events if isinstance(event, Progress)] == [256, 512, 768, 1000]


def test_the_memory_is_estimated_before_the_work(big_store, tmp_path):
    events = []
    build_index(big_store, tmp_path / "index", report=events.append)
    size = next((tmp_path / "index").glob("index-*.faiss")).stat().st_size
    said = re.search(r"about (\d+) MiB", events[0].text)
    assert said is not None
    assert int(said[1]) == pytest.approx(size / 2**20, abs=1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metric": "l2"}, UsageError, "unknown metric"),
        ({"factory": "Fast"}, UsageError, "cannot make 'Fast' for 6 dimensions .could not parse"),
        ({"factory": ""}, UsageError, "FAISS cannot make ''"),
        ({"factory": "IVF4,PQ5x4fs"}, UsageError, "should be a multiple of the number of subquantizers"),
        ({"factory": "IVF51,Flat"}, UsageError, "51 lists, but there are only 50 videos"),
        ({"factory": "IVF4,PQ2"}, UsageError, "FAISS cannot train this index on 50 videos"),
        ({"split": "test"}, NotFoundError, "no split 'test'; it has: empty"),
        ({"split": "empty"}, DataError, "holds no videos"),
        ({"recall_queries": 0}, UsageError, "recall_queries is 0"),
        ({"wanted_recall": 0.0}, UsageError, "wanted recall: is 0.0"),
        ({"wanted_recall": 1.5}, UsageError, "wanted recall: is 1.5"),
        ({"seed": -1}, UsageError, "seed is -1"),
        ({"device": "tpu"}, UsageError, "unknown device 'tpu'"),
    ],
)
def test_options_that_cannot_work_are_refused_and_nothing_is_written(
    options, error, message, clustered, memory_store, tmp_path
):
    store = memory_store(clustered(50, 6), splits={"empty": range(0)})
    with pytest.raises(error, match=message):
        build_index(store, tmp_path / "index", **options)
    assert not (tmp_path / "index" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("value", "metric", "message"),
    [
        (np.nan, "cosine", "video vid00031 .row 31.: holds NaN or Inf"),
        (np.inf, "ip", "video vid00031 .row 31.: holds NaN or Inf"),
        (1e25, "ip", "video vid00031 .row 31.: is too long"),
    ],
)
def test_bad_vectors_are_refused_by_the_id_of_their_video(
    value, metric, message, clustered, memory_store, tmp_path
):
    store = memory_store(clustered(40, 6))
    store.vectors[31] = value
    for queries in (1, 40):
        with pytest.raises(RecordError, match=message):
            build_index(store, tmp_path / "index", metric=metric, recall_queries=queries)
    assert not (tmp_path / "index").exists()


def test_an_interrupt_keeps_the_old_index(clustered, memory_store, tmp_path):
    store = memory_store(clustered(100, 6))
    build_index(store, tmp_path / "index")
    before = (tmp_path / "index" / "manifest.json").read_bytes()
    request_interrupt(15)
    try:
        with pytest.raises(Interrupted) as caught:
            build_index(store, tmp_path / "index", seed=1)
    finally:
        clear_interrupt()
    assert caught.value.exit_code == 143
    assert (tmp_path / "index" / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("factory", ["Flat", "IVF4,Flat", "IVF4,PQ6x4fs,Refine(SQfp16)"])
def test_rows_of_zeros_and_doubles_are_kept_counted_and_told(factory, clustered, memory_store, tmp_path):
    vectors = clustered(120, 6)
    vectors[[3, 50, 51]] = 0
    vectors[100:] = vectors[99]
    told = []
    made = build_index(memory_store(vectors), tmp_path / "index", factory=factory, report=told.append)
    assert (made.zero_vectors, made.num_vectors, made.recall_queries) == (3, 120, 117)
    assert sum("3 of 120 videos are all zeros" in str(note) for note in told) == 1
    index = open_index(tmp_path / "index")
    assert index.facts.zero_vectors == 3
    hits = index.search(vectors[99], 120)
    scores = dict(zip(hits.rows[0].tolist(), hits.scores[0].tolist(), strict=True))
    assert sorted(scores) == list(range(120))
    assert [scores[row] for row in (3, 50, 51)] == [0, 0, 0]
    assert [scores[row] for row in range(99, 120)] == pytest.approx([1] * 21, abs=1e-3)

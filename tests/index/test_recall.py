"""Recall against the float32 embeddings, beside plain numpy that compares everything with everything."""

from __future__ import annotations

import numpy as np
import pytest

import compress
from compress.errors import NotFoundError, SchemaError, UsageError
from compress.index import Index, open_index

CODECS = ["int8", "int4", "binary", "pq4", "rabitq2"]


@pytest.fixture(scope="module")
def rows(clustered) -> np.ndarray:
    return clustered(600, 16)


def unit(rows: np.ndarray, metric: str) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True) if metric == "cosine" else rows


def others(queries: np.ndarray, base: np.ndarray, k: int) -> np.ndarray:
    """Row i asks for its k nearest rows of `base` besides row i."""
    scores = queries.astype(np.float64) @ base.T.astype(np.float64)
    np.fill_diagonal(scores, -np.inf)
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def share(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, wanted, strict=True)]))


@pytest.mark.parametrize("metric", ["cosine", "ip"])
@pytest.mark.parametrize("name", CODECS)
def test_recall_against_float32_is_that_of_brute_force(name: str, metric: str, rows: np.ndarray) -> None:
    codec = compress.Codec.fit(name, rows)
    codes = codec.encode(rows)
    asked = unit(rows, metric)
    wanted = share(others(asked, unit(codec.decode(codes), metric), 10), others(asked, asked, 10))
    index = Index.build(codes, codec=codec, original=rows, metric=metric)
    assert index.facts.recall_at_10 == 1.0
    assert index.facts.recall_at_10_float32 == pytest.approx(wanted, abs=2e-3)
    assert index.recall(rows) == index.facts.recall_at_10_float32
    assert name == "int8" or wanted < 0.95


def test_re_ranking_is_that_of_brute_force(rows: np.ndarray) -> None:
    small, larger = (compress.Codec.fit(name, rows) for name in ("binary", "int8"))
    asked = unit(rows, "cosine")
    decoded = unit(larger.decode(larger.encode(rows)), "cosine")
    candidates = others(asked, unit(small.decode(small.encode(rows)), "cosine"), 40)
    scores = np.einsum("qd,qmd->qm", asked, decoded[candidates])
    best = np.take_along_axis(candidates, np.argsort(-scores, axis=1, kind="stable")[:, :10], axis=1)
    index = Index.build(small.encode(rows), codec=small, original=rows)
    hits = index.search(rows, 10, exclude=np.arange(600), rerank=larger.decode(larger.encode(rows)), depth=40)
    assert share(hits.rows, best) > 0.999
    assert np.allclose(hits.scores, -np.sort(-scores, axis=1)[:, :10], atol=1e-5)
    recall = index.recall(rows, rerank=larger.decode(larger.encode(rows)), depth=40)
    assert recall == pytest.approx(share(best, others(asked, asked, 10)), abs=2e-3)
    assert recall > index.facts.recall_at_10_float32 + 0.1


def test_an_approximate_index_loses_more_than_its_codec(rows: np.ndarray) -> None:
    codec = compress.Codec.fit("int8", rows)
    options = {"codec": codec, "original": rows, "factory": "IVF30,Flat", "wanted_recall": 0.6}
    facts = Index.build(codec.encode(rows), **options).facts
    exact = Index.build(codec.encode(rows), codec=codec, original=rows).facts
    assert facts.recall_at_10_float32 < exact.recall_at_10_float32 - 0.03
    assert facts.recall_at_10_float32 == pytest.approx(facts.recall_at_10, abs=0.03)


def test_float32_rows_are_the_truth_themselves_and_of_codes_alone_nothing_is_claimed(rows, tmp_path) -> None:
    codec = compress.Codec.fit("binary", rows)
    alone = Index.build(codec.encode(rows), codec=codec)
    assert Index.build(rows).facts.recall_at_10_float32 == 1.0
    assert alone.facts.recall_at_10_float32 is None
    assert "recall@10 1.0000 of the stored rows, not measured of float32" in repr(alone)
    for index in (alone, Index.build(codec.encode(rows), codec=codec, original=rows)):
        index.save(tmp_path / "index")
        assert open_index(tmp_path / "index").facts == index.facts


def test_the_originals_may_be_a_store_in_another_order_with_more_videos(rows, memory_store) -> None:
    codec = compress.Codec.fit("binary", rows)
    order = np.random.default_rng(3).permutation(600)
    ids = [f"vid{row:05d}" for row in order[:400]]  # `memory_store` calls row 7 vid00007
    shuffled = Index.build(codec.encode(rows[order[:400]]), ids, codec=codec)
    assert shuffled.recall(memory_store(rows)) == shuffled.recall(rows[order[:400]])
    found = shuffled.search(rows[:9], 5, rerank=memory_store(rows)).ids
    assert np.array_equal(found, shuffled.search(rows[:9], 5, rerank=rows[order[:400]]).ids)


@pytest.mark.parametrize(
    ("original", "error", "message"),
    [
        (lambda rows, store: rows[:-1], SchemaError, "original: has 599 rows, the index has 600 videos"),
        (lambda rows, store: rows[:, :-1], SchemaError, "original: has 15 dimensions, the index has 16"),
        (
            lambda rows, store: store(rows[:500]),
            NotFoundError,
            "original: lacks 100 of the 600 videos of the index, such as vid00500",
        ),
        (lambda rows, store: "rows", SchemaError, "embeddings"),
    ],
)
def test_originals_of_other_videos_are_refused_before_the_work(original, error, message, rows, memory_store):
    unread = memory_store(rows)
    with pytest.raises(error, match=message):
        Index.build(unread, original=original(rows, memory_store))
    assert unread.largest_read == 0


@pytest.mark.parametrize("depth", [0, -3, 1.5, None])
def test_a_depth_that_is_no_whole_number_is_refused(depth, rows) -> None:
    with pytest.raises(UsageError, match="depth"):
        Index.build(rows[:50]).search(rows[0], 3, rerank=rows[:50], depth=depth)


def test_a_depth_below_k_still_finds_k_and_one_above_n_finds_all(rows) -> None:
    index = Index.build(rows[:50])
    assert index.search(rows[0], 7, rerank=rows[:50], depth=2).rows.shape == (1, 7)
    assert index.search(rows[0], 60, exclude=0, rerank=rows[:50], depth=900).rows.shape == (1, 49)

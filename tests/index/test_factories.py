"""Every family of FAISS factory strings: saved, opened and searched, or refused before anything is built."""

from __future__ import annotations

import numpy as np
import pytest

from compress import faiss_engine
from compress.errors import DataError, UsageError
from compress.index import Index, exact_neighbours, open_index
from tests.index.building import build_index

# With the least recall@10 that each reaches on the 1,500 videos of the test.
OPENED = {
    "Flat": 1.0,
    "Flat,RFlat": 1.0,
    "SQ8": 0.95,
    "SQfp16": 0.99,
    "PQ8x4fs": 0.3,
    "PQ16x4fs,RFlat": 0.95,
    "PQ16x4fs,Refine(SQ8)": 0.9,
    "IVF20,Flat": 0.98,
    "IVF20,SQ4": 0.6,
    "IVF20,SQ8": 0.95,
    "IVF20,SQfp16": 0.99,
    "IVF20,PQ4": 0.3,
    "IVF20,PQ16": 0.8,
    "IVF20,PQ8np": 0.6,
    "IVF20,PQ8x4": 0.3,
    "IVF20,PQ8x6": 0.5,
    "IVF20,PQ8,RFlat": 0.95,
    "IVF20,PQ8,Refine(SQfp16)": 0.95,
    "IVF20,PQ8x4fs": 0.3,
    "IVF20,PQ8x4fsr": 0.3,
    "IVF20,PQ8x4fs,RFlat": 0.95,
    "IVF20,PQ8x4fs,Refine(SQfp16)": 0.95,
    "IVF20(SQ8),PQ8": 0.6,
}
REFUSED = {
    "HNSW16": "needs IndexHNSWFlat",
    "HNSW16_SQ8": "needs IndexHNSWSQ",
    "IVF20_HNSW16,Flat": "needs IndexHNSWFlat",
    "NSG16": "needs IndexNSGFlat",
    "PQ8": "needs IndexPQ,",
    "OPQ8,PQ8x4fs": "needs IndexPreTransform",
    "OPQ8,IVF20,PQ8": "needs IndexPreTransform",
    "PCA8,Flat": "needs IndexPreTransform",
    "L2norm,Flat": "needs IndexPreTransform",
    "LSH": "FAISS cannot make 'LSH'",
    "RaBitQ": "needs IndexRaBitQ",
    "IVF20,RaBitQ": "needs IndexIVFRaBitQ",
    "RQ4x4": "needs IndexResidualQuantizer",
    "IVF20,PQ8+16": "FAISS cannot make 'IVF20,PQ8.16'",
    "IMI2x4,PQ8": "FAISS cannot make 'IMI2x4,PQ8'",
    "IDMap,Flat": "needs IndexIDMap",
    # FAISS has no distance to one row of these, and for want of it ends the process.
    "IVF20,PQ8,Refine(PQ16x4fs)": "needs re-ranking by IndexPQFastScan",
    "IVF20,PQ8,Refine(IVF4,Flat)": "needs re-ranking by IndexIVFFlat",
    "IVF20,PQ8,RFlat,RFlat": "needs IndexRefineFlat inside another",
}


@pytest.fixture(scope="module")
def store(clustered, memory_store):
    return memory_store(clustered(1500, 16))


@pytest.mark.parametrize("metric", ["cosine", "ip"])
@pytest.mark.parametrize("factory", OPENED)
def test_what_is_built_is_saved_opened_and_searched(factory, metric, store, tmp_path):
    built = Index.build(store, factory=factory, metric=metric, wanted_recall=1.0, recall_queries=40)
    built.save(tmp_path / "index")
    opened = open_index(tmp_path / "index", store=store)
    queries = store.vectors[:60] + 0.01
    hits, before = opened.search(queries, 10), built.search(queries, 10)
    assert np.array_equal(hits.rows, before.rows)
    assert np.array_equal(hits.scores, before.scores)
    wanted = exact_neighbours(queries, store, 10, metric)
    found = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(hits.rows, wanted, strict=True)])
    assert found >= OPENED[factory]
    assert opened.facts.kind == factory
    assert (opened.search(queries[:3], 1500).rows >= 0).all()


@pytest.mark.parametrize("factory", REFUSED)
def test_what_could_not_be_opened_is_refused_before_a_row_is_read(factory, store, memory_store):
    unread = memory_store(store.vectors)
    with pytest.raises(UsageError, match=REFUSED[factory]) as caught:
        Index.build(unread, factory=factory)
    assert "\n" not in str(caught.value)
    assert unread.largest_read == 0


def test_an_index_that_does_not_open_again_is_not_committed(store, tmp_path, monkeypatch):
    build_index(store, tmp_path / "index", factory="Flat", recall_queries=10)

    def unreadable(path):
        raise DataError("FAISS cannot read this index", where=path)

    with monkeypatch.context() as broken:
        broken.setattr(faiss_engine, "read_index", unreadable)
        with pytest.raises(UsageError, match="FAISS wrote 'IVF20,Flat' and cannot open it again"):
            build_index(store, tmp_path / "index", factory="IVF20,Flat", recall_queries=10)
    assert open_index(tmp_path / "index").facts.kind == "Flat"
    assert len(list((tmp_path / "index").glob("*.faiss"))) == 1

"""Neighbours of validation videos among training videos, against loops; and how much is in memory at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.codecs.float32 import Float32
from compress.errors import RecordError, SchemaError
from compress.evaluation.neighbours import K, retrieval_quality
from compress.labels import Labels
from compress.progress import Event, Note
from compress.store.reader import Store, open_store
from compress.store.writer import open_writer
from tests.metrics import reference

TRAIN, VALIDATE, DIM, CLASSES = 700, 40, 6, 9


def features(dim: int = DIM, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((TRAIN + VALIDATE, dim)).astype(np.float32)


LABELS = Labels.from_lists(
    [np.random.default_rng(row).integers(0, CLASSES, 1 + row % 3) for row in range(TRAIN + VALIDATE)], CLASSES
)


def written(path: Path, embedding: np.ndarray, order: np.ndarray | None = None, prefix: str = "v") -> Store:
    """A store whose rows come in `order`, training videos first."""
    order = np.arange(TRAIN + VALIDATE) if order is None else order
    ids = np.array([f"{prefix}{row:04d}".encode() for row in order])
    codec = Float32(embedding.shape[1])
    splits = {"train": (0, TRAIN), "validate": (TRAIN, TRAIN + VALIDATE)}
    with open_writer(
        path, ids=ids, labels=LABELS.take(order), codec=codec, splits=splits, metadata={}
    ) as writer:
        writer.write(embedding[order])
        writer.finish()
    return open_store(path)


def nearest(embedding: np.ndarray, row: int) -> list[int]:
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    return sorted(range(TRAIN), key=lambda other: -float(unit[row] @ unit[other]))[:K]


def test_figures_equal_loops_from_the_definitions_whatever_the_order_of_the_rows(tmp_path):
    original, small = features(12), features(12)[:, :DIM].copy()
    draws = np.random.default_rng(5)
    order = np.concatenate([draws.permutation(TRAIN), TRAIN + draws.permutation(VALIDATE)])
    found, _ = retrieval_quality(
        written(tmp_path / "a.h5", small, order), written(tmp_path / "b.h5", original)
    )
    shares, recalls, precisions, gains = [], [], [], []
    base = [set(LABELS[other]) for other in range(TRAIN)]
    for row in range(TRAIN, TRAIN + VALIDATE):
        neighbours = nearest(small, row)
        precisions.append(reference.retrieval_average_precision(neighbours, set(LABELS[row]), base))
        gains.append(reference.ndcg(neighbours, set(LABELS[row]), base))
        shares.append(np.mean([bool(set(LABELS[row]) & set(LABELS[other])) for other in neighbours]))
        recalls.append(len(set(neighbours) & set(nearest(original, row))) / K)
    assert found.queries == VALIDATE
    assert found.label_precision_at_10 == pytest.approx(np.mean(shares))
    assert found.neighbour_recall_at_10 == pytest.approx(np.mean(recalls))
    assert found.map_at_10 == pytest.approx(np.mean(precisions))
    assert found.ndcg_at_10 == pytest.approx(np.mean(gains))


def test_the_original_finds_all_its_own_neighbours(tmp_path):
    store = written(tmp_path / "a.h5", features())
    assert retrieval_quality(store, store)[0].neighbour_recall_at_10 == 1.0


def test_the_videos_searched_are_never_decoded_all_at_once(tmp_path, monkeypatch):
    store, read = written(tmp_path / "a.h5", features()), []
    rows = Store.rows

    def watched(self: Store, indices: np.ndarray) -> np.ndarray:
        read.append(len(indices))
        return rows(self, indices)

    wanted, _ = retrieval_quality(store, store)
    monkeypatch.setattr(Store, "rows", watched)
    monkeypatch.setattr("compress.index.rows.BLOCK_BYTES", 0)  # the smallest block is 256 rows
    assert retrieval_quality(store, store)[0] == wanted
    assert max(read) <= 256 < TRAIN


def test_stores_of_other_videos_are_refused(tmp_path):
    one, other = written(tmp_path / "a.h5", features()), written(tmp_path / "b.h5", features(), prefix="w")
    with pytest.raises(SchemaError, match=r"does not hold the same videos as b\.h5"):
        retrieval_quality(one, other)


def test_zeros_among_the_original_are_left_out_of_the_questions_and_counted(tmp_path: Path):
    kept, holed = features(12), features(12)
    holed[[3, 5]] = 0
    holed[[TRAIN + 3, TRAIN + 8]] = 0
    told: list[Event] = []
    store, original = written(tmp_path / "a.h5", features()), written(tmp_path / "b.h5", holed)
    found, precision = retrieval_quality(store, original, report=told.append)
    assert found.queries == VALIDATE - 2
    assert precision.videos.tolist() == [row for row in range(VALIDATE) if row not in (3, 8)]
    notes = [note.text for note in told if isinstance(note, Note)]
    assert notes == [
        f"2 of {VALIDATE} queries are all zeros: left out",
        f"2 of {TRAIN} training videos are all zeros in b.h5",
    ]
    whole, all_precisions = retrieval_quality(store, written(tmp_path / "c.h5", kept))
    assert precision.values.tolist() == np.delete(all_precisions.values, [3, 8]).tolist()
    assert abs(found.neighbour_recall_at_10 - whole.neighbour_recall_at_10) < 0.1


def test_a_question_that_the_store_made_to_zeros_finds_nothing(tmp_path: Path):
    lost = features()
    told: list[Event] = []
    lost[TRAIN + 3] = 0
    original = written(tmp_path / "b.h5", features(12))
    found, precision = retrieval_quality(written(tmp_path / "a.h5", lost), original, report=told.append)
    whole, all_precisions = retrieval_quality(written(tmp_path / "c.h5", features()), original)
    assert found.queries == whole.queries == VALIDATE
    assert precision.values[3] == 0
    assert np.delete(precision.values, 3).tolist() == np.delete(all_precisions.values, 3).tolist()
    assert found.label_precision_at_10 < whole.label_precision_at_10
    assert any(
        isinstance(note, Note) and "1 of 40 queries are all zeros in a.h5" in note.text for note in told
    )


def test_where_all_questions_are_zeros_the_way_out_is_told(tmp_path: Path):
    nothing = features(12)
    nothing[TRAIN:] = 0
    store, original = written(tmp_path / "a.h5", features()), written(tmp_path / "b.h5", nothing)
    with pytest.raises(RecordError, match=r"b\.h5: .* all zeros; --no-retrieval measures the rest"):
        retrieval_quality(store, original)

"""What somebody checks who believes no figure: against slow references, against stores, and between seeds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

import compress
from compress import Codec, Encoder, Index
from tests.door.videos import make_videos
from tests.metrics import reference

SCORES, LABELS = reference.random_batch(7, 25, 8, ties=True)


@pytest.mark.parametrize(
    "labels",
    [LABELS, LABELS.astype(int), sparse.csr_matrix(LABELS), [np.flatnonzero(row).tolist() for row in LABELS]],
    ids=["bool", "int", "sparse", "lists"],
)
def test_metrics_are_those_of_slow_obvious_loops(labels: object):
    assert compress.gap(SCORES, labels) == pytest.approx(reference.gap(SCORES, LABELS), abs=1e-12)
    hits = [LABELS[row, SCORES[row].argmax()] for row in range(len(LABELS))]
    assert compress.hit_at_one(SCORES, labels) == pytest.approx(np.mean(hits), abs=1e-12)


@pytest.mark.slow
def test_judge_finds_a_loss_where_there_is_one_and_none_where_there_is_none():
    X, Y = make_videos(500)
    X_test, Y_test = make_videos(400, seed=1)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(24, 24)))[0].astype(np.float32)
    original = compress.judge(X, Y, X_test, Y_test, seeds=2, mixup=0.0)
    turned = compress.judge(X @ turn, Y, X_test @ turn, Y_test, seeds=2, mixup=0.0).minus(original)
    cut = compress.judge(X[:, :3], Y, X_test[:, :3], Y_test, seeds=2, mixup=0.0).minus(original)
    assert cut.gap.high < 0
    assert abs(turned.gap.value) < 0.02
    assert abs(turned.gap.value) < abs(cut.gap.value) / 5

    def by_scikit_learn(dims: int) -> float:
        head = OneVsRestClassifier(LogisticRegression(max_iter=500)).fit(X[:, :dims], Y)
        return compress.gap(head.predict_proba(X_test[:, :dims]), Y_test)

    assert by_scikit_learn(3) < by_scikit_learn(24) - 0.1


def test_an_index_is_brute_force():
    Z = np.random.default_rng(0).normal(size=(300, 12)).astype(np.float32)
    unit = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    hits = Index.build(Z).search(Z[:20], k=7)
    np.testing.assert_array_equal(hits.rows, np.argsort(-(unit[:20] @ unit.T), axis=1, kind="stable")[:, :7])
    inner = Index.build(Z, metric="ip").search(Z[:20], k=7)
    np.testing.assert_allclose(inner.scores, -np.sort(-(Z[:20] @ Z.T), axis=1)[:, :7], rtol=1e-5)


def test_the_same_seed_gives_the_same_numbers_and_another_one_does_not():
    X, Y = make_videos(120)
    same, again, other = (
        Encoder.fit("linear", X, Y, dim=4, epochs=1, seed=seed).encode(X) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(same, again)
    assert not np.allclose(same, other)
    codes = [Codec.fit("pq2", np.tile(same, (3, 1))).encode(same) for _ in range(2)]
    np.testing.assert_array_equal(*codes)


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    X, Y = make_videos(60)
    encoder = Encoder.fit("linear", X, Y, dim=4, epochs=1)
    compress.judge(X, Y, X, Y, heads="ridge")
    Index.build(encoder.encode(X)).search(encoder.encode(X[:1]))
    with pytest.raises(compress.CompressError):
        Encoder.fit("linear", X, np.zeros_like(Y), dim=4, epochs=1)
    assert not list(tmp_path.iterdir())

"""Queries for stores of codes: numbers, from wherever they can be had; what is said when they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compress.datasets.source import open_source
from compress.encoding import encode
from compress.evaluation.measure import evaluate
from compress.evaluation.neighbours import query_vectors, retrieval_quality
from compress.evaluation.splits import rows_by_id
from compress.store.reader import Store, open_store
from compress.workspace import Workspace
from tests.encoding.examples import CLASSES, shards
from tests.evaluation.examples import JUDGED, VALIDATE, VALIDATION, by_id


def encode_as(workspace: Workspace, run: str, codec: str) -> None:
    splits = {
        name: open_source(workspace.patterns(name, "video"), num_classes=CLASSES)
        for name in ("train", "validate")
    }
    encode(workspace.run(run), splits, workspace.store(f"{run}-{codec}"), codec=codec)


def wanted_rows(store: Store) -> np.ndarray:
    return rows_by_id(store, "validate")[::3]


@pytest.fixture
def features() -> np.ndarray:
    return np.stack([video.features for video in by_id(VALIDATION)])[::3]


def test_a_store_of_numbers_gives_its_own(workspace: Workspace, features):
    store = open_store(workspace.store("original"))
    found = query_vectors(workspace, store, wanted_rows(store), None, "cpu")
    np.testing.assert_array_equal(found, features)


@pytest.mark.parametrize("sibling", [True, False])
def test_a_store_of_codes_gets_the_numbers_of_its_sibling_or_of_the_model(
    workspace: Workspace, features, sibling
):
    if not sibling:
        workspace.store("original").unlink()
    store = open_store(workspace.store("original-int8"))
    found = query_vectors(workspace, store, wanted_rows(store), workspace.run("original"), "cpu")
    np.testing.assert_allclose(found, features, rtol=1e-6)
    assert not np.array_equal(found, store.rows(wanted_rows(store)))


def test_a_sibling_of_another_model_is_not_asked(workspace: Workspace):
    encode_as(workspace, "linear-5", "int8")
    store = open_store(workspace.store("linear-5-int8"))
    store.metadata["model_sha256"] = "0" * 64
    assert query_vectors(workspace, store, wanted_rows(store), None, "cpu") is None


@pytest.mark.parametrize("patterns", [(), ("nowhere*.tfrecord",)])
def test_without_sibling_and_shards_there_are_no_queries(workspace: Workspace, patterns):
    workspace.store("original").unlink()
    store = open_store(workspace.store("original-int8"))
    bare = replace(workspace, validate=tuple(str(workspace.root / one) for one in patterns))
    assert query_vectors(bare, store, wanted_rows(store), workspace.run("original"), "cpu") is None


def test_other_shards_are_noticed_by_what_becomes_of_them(workspace: Workspace, tmp_path):
    workspace.store("original").unlink()
    other = [replace(video, features=np.roll(video.features, 5).astype(np.float32)) for video in VALIDATION]
    shards(tmp_path / "other", "validate", other)
    store = open_store(workspace.store("original-int8"))
    moved = replace(workspace, validate=(str(tmp_path / "other" / "validate*.tfrecord"),))
    assert query_vectors(moved, store, wanted_rows(store), workspace.run("original"), "cpu") is None


def test_the_row_says_when_queries_were_codes(workspace: Workspace):
    row = evaluate(workspace, "original-int8", **JUDGED)
    assert row.retrieval.queries_from == "float32"
    bare = replace(workspace, validate=())
    workspace.store("linear-5").unlink()
    encode_as(workspace, "linear-5", "int8")
    row = evaluate(bare, "linear-5-int8", **JUDGED)
    assert row.retrieval.queries_from == "codes"
    assert any("decoded codes" in note for note in row.notes)


def test_codes_are_searched_with_the_queries_that_are_given(workspace: Workspace):
    original, coded = (open_store(workspace.store(name)) for name in ("original", "original-int8"))
    backwards, _ = retrieval_quality(coded, original, vectors_of=lambda rows: -coded.rows(rows))
    forwards, _ = retrieval_quality(coded, original, vectors_of=original.rows)
    assert forwards.queries == backwards.queries == VALIDATE
    assert forwards.neighbour_recall_at_10 > 0.8 > backwards.neighbour_recall_at_10
    assert (forwards.queries_from, retrieval_quality(coded, original)[0].queries_from) == ("float32", "codes")

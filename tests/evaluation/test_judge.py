"""`compress.judge`: the figures of `compress evaluate`, from arrays."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import compress
from compress.encoder import table_of
from compress.errors import SchemaError
from compress.evaluation.row_file import read_row
from compress.evaluation.splits import labelled_split, rows_by_id
from compress.store.reader import open_store
from compress.workspace import Workspace
from tests.evaluation.examples import JUDGED


def arrays(workspace: Workspace, name: str) -> list[np.ndarray]:
    """Embeddings and multi-hot labels of both splits, by id."""
    store = open_store(workspace.store(name))
    found = []
    for split in ("train", "validate"):
        rows = rows_by_id(store, split)
        found += [store.rows(rows), labelled_split(store, split).take(rows).multi_hot()]
    return found


def test_it_is_what_evaluate_measures_on_the_same_rows_to_the_bit(measured: Workspace):
    row = read_row(measured.evaluation / "linear-5.json")
    store = open_store(measured.store("original"))
    ids = store.id_bytes[rows_by_id(store, "train")]
    ours = compress.judge(*arrays(measured, "linear-5"), **ASKED, ids=ids)
    base = compress.judge(*arrays(measured, "original"), **ASKED, ids=ids)
    assert dict(ours) == dict(row.figures)
    (ridge,) = (one for one in row.judges if one.name == "ridge")
    assert ridge.delta is not None
    assert dict(ours.judges["ridge"].minus(base.judges["ridge"])) == dict(ridge.delta)
    assert [(one.name, dict(one.figures)) for one in row.judges] == [
        (name, dict(found)) for name, found in ours.judges.items()
    ]
    assert repr(ours).splitlines()[1].split()[:2] == ["GAP", f"{row.figures.gap.value:.4f}"]


ASKED: dict[str, Any] = {"device": "cpu", "heads": JUDGED["heads"], "seeds": 1, "epochs": 4, "mixup": 0.0}


def named(count: int, *, names: bool) -> list[object]:
    draws = np.random.default_rng(1)
    classes = draws.integers(0, 3, count)
    features = np.eye(3)[classes] + 0.1 * draws.normal(size=(count, 3))
    labels = [["cat", "cow", "dog"][one] for one in classes] if names else np.eye(3, dtype=int)[classes]
    half = count // 2
    return [features[:half].tolist(), labels[:half], features[half:], labels[half:]]


def test_class_names_are_as_good_as_numbers():
    found = [compress.judge(*named(120, names=names), heads="ridge", device="cpu") for names in (False, True)]
    assert dict(found[0]) == dict(found[1])


def test_rows_without_ids_are_set_aside_as_an_encoder_sets_them_aside():
    draws = np.random.default_rng(0)
    X, Y = draws.normal(size=(150, 5)), draws.random((150, 4)) < 0.4
    rows = [X[:100], Y[:100], X[100:], Y[100:]]
    ids = [one.decode() for one in table_of(X[:100]).ids.tolist()]
    found = dict(compress.judge(*rows, heads="ridge", device="cpu"))
    assert found == dict(compress.judge(*rows, heads="ridge", device="cpu", ids=ids))
    others = [f"other-{one}" for one in ids]
    assert found != dict(compress.judge(*rows, heads="ridge", device="cpu", ids=others))


def test_what_does_not_fit_is_refused_in_one_sentence():
    Z, Y, Z_test, Y_test = named(60, names=False)
    for change, message in (
        ((Z, Y, np.zeros((30, 2)), Y_test), "Z_train has 3 dimensions, Z_test has 2"),
        ((Z, Y[:-1], Z_test, Y_test), "29 rows of Y_train for 30 videos"),
        ((Z, ["cat"] * 30, Z_test, Y_test), "mix class names and class numbers"),
    ):
        with pytest.raises(SchemaError, match=message):
            compress.judge(*change)


def test_judgements_of_other_videos_are_not_compared():
    Z, Y, Z_test, Y_test = named(60, names=False)
    ours = compress.judge(Z, Y, Z_test, Y_test, heads="ridge", device="cpu")
    other = compress.judge(Z, Y, Z_test, np.roll(Y_test, 1, axis=0), heads="ridge", device="cpu")
    with pytest.raises(SchemaError, match="not paired"):
        ours.minus(other)


def test_a_judgement_is_kept_by_pickle_and_copied_and_completed_by_name():
    made = compress.judge(*named(60, names=False), heads="ridge", device="cpu")
    for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert dict(again) == dict(made)
    assert {"gap", "map", "minus"} <= set(dir(made))

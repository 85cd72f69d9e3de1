"""The validation videos in two halves: who is where, and the figures of each."""

from __future__ import annotations

import numpy as np
import pytest

from compress.artifacts.atomic import read_json
from compress.errors import SchemaError
from compress.evaluation.halves import HALVES, half, halves_of, take_half
from compress.evaluation.scores import load_scores
from compress.evaluation.splits import rows_by_id
from compress.metrics import METRICS, TopScores, difference, figures, replicates
from compress.store.reader import open_store
from compress.workspace import Workspace
from tests.evaluation.examples import VALIDATE, is_interval

NAMES = [metric.name for metric in METRICS]

IDS = np.array([f"video{number:05d}".encode() for number in range(4000)])
FIRST_SIXTEEN = [0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1]


def test_every_video_is_in_exactly_one_half_and_about_half_of_them_in_each():
    assert np.array_equal(half(IDS, "selection"), ~half(IDS, "confirmation"))
    assert abs(half(IDS, "selection").mean() - 0.5) < 0.03


@pytest.mark.parametrize("which", HALVES)
def test_a_video_stays_in_its_half_wherever_it_stands_and_however_wide_the_ids_are(which):
    order = np.random.default_rng(0).permutation(len(IDS))
    assert np.array_equal(half(IDS[order], which), half(IDS, which)[order])
    assert np.array_equal(half(IDS.astype("S40"), which), half(IDS, which))
    assert half(IDS[:1], which)[0] == half(IDS, which)[0]


def test_the_halves_are_what_they_were_in_every_earlier_version():
    assert half(IDS[:16], "selection").astype(int).tolist() == FIRST_SIXTEEN


def test_no_video_has_no_half():
    assert half(IDS[:0], "selection").tolist() == []


def scores_of(workspace: Workspace, name: str) -> tuple[TopScores, np.ndarray]:
    store = open_store(workspace.store(name))
    return load_scores(workspace.evaluation / "scores" / name)[0], store.id_bytes[
        rows_by_id(store, "validate")
    ]


@pytest.mark.parametrize("which", HALVES)
def test_a_row_tells_figures_and_paired_deltas_of_each_half(measured: Workspace, which):
    row = read_json(measured.evaluation / "linear-5.json")
    found = row["halves"][which]
    (ours, ids), (base, _) = scores_of(measured, "linear-5"), scores_of(measured, "original")
    rows = [place for place, chosen in enumerate(half(ids, which)) if chosen]  # one by one, as a reference
    part, base_part = ours.take(np.array(rows)), base.take(np.array(rows))
    assert found["videos"] == len(rows)
    assert 0 < len(rows) < VALIDATE
    for metric in NAMES:
        assert found["figures"][metric]["value"] == figures(part)[metric]
        assert is_interval(found["figures"][metric])
        wanted = difference(replicates(part, 1000), replicates(base_part, 1000), metric)
        assert found["delta"][metric] == {"value": wanted.value, "low": wanted.low, "high": wanted.high}
    assert found["delta"]["baseline"] == "original"


def test_the_baseline_has_no_delta_on_either_half(measured: Workspace):
    row = read_json(measured.evaluation / "original.json")
    assert [row["halves"][which]["delta"] for which in HALVES] == [None, None]


def test_a_half_without_a_video_is_null(measured: Workspace):
    top, ids = scores_of(measured, "original")
    alone = take_half(top, ids, "selection").take(np.array([0]))
    its_id = ids[half(ids, "selection")][:1]
    found = halves_of(alone, its_id, None, "original", 0)
    assert found["confirmation"] is None
    assert found["selection"].videos == 1


def test_a_baseline_of_other_videos_is_refused(measured: Workspace):
    top, ids = scores_of(measured, "original")
    moved = top.take(np.roll(np.arange(len(top)), 1))
    with pytest.raises(SchemaError, match="not paired"):
        halves_of(top, ids, moved, "original", 0)

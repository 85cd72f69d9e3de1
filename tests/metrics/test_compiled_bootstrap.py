"""Resampled figures in C are those of NumPy, to the bit."""

import numpy as np
import pytest

from compress import native
from compress.metrics import METRICS, TopScores, compiled, ranking, replicates, top_of_batch
from tests.metrics import reference


def top_of(ties: bool, density: float) -> TopScores:
    return top_of_batch(*reference.random_batch(8, 300, 60, ties=ties, density=density))


@pytest.mark.skipif(compiled.library() is None, reason="the C code is not compiled here")
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("density", [0.0, 0.001, 0.05, 1.0])
def test_every_replicate_is_the_same(ties, density, monkeypatch):
    found = []
    for switch in ("on", "off"):
        monkeypatch.setenv(native.SWITCH, switch)
        found.append(replicates(top_of(ties, density), resamples=20))
    for metric in METRICS:
        np.testing.assert_array_equal(*(one.values[metric.name] for one in found))


@pytest.mark.parametrize("switch", ["on", "off"])
def test_classes_are_ranked_range_by_range(switch, monkeypatch):
    monkeypatch.setenv(native.SWITCH, switch)
    top = top_of(True, 0.05)
    wanted = replicates(top, resamples=5).values.map
    ranges = list(ranking.class_ranges(top.classes, top.num_classes, pairs=500))
    assert len(ranges) > 2
    monkeypatch.setattr("compress.metrics.weighted_ranking.class_ranges", lambda *_: iter(ranges))
    np.testing.assert_allclose(replicates(top, resamples=5).values.map, wanted, atol=1e-12)

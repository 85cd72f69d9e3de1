"""The slow way that benchmarks measure ours against gives the same figures."""

import numpy as np
import pytest

from benchmarks.rivals.starter_metrics import StarterMetrics
from compress.metrics import MetricAccumulator
from tests.metrics import reference


@pytest.mark.parametrize("seed", range(5))
def test_the_starter_code_gives_our_figures_when_no_scores_are_equal(seed):
    scores, labels = reference.random_batch(seed, 60, 50, ties=False, density=0.05)
    ours, theirs = MetricAccumulator(50), StarterMetrics()
    for part in np.split(np.arange(60), 3):
        ours.update(scores[part], labels[part])
        theirs.accumulate(scores[part], labels[part].astype(np.float32))
    figures = ours.figures()
    for name, value in theirs.figures().items():
        # Its precision at equal recall is summed in the float32 of its labels.
        assert figures[name] == pytest.approx(value, abs=1e-7 if name == "perr" else 1e-9), name

"""scikit-learn's judgement of embeddings: two classifiers, and a bootstrap written down once more.

No figure is computed by `compress`: what is compared with it must not share its faults.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from compress.metrics import Interval
from tests.metrics import reference

TRIED = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
"""Values of C, the weight of the loss beside that of the penalty 1/2 |w|^2."""
HIDDEN, MOST_EPOCHS, PATIENCE = 1024, 100, 5
RESAMPLES, TOP = 500, 20

gap = reference.gap


@dataclass(frozen=True)
class Answer:
    """Probabilities (n, C) of test videos, and what was chosen by GAP on the videos that are set aside."""

    scores: np.ndarray
    aside_gap: float
    setting: float


def ask(
    features: np.ndarray, labels: np.ndarray, aside: np.ndarray, test: np.ndarray, *, networks: bool = True
) -> Mapping[str, Answer]:
    """What "logistic" (a regression for each class) and "mlp" (one hidden layer) say.

    Args:
        features: (N, D) of training videos.
        labels: bool (N, C).
        aside: bool (N,), the training videos that settings are chosen on, and that nothing is learned from.
        test: features (n, D).
        networks: ask "mlp" too.
    """
    train, held_out, test = (_scaled(rows) for rows in (features[~aside], features[aside], test))
    found: dict[str, Answer] = {}

    def offer(name: str, setting: float, held_out_scores: np.ndarray, scores: np.ndarray) -> None:
        reached = gap(held_out_scores, labels[aside])
        if name not in found or reached > found[name].aside_gap:
            found[name] = Answer(scores, reached, setting)

    for C in TRIED:
        models = _fitted(train, labels[~aside], C)
        offer("logistic", C, _scores(models, held_out), _scores(models, test))
    batch = min(200, max(16, len(train) // 8))
    hidden = MLPClassifier((HIDDEN,), batch_size=batch, random_state=0)
    for epoch in range(1, MOST_EPOCHS + 1 if networks else 0):
        hidden.partial_fit(train, labels[~aside].astype(int), classes=np.arange(labels.shape[1]))
        offer("mlp", epoch, hidden.predict_proba(held_out), hidden.predict_proba(test))
        if epoch - found["mlp"].setting >= PATIENCE:
            break
    return found


def best(answers: Mapping[str, Answer]) -> Answer:
    """The answer of the classifier that was best on the videos that are set aside."""
    return max(answers.values(), key=lambda one: one.aside_gap)


def _fitted(features: np.ndarray, labels: np.ndarray, C: float) -> list[LogisticRegression]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        return [LogisticRegression(C=C, max_iter=1000).fit(features, column) for column in labels.T]


def _scores(models: list[LogisticRegression], features: np.ndarray) -> np.ndarray:
    return np.stack([model.predict_proba(features)[:, 1] for model in models], axis=1)


def _scaled(features: np.ndarray) -> np.ndarray:
    """Rows of length sqrt(D), so that an entry is about 1."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / length * np.sqrt(features.shape[1])).astype(np.float32)


def change(row: np.ndarray, original: np.ndarray, labels: np.ndarray) -> Interval:
    """GAP of scores minus that of other ones, and its 95 % interval over videos.

    The plain bootstrap: draw as many videos as there are, with replacement, and take the change on them.
    """
    draws = np.random.default_rng(0)
    ours, theirs = _top(row, labels), _top(original, labels)
    changes = []
    for _ in range(RESAMPLES):
        chosen = draws.integers(len(labels), size=len(labels))
        positives = int(labels[chosen].sum())
        changes.append(_gap(*ours, chosen, positives) - _gap(*theirs, chosen, positives))
    low, high = np.quantile(changes, [0.025, 0.975])
    return Interval(gap(row, labels) - gap(original, labels), float(low), float(high))


def _top(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest scores of each video, and whether each is a hit: (n, TOP) both."""
    classes = np.argsort(-scores, axis=1)[:, :TOP]
    return np.take_along_axis(scores, classes, axis=1), np.take_along_axis(labels, classes, axis=1)


def _gap(scores: np.ndarray, hits: np.ndarray, chosen: np.ndarray, positives: int) -> float:
    order = np.argsort(-scores[chosen].ravel(), kind="stable")
    hit = hits[chosen].ravel()[order]
    precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    return float(precision[hit].sum() / positives)

"""GAP@20, Hit@1 and PERR of scores that come in batches, and MAP over all scores."""

from __future__ import annotations

import numpy as np

from benchmarks.paths.agreement import close
from benchmarks.rivals.starter_metrics import StarterMetrics
from benchmarks.row import Contest, Row, Settings, Work, at_least
from compress.metrics import FullMAP, MetricAccumulator, metric_named

CLASSES, BATCH, LABELS, DIFFERENT = 3862, 1024, 3, 4
_FIGURES = ("gap", "hit_at_one", "perr")


def streamed(settings: Settings) -> Contest:
    """Batches of scores to three figures."""
    batches = _batches(settings.size(4, 64))

    def ours() -> dict[str, float]:
        metrics = MetricAccumulator(CLASSES)
        for scores, labels in batches:
            metrics.update(scores, labels)
        top = metrics.top()
        return {name: metric_named(name).of(top) for name in _FIGURES}

    def rival() -> dict[str, float]:
        metrics = StarterMetrics()
        for scores, labels in batches:
            metrics.accumulate(scores, labels)
        return metrics.figures()

    mine, theirs = ours(), rival()
    checked = close("GAP, Hit@1, PERR", [mine[n] for n in _FIGURES], [theirs[n] for n in _FIGURES], 1e-4)
    videos = len(batches) * BATCH
    work = Work(4.0 * videos * CLASSES, "memory read", f"{videos:,} videos x {CLASSES} scores x 4 B")
    notes = ("the rival puts ties in random order",)
    return Contest(ours, rival, videos, checked, work, notes)


def full_map(settings: Settings) -> Contest:
    """MAP over all scores in batches that are seen twice, against scikit-learn on the whole matrix."""
    from sklearn.metrics import average_precision_score

    # All different: scikit-learn has another rule for equal scores.
    batches = [_batch(seed) for seed in range(settings.size(2, 8))]
    scores, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    present = np.flatnonzero(labels.any(axis=0)).tolist()

    def ours() -> float:
        full = FullMAP(CLASSES)
        for batch in batches:
            full.collect(*batch)
        for batch_scores, _ in batches:
            full.count(batch_scores)
        return full.mean()

    def rival() -> float:
        return float(np.mean([average_precision_score(labels[:, c], scores[:, c]) for c in present]))

    return Contest(
        ours=ours,
        rival=rival,
        units=len(scores),
        checked=close("MAP", ours(), rival(), 1e-5),
        work=Work(2.0 * scores.nbytes, "memory read", f"2 x {len(scores):,} videos x {CLASSES} scores x 4 B"),
        notes=(
            "scikit-learn merges equal scores, ours puts the wrong ones first",
            "the rival needs the matrix",
        ),
    )


def _batches(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Batches of probabilities as a trained model gives them, most of them tiny; a few, again and again."""
    made = [_batch(seed) for seed in range(min(count, DIFFERENT))]
    return [made[number % len(made)] for number in range(count)]


def _batch(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, CLASSES + 1)
    labels = np.zeros((BATCH, CLASSES), dtype=np.bool_)
    chosen = rng.choice(CLASSES, (BATCH, LABELS), p=frequency / frequency.sum())
    np.put_along_axis(labels, chosen, True, axis=1)
    log_odds = 1.5 * rng.standard_normal((BATCH, CLASSES), dtype=np.float32) - 6
    log_odds[labels] = 2 * rng.standard_normal(int(labels.sum()), dtype=np.float32) + 0.5
    return (1 / (1 + np.exp(-log_odds))).astype(np.float32), labels


ROWS = (
    Row(
        "metrics",
        "Metrics",
        "MetricAccumulator",
        "the starter code's way",
        "videos",
        streamed,
        at_least(8),
        long_run=True,
    ),
    Row(
        "metrics-map",
        "Metrics",
        "FullMAP, two passes",
        "scikit-learn, class by class",
        "videos",
        full_map,
        long_run=True,
    ),
)

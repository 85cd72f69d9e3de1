"""Judge embeddings in memory by what a fresh classifier learns from them: figures with intervals."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.arrays import as_features, as_labels, columns, whole_number
from compress.datasets.schema import FeatureSchema
from compress.datasets.table import VideoTable
from compress.errors import SchemaError
from compress.evaluation.fresh_head import train_fresh_head
from compress.labels import Labels
from compress.machine import choose_device
from compress.metrics import Intervals, Replicates, replicates
from compress.training.inputs import Table
from compress.training.recipes import LEAST_STEPS, fresh_head_config


class Judgement(Intervals):
    """The figures of a fresh head on the test videos, each with its 95 % interval: `.gap.value`, `.map.low`.

    Args:
        resampled: the figures of the videos and of their resamples.
    """

    def __init__(self, resampled: Replicates) -> None:
        super().__init__(resampled.intervals())
        self._resampled = resampled

    def minus(self, other: Judgement) -> Intervals:
        """These figures minus those of `other`, with intervals of the differences.

        The intervals are paired: both figures are of the same resampled videos, so what the sampling does to
        both cancels out.

        Raises:
            SchemaError: `other` is no judgement, or was made on other test videos or with another seed.
        """
        if not isinstance(other, Judgement):
            raise SchemaError(f"only another judgement can be subtracted, not {other!r:.60}")
        return self._resampled.minus(other._resampled)


def judge(
    Z_train: Any,
    Y_train: Any,
    Z_test: Any,
    Y_test: Any,
    *,
    seed: int = 0,
    epochs: int | None = None,
    mixup: float = 0.0,
    device: str = "auto",
    threads: int = 0,
) -> Judgement:
    """Train a fresh head on embeddings and measure it on others, as `compress evaluate` does.

    The head is the paper's mixture of experts with the recipe of every fresh head; the test videos are used
    for measuring only. Judge the original features in the same way, and `minus` gives the change.

    Args:
        Z_train: embeddings (n, dim) of any number type: list, array or tensor.
        Y_train: their labels: multi-hot (n, C), or for each video a list of class numbers or names.
        Z_test, Y_test: of the videos that the head is measured on.
        seed: of the head's weights and order, and of the resamples.
        epochs: passes over the data; None for the recipe's, whose epochs of few videos visit each several
            times (at least 100 steps), so that the head converges.
        mixup: alpha of the Beta distribution for blending pairs of videos; 0 for no mixup.
        device: "auto", "cpu" or "cuda".
        threads: of torch; 0 leaves them as they are.

    Returns:
        GAP, MAP, PERR and Hit@1 with intervals.

    Raises:
        SchemaError: arrays or labels of other shapes or types, or that do not fit together.
        DataError: NaN, infinity, or a class that cannot be.
        UsageError: epochs, mixup, seed or device out of range.

    Example:
        >>> draws = np.random.default_rng(0)
        >>> Y = draws.integers(0, 3, 300)
        >>> Z = np.eye(3)[Y] + 0.1 * draws.normal(size=(300, 3))
        >>> found = judge(Z[:200], Y[:200], Z[200:], Y[200:], epochs=2)
        >>> found.gap.low <= found.gap.value <= found.gap.high
        True
    """
    seed, threads = whole_number(seed, "seed"), whole_number(threads, "threads")
    epochs = None if epochs is None else whole_number(epochs, "epochs", least=1)
    config = fresh_head_config(epochs, seed, mixup)
    train, test = as_features(Z_train, "Z_train"), as_features(Z_test, "Z_test")
    if train.shape[1] != test.shape[1]:
        raise SchemaError(f"Z_train has {train.shape[1]} dimensions, Z_test has {test.shape[1]}")
    if len(test) < 2:
        raise SchemaError("Z_test holds 1 video, and an interval needs 2", hint="hold more videos out")
    if None not in (wide := {columns(Y_train), columns(Y_test)}) and len(wide) > 1:
        raise SchemaError(f"Y_train has {columns(Y_train)} columns, Y_test has {columns(Y_test)}")
    Y_train, Y_test = _same_classes(
        as_labels(Y_train, len(train), what="Y_train"), as_labels(Y_test, len(test), what="Y_test")
    )
    table: Table = _table("train", train, Y_train)
    if epochs is None:
        config = replace(config, least_steps=LEAST_STEPS)
    with tempfile.TemporaryDirectory(prefix="compress-judge-") as folder:
        top, _ = train_fresh_head(
            table,
            _table("test", test, Y_test),
            Path(folder) / "head",
            config,
            device=choose_device(device),
            threads=threads,
        )
    return Judgement(replicates(top, seed=seed))


def _same_classes(train: Labels, test: Labels) -> tuple[Labels, Labels]:
    """Both with one numbering of the classes; a class may occur in only one of them."""
    if bool(train.names) != bool(test.names):
        raise SchemaError(
            "Y_train and Y_test mix class names and class numbers", hint="give both in the same form"
        )
    names = sorted({*train.names, *test.names})
    classes = len(names) or max(train.num_classes, test.num_classes)
    return _renumbered(train, names, classes), _renumbered(test, names, classes)


def _renumbered(lists: Labels, names: list[str], classes: int) -> Labels:
    # Names are sorted in both, so the classes of each video stay in ascending order.
    places = np.array([names.index(name) for name in lists.names] or range(classes), dtype=np.int32)
    return Labels(lists.indptr, places[lists.indices], classes, tuple(names))


def _table(split: str, features: np.ndarray, labels: Labels) -> VideoTable:
    ids = np.array([f"{split}-{number:09d}".encode() for number in range(len(features))])
    schema = FeatureSchema("video", ("embedding",), (features.shape[1],), labels.num_classes, "id")
    return VideoTable(ids, features, labels, schema)

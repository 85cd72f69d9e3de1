"""Judge embeddings in memory by what classifiers learn from them: figures with intervals."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compress.arrays import as_features, as_ids, as_labels, columns, whole_number
from compress.datasets.schema import FeatureSchema
from compress.datasets.table import VideoTable
from compress.errors import DataError, SchemaError, UsageError
from compress.evaluation.judges.judged import change, figures_of
from compress.evaluation.judges.names import judges_named
from compress.evaluation.judges.opinion import Opinion
from compress.evaluation.judges.panel import Panel, ask_panel
from compress.evaluation.judges.question import Search, question
from compress.labels import Labels
from compress.machine import choose_device
from compress.metrics import Intervals, Replicates, replicates


class Judgement(Intervals):
    """The figures of a judge on the test videos, each with its 95 % interval: `.gap.value`, `.map.low`.

    They are those of the best judge, the one with the highest GAP on training videos that were set aside.

    Args:
        panel: what each judge found.
        resampled: the figures of the videos and of their resamples, by judge.
    """

    def __init__(self, panel: Panel, resampled: Mapping[str, Replicates]) -> None:
        self.best = panel.best
        super().__init__(figures_of(panel.opinions[self.best], resampled[self.best]))
        self._panel, self._resampled = panel, resampled

    @property
    def judges(self) -> dict[str, Judgement]:
        """The judgement of each judge alone, by name."""
        return {
            name: Judgement(Panel({name: one}), {name: self._resampled[name]})
            for name, one in self._panel.opinions.items()
        }

    @property
    def converged(self) -> bool:
        """Whether the training of the best judge ended by itself; if not, its figures mean little."""
        return self._panel.opinions[self.best].converged

    def minus(self, other: Judgement) -> Intervals:
        """These figures minus those of `other`, best judge minus best judge, with intervals.

        The intervals are paired: both figures are of the same resampled videos, so what the sampling does to
        both cancels out.

        Raises:
            SchemaError: `other` is no judgement, or was made on other test videos, with another seed or by
                other judges.
            DataError: a judge has not converged, so that there is no verdict.
        """
        if not isinstance(other, Judgement):
            raise SchemaError(f"only another judgement can be subtracted, not {other!r:.60}")
        if list(self._panel.opinions) != list(other._panel.opinions):
            raise SchemaError(
                "the two judgements are of different judges", hint="pass the same heads to both"
            )
        for one in (self, other):
            if not one.converged:
                raise DataError(
                    f"the judge {one.best} has not converged, so there is no verdict",
                    hint="leave epochs out, or allow more of them",
                )
        return change(*self._spoken(), *other._spoken())

    def _spoken(self) -> tuple[Opinion, Replicates]:
        return self._panel.opinions[self.best], self._resampled[self.best]


def judge(
    Z_train: Any,
    Y_train: Any,
    Z_test: Any,
    Y_test: Any,
    *,
    heads: str | Sequence[str] = (),
    seed: int = 0,
    seeds: int | None = None,
    epochs: int | None = None,
    mixup: float | None = None,
    ids: Any = None,
    device: str = "auto",
    threads: int = 0,
) -> Judgement:
    """Train classifiers on embeddings and measure them on others, as `compress evaluate` does.

    A panel is asked: the paper's mixture of experts, logistic regression, a network of one hidden layer,
    ridge regression, and nearest neighbours. Each trains until it stops improving on a part of the training
    videos; the test videos are used for measuring only. Judge the original features in the same way, and
    `minus` gives the change.

    Args:
        Z_train: embeddings (n, dim) of any number type: list, array or tensor; at least 20.
        Y_train: their labels: multi-hot (n, C), or for each video a list of class numbers or names.
        Z_test, Y_test: of the videos that the judges are measured on.
        heads: names of judges: "moe", "logistic", "mlp", "ridge", "knn"; none for all. "moe" is a quick look.
        seed: of the first head's weights and order, and of the resamples.
        seeds: heads that each trained judge is the mean of; None for 3, for 1 from 50,000 videos on.
        epochs: the most passes over the data; None for the recipe's, which suffices.
        mixup: alpha of the Beta distribution for blending pairs of videos, 0 for none; None tries 0.4 and 0.
        ids: of the training videos (n,); which of them are set aside follows from these alone. None counts
            rows, as `Encoder.fit` does, so that what it set aside is set aside here too.
        device: "auto", "cpu" or "cuda".
        threads: CPU threads of torch; 0 leaves them as they are.

    Raises:
        SchemaError: arrays or labels of other shapes or types, or that do not fit together.
        DataError: NaN, infinity, or a class that cannot be.
        UsageError: heads, epochs, mixup, seeds, seed or device out of range, or too few videos.

    Example:
        >>> draws = np.random.default_rng(0)
        >>> Y = draws.integers(0, 3, 300)
        >>> Z = np.eye(3)[Y] + 0.1 * draws.normal(size=(300, 3))
        >>> found = judge(Z[:200], Y[:200], Z[200:], Y[200:], heads="ridge")
        >>> found.gap.low <= found.gap.value <= found.gap.high
        True
    """
    seed, threads = whole_number(seed, "seed"), whole_number(threads, "threads")
    epochs = None if epochs is None else whole_number(epochs, "epochs", least=1)
    seeds = None if seeds is None else whole_number(seeds, "seeds", least=1)
    if mixup is not None and not (isinstance(mixup, int | float) and 0 <= mixup < np.inf):
        raise UsageError(f"mixup must be a number of at least 0, not {mixup!r}")
    names = judges_named([heads] if isinstance(heads, str) else heads)
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
    asked = question(
        _table(train, Y_train, ids),
        _table(test, Y_test),
        Search(seeds, epochs, mixup, seed),
        device=choose_device(device),
        threads=threads,
    )
    with tempfile.TemporaryDirectory(prefix="compress-judge-") as folder:
        panel = ask_panel(names, asked, Path(folder))
    return Judgement(panel, {name: replicates(one.top, seed=seed) for name, one in panel.opinions.items()})


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


def _table(features: np.ndarray, labels: Labels, ids: Any = None) -> VideoTable:
    if ids is None:
        ids = [str(number) for number in range(len(features))]  # as `Encoder.fit` names them
    ids = np.array([text.encode() for text in as_ids(ids, len(features))])
    schema = FeatureSchema("video", ("embedding",), (features.shape[1],), labels.num_classes, "id")
    return VideoTable(ids, features, labels, schema)

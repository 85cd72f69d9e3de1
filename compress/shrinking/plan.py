"""What `compress shrink` does to a model, and the recipe by which it is trained meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from compress.errors import DataError, UsageError
from compress.shrinking.pruning import SCOPES, Scope
from compress.training.config import TrainConfig
from compress.training.weights import PRECISIONS, WeightPrecision


@dataclass(frozen=True)
class ShrinkPlan:
    """How a model is made smaller.

    Args:
        weights: how the numbers of matrices are stored: "float32", "float16" or "int8".
        prune: share of the matrices' weights that is set to 0, in [0, 1).
        scope: "global" takes this share of all matrices together, "layer" of each, "row" of each row.
        epochs: passes over the training videos while and after pruning; 0 prunes at once and trains nothing.
        learning_rate: the highest of these epochs; None for the run's own.

    Raises:
        UsageError: a value out of range, epochs without pruning, or nothing to do.
    """

    weights: WeightPrecision = "int8"
    prune: float = 0.0
    scope: Scope = "row"
    epochs: int = 0
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        if self.weights not in PRECISIONS:
            raise UsageError(f"{self.weights!r} is none of {', '.join(PRECISIONS)}", where="--weights")
        if self.scope not in SCOPES:
            raise UsageError(f"{self.scope!r} is none of {', '.join(SCOPES)}", where="--scope")
        if not 0 <= self.prune < 1:
            raise UsageError(f"must be at least 0 and below 1, not {self.prune:g}", where="--prune")
        if self.epochs < 0:
            raise UsageError(f"must be at least 0, not {self.epochs}", where="--epochs")
        if self.learning_rate is not None and not 0 < self.learning_rate < float("inf"):
            raise UsageError(f"must be above 0, not {self.learning_rate:g}", where="--learning-rate")
        if self.epochs and not self.prune:
            what = "--epochs trains a model while it is pruned, and nothing is pruned"
            raise UsageError(what, where=f"--epochs {self.epochs}", hint="give --prune too")
        if self.learning_rate is not None and not self.epochs:
            raise UsageError("nothing is trained", where="--learning-rate", hint="give --epochs too")
        if self.weights == "float32" and not self.prune:
            raise UsageError("nothing to do", hint="give --weights float16 or int8, or --prune")

    @property
    def suffix(self) -> str:
        """What is put behind a run's name: "w8", "w16-p80", "p97.5".

        Not a codec's name: `<run>-int8` is what the embeddings of a run are called that are stored in int8.
        """
        bits = {"float32": "", "float16": "w16", "int8": "w8"}[self.weights]
        pruned = f"p{100 * self.prune:g}" if self.prune else ""
        return "-".join(filter(None, (bits, pruned)))

    def to_json(self) -> dict[str, Any]:
        """Strings and numbers."""
        return asdict(self)


def tuning_config(recipe: Mapping[str, Any], plan: ShrinkPlan) -> TrainConfig:
    """The recipe of the epochs in which a model is pruned: the run's, but from its weights on.

    Args:
        recipe: of the run, as its model keeps it.
        plan: with epochs.

    Raises:
        UsageError: there was no training.
        DataError: a newer version wrote the recipe.
    """
    config = _config(recipe)
    if config.head is None:
        what = f"{config.encoder} is a closed-form encoder, so there is nothing to train longer"
        raise UsageError(what, where="--epochs", hint="with --epochs 0 the weights are pruned at once")
    main, branch = config.learning_rate, config.branch_learning_rate
    # The run's own rate, not a low one: Renda et al. 2020 (arXiv 2003.02389), and docs/experiments.md.
    factor = 1.0 if plan.learning_rate is None else plan.learning_rate / main
    return replace(
        config,
        epochs=plan.epochs,
        warm_epochs=0,
        learning_rate=factor * main,
        branch_learning_rate=factor * branch,
        schedule="cosine",
        class_priors=False,
        # The model has its eigenvalues; teachers would have to be there again.
        undo_whitening="",
        teachers=(),
        # An early epoch is better because less of it is pruned.
        keep="last",
        patience=0,
    )


def _config(recipe: Mapping[str, Any]) -> TrainConfig:
    unknown = sorted(recipe.keys() - {field.name for field in fields(TrainConfig)})
    if unknown:
        what = f"the recipe has settings that this version does not know: {', '.join(unknown)}"
        raise DataError(what, hint="upgrade compress")
    return TrainConfig(**recipe)

"""The plan of `compress shrink`, and the recipe of its training."""

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
        weights: how the weights of matrices are stored: "float32", "float16" or "int8".
        prune: share of the matrices' weights that is set to 0, in [0, 1).
        scope: "global" takes this share of all matrices together, "layer" of each, "row" of each row.
        epochs: passes over the training videos during and after pruning; 0 prunes at once, without training.
        learning_rate: the highest in these epochs; None for the run's own.

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
            what = "--epochs trains during pruning, and nothing is pruned"
            raise UsageError(what, where=f"--epochs {self.epochs}", hint="give --prune too")
        if self.learning_rate is not None and not self.epochs:
            raise UsageError("nothing is trained", where="--learning-rate", hint="give --epochs too")
        if self.weights == "float32" and not self.prune:
            raise UsageError("nothing to do", hint="give --weights float16 or int8, or --prune")

    @property
    def suffix(self) -> str:
        """Suffix of the new run's name: "w8", "w16-p80", "p97.5".

        Not a codec's name: `<run>-int8` is the name of a run's embeddings in int8.
        """
        bits = {"float32": "", "float16": "w16", "int8": "w8"}[self.weights]
        pruned = f"p{100 * self.prune:g}" if self.prune else ""
        return "-".join(filter(None, (bits, pruned)))

    def to_json(self) -> dict[str, Any]:
        """Strings and numbers."""
        return asdict(self)


def tuning_config(recipe: Mapping[str, Any], plan: ShrinkPlan) -> TrainConfig:
    """The recipe of the epochs of pruning: that of the run (from its model's manifest), from its weights on.

    Raises:
        UsageError: the encoder is closed-form.
        DataError: a newer version wrote the recipe.
    """
    unknown = sorted(recipe.keys() - {field.name for field in fields(TrainConfig)})
    if unknown:
        what = f"the recipe has settings that this version does not know: {', '.join(unknown)}"
        raise DataError(what, hint="upgrade compress")
    config = TrainConfig(**recipe)
    if config.head is None:
        what = f"{config.encoder} is a closed-form encoder, so it cannot be trained"
        raise UsageError(what, where="--epochs", hint="with --epochs 0 the weights are pruned at once")
    main, branch = config.learning_rate, config.branch_learning_rate
    # The run's own rate, not a low one, as in Renda et al. 2020 (arXiv 2003.02389); see docs/experiments.md.
    factor = 1.0 if plan.learning_rate is None else plan.learning_rate / main
    return replace(
        config,
        epochs=plan.epochs,
        warm_epochs=0,
        learning_rate=factor * main,
        branch_learning_rate=factor * branch,
        schedule="cosine",
        class_priors=False,
        # The eigenvalues are in the model already; teachers need not exist any more.
        undo_whitening="",
        teachers=(),
        # Not the best epoch: early ones are better only because less is pruned.
        keep="last",
        patience=0,
    )

"""How a model is trained while it is pruned: by the run's own recipe, some more epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from compress.errors import DataError, UsageError
from compress.shrinking.plan import ShrinkPlan
from compress.training.config import TrainConfig


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

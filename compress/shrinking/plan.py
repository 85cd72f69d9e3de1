"""What `compress shrink` is told about the model: one frozen dataclass, kept as JSON in the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from compress.errors import UsageError
from compress.shrinking.magnitudes import SCOPES, Scope
from compress.weights import PRECISIONS, WeightPrecision


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
            what = "weights that are only rounded are not trained again"
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

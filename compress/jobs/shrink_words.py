"""What a person types to get a smaller run from the one it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compress.shrinking import ShrinkPlan


def shrink_words(run: str, refines: Mapping[str, Any]) -> list[str]:
    """`compress shrink ...`, every option written out but for those that say nothing.

    Args:
        run: name of the smaller run.
        refines: from its config.json: "run", and the plan.
    """
    source = str(refines["run"])
    plan = ShrinkPlan(
        **{name: value for name, value in refines.items() if name not in ("run", "model_sha256")}
    )
    words = ["compress", "shrink", "--name", source, "--weights", plan.weights]
    if plan.prune:
        words += ["--prune", f"{plan.prune:g}", "--scope", plan.scope, "--epochs", str(plan.epochs)]
    words += [] if plan.learning_rate is None else ["--learning-rate", f"{plan.learning_rate:g}"]
    return words + ([] if run == f"{source}-{plan.suffix}" else ["--output", run])

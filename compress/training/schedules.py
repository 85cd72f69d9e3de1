"""Learning rates as pure functions of the step: what the rate is multiplied by."""

from __future__ import annotations

import math

from compress.training.config import TrainConfig

FINAL_SHARE = 0.01  # of the peak: where a cosine arc ends


LONGEST_RISE = 0.6  # of an arc: a short training still reaches its full rate


def main_factor(config: TrainConfig, step: int, steps_an_epoch: int) -> float:
    """Factor on `learning_rate` at `step` (from 0)."""
    if config.schedule == "staircase":
        return staircase(step * config.batch_size, config.decay, config.decay_examples)
    warm = config.warm_epochs * steps_an_epoch
    if step < warm:
        return cosine(step, warm, config.warmup_steps)
    peak = config.second_peak if warm else 1.0
    return peak * cosine(step - warm, config.epochs * steps_an_epoch - warm, config.warmup_steps)


def branch_factor(config: TrainConfig, step: int, steps_an_epoch: int) -> float:
    """Factor on `branch_learning_rate` at `step`: 0 while the branch is switched off."""
    warm = config.warm_epochs * steps_an_epoch
    if step < warm:
        return 0.0
    if config.schedule == "staircase":
        return main_factor(config, step, steps_an_epoch)
    return cosine(step - warm, config.epochs * steps_an_epoch - warm, config.warmup_steps)


def cosine(step: int, steps: int, warmup_steps: int) -> float:
    """Linear rise over `warmup_steps`, on half a cosine from 1 to FINAL_SHARE over `steps`.

    Example:
        >>> [round(cosine(step, 100, 0), 3) for step in (0, 50, 100)]
        [1.0, 0.505, 0.01]
    """
    arc = FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * min(step / max(steps, 1), 1.0)))
    rise = max(1, min(warmup_steps, round(LONGEST_RISE * steps)))
    return arc * min(1.0, (step + 1) / rise)


def staircase(examples: int, decay: float, decay_examples: int) -> float:
    """decay ** (whole `decay_examples` seen so far), as the papers' code (models.md section 2).

    Example:
        >>> staircase(8_000_000, 0.95, 4_000_000)
        0.9025
    """
    return decay ** (examples // decay_examples)

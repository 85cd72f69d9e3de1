"""What `compress evaluate` is asked to measure: a store, or runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compress.datasets.policy import OnCorrupt

if TYPE_CHECKING:
    from compress.training.precision import Wanted


@dataclass(frozen=True)
class EvaluateRequest:
    """What to measure.

    Args:
        dim, name: which store.
        baseline: name of the store that deltas are measured against.
        head_epochs: passes over the data of the fresh head; None leaves it to the preset.
        retrieval: also measure the nearest neighbours.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        notes: sentences to keep with the row.
        full_map: also compute MAP over all scores.
        folder: where the row and its scores are kept; None for evaluation/ of the workspace.
        head_mixup: alpha of the mixup of the fresh head; 0 for none.
    """

    dim: int | None
    name: str | None
    baseline: str
    head_epochs: int | None
    retrieval: bool
    seed: int
    threads: int
    device: str
    notes: tuple[str, ...] = ()
    full_map: bool = False
    folder: Path | None = None
    head_mixup: float = 0.0


@dataclass(frozen=True)
class EvaluateModelsRequest:
    """What to measure.

    Args:
        runs: names of one or more runs; the probabilities of several are averaged.
        name: of the evaluation of an ensemble; None joins the runs' names. Of one run it is always the run's.
        baseline: name of another evaluation that deltas are measured against, or None.
        validate: patterns of shards to measure on, in place of the workspace's.
        again: measure also what is up to date.
        on_corrupt: what happens to unusable records.
        seed: of the bootstrap, >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        precision: "fp32", "bf16", or "auto": each run as it was trained, where the device has that.
        full_map: also compute MAP over all scores.
    """

    runs: tuple[str, ...]
    name: str | None
    baseline: str | None
    validate: tuple[str, ...]
    again: bool
    on_corrupt: OnCorrupt
    seed: int
    threads: int
    device: str
    precision: Wanted = "auto"
    full_map: bool = False

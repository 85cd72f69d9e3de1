"""What `compress tradeoff` is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from compress.datasets.policy import OnCorrupt

CONTROLS = ("original", "pca", "random", "pq", "opq")
CODECS = ("int8", "int4", "binary")


@dataclass(frozen=True)
class TradeoffRequest:
    """Which points shall be there, and how they are measured.

    Args:
        runs: trained encoders, or `<encoder>-<dim>` to be trained; none means every one of the workspace,
            unless `points` are given.
        dims: of each run's embedding, the first so many numbers; none means all that it was trained for.
            What is trained now is trained for these.
        preset: "best" or "paper", of what is trained now.
        codecs: of each embedding, canonical names.
        controls: of `CONTROLS`, what the learned ones are compared with, at the same bytes.
        bytes: keep points of these bytes a video only; none means all. The baseline stays, and among the
            controls the original in float32 and int8.
        points: further stores by name, `<run>[-d<dim>][-<codec>]`.
        baseline: the store that deltas are measured against.
        seeds: heads of different seeds for each point; of `<run>-seed1`, ... where there are such runs.
        head_epochs: passes of the fresh heads; None for the recipe's.
        head_mixup: alpha of their mixup; 0 for none.
        retrieval: also measure the nearest neighbours.
        on_corrupt: what happens to unusable records.
        seed: of the first head, >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
    """

    runs: tuple[str, ...]
    dims: tuple[int, ...]
    preset: str
    codecs: tuple[str, ...]
    controls: tuple[str, ...]
    bytes: tuple[int, ...]
    points: tuple[str, ...]
    baseline: str
    seeds: int
    head_epochs: int | None
    head_mixup: float
    retrieval: bool
    on_corrupt: OnCorrupt
    seed: int
    threads: int
    device: str

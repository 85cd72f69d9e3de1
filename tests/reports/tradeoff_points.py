"""Measured points as the report of the trade-off takes them, from nothing but the figures they shall have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compress.evaluation.row import Data, HeadTraining, Role, Row
from compress.metrics import ByMetric, Interval
from compress.reports.tradeoff.measured import METRICS, Measured, Sampled

RESAMPLES = 200
NOISE = {
    (which, metric): np.random.default_rng(number).normal(0, 0.004, RESAMPLES)
    for number, (which, metric) in enumerate(
        (which, metric) for which in ("selection", "confirmation") for metric in METRICS
    )
}
"""What the draw of videos does, to every store alike."""


def measured(
    name: str,
    size: int,
    selection: Mapping[str, float],
    confirmation: Mapping[str, float] | None = None,
    *,
    run: str = "",
    role: Role = "control",
    encoder: str | None = None,
    dim: int = 64,
    codec: str = "int8",
    heads: int = 1,
    judges: Mapping[str, float] | None = None,
    doubt: str = "",
) -> Measured:
    """A point of `size` bytes per video with these figures; the same on both halves where nothing is said.

    `judges` have a GAP, and the same MAP, on the half that proves.
    """
    encoder = encoder or ("linear" if role == "encoder" else "pca")
    of_halves = {"selection": selection, "confirmation": confirmation or selection}
    halves = {
        which: {
            number: {
                metric: Sampled(value + 0.001 * number, value + 0.001 * number + NOISE[which, metric])
                for metric, value in figures.items()
            }
            for number in range(heads)
        }
        for which, figures in of_halves.items()
    }
    row = _row(name, size, role, encoder, dim, codec)
    said = {
        judge: {0: {metric: Sampled(gap, gap + NOISE["confirmation", metric]) for metric in ("gap", "map")}}
        for judge, gap in (judges or {}).items()
    }
    videos = {"selection": 48, "confirmation": 52}
    return Measured(name, run or name, row, 1, halves, videos, said, doubt)


def original(gap: float = 0.69, judges: Mapping[str, float] | None = None) -> Measured:
    """The baseline."""
    figures = {"gap": gap, "map": 0.3, "precision": 0.75}
    return measured(
        "original",
        4608,
        figures,
        role="baseline",
        encoder="identity",
        dim=1152,
        codec="float32",
        judges=judges,
    )


def many() -> list[Measured]:
    """Two families that were trained and four that were not, at several sizes."""
    found = [original()]
    found.append(
        measured("original-int8", 1152, figures(0.689), encoder="identity", dim=1152, run="original")
    )
    for dim in (32, 64, 128, 256):
        quality = 0.7 - 0.8 / dim
        for codec, part, lost in (("int8", 1, 0.0), ("binary", 8, 0.02)):
            size, gap = dim // part, quality - lost
            found += [
                measured(
                    f"mrl-d{dim}-{codec}", size, figures(gap), run="mrl", role="encoder", encoder="linear",
                    dim=dim, codec=codec, heads=2,
                ),
                measured(f"pca-{dim}-{codec}", size, figures(gap - 0.03), dim=dim, codec=codec),
                measured(
                    f"random-{dim}-{codec}", size, figures(gap - 0.3), encoder="random_projection", dim=dim,
                    codec=codec,
                ),
            ]  # fmt: skip
        found.append(
            measured(f"original-pq{dim}", dim, figures(quality - 0.04), encoder="identity", codec=f"pq{dim}")
        )
    return found


def figures(gap: float) -> dict[str, float]:
    """GAP, and the others some way from it."""
    return {"gap": gap, "map": gap - 0.4 if gap > 0.5 else 0.02, "precision": gap + 0.05}


def _row(name: str, size: int, role: Role, encoder: str, dim: int, codec: str) -> Row:
    some = Interval(0.5, 0.4, 0.6)
    return Row(
        row=name,
        title=f"{encoder} {dim} <{codec}>",
        table4_row=None,
        role=role,
        encoder=encoder,
        head="fresh moe",
        dim=dim,
        codec=codec,
        bytes_per_video=size,
        parameters={},
        figures=ByMetric({"gap": some, "map": some, "perr": some, "hit_at_one": some}),
        baseline=None,
        delta=None,
        joint={},
        retrieval=None,
        head_training=HeadTraining(12, 0, 256),
        data=Data(900, 100, 7, "ab" * 32, False, "shards*"),
        command=f"compress evaluate --name {name}",
        notes=(),
    )

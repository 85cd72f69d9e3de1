"""What the evaluations of one store say, read from where `compress evaluate` left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.codecs import parse_codec
from compress.errors import DataError, SchemaError
from compress.evaluation.halves import HALVES, half
from compress.evaluation.scores import load_query_precision, load_scores
from compress.reports.parsing import read_row
from compress.reports.row import Row
from compress.reports.tradeoff.sampled import Heads, Sampled, sample

PRODUCTS = "PQ of the original"
FAMILIES = {"identity": "original", "pca": "PCA", "random_projection": "random projection"}


@dataclass(frozen=True)
class Kept:
    """Where the evaluation of one head is: `<folder>/<name>.json` and `<folder>/scores/<name>`.

    Args:
        number: of the seed, 0 for the first.
    """

    number: int
    name: str
    folder: Path


@dataclass(frozen=True, eq=False)
class Measured:
    """One point: the row of its first head, and by half the figures of all heads.

    Args:
        name: as drawn; further heads may be on the stores of runs with another seed.
        run: as drawn.
        row: of the first head.
        encoders: runs of different seeds among the heads.
        halves: by "selection" and "confirmation".
        videos: of each half.
    """

    name: str
    run: str
    row: Row
    encoders: int
    halves: Mapping[str, Heads]
    videos: Mapping[str, int]

    @property
    def learned(self) -> bool:
        """Whether it was trained; the row's role is about the baseline that it was measured with."""
        return self.row.encoder not in FAMILIES

    @property
    def family(self) -> str:
        """What it is drawn and compared with: runs that differ by their size alone are one family."""
        if self.learned:
            return self.run.removesuffix(f"-{self.row.dim}")
        if self.row.encoder == "identity" and parse_codec(self.row.codec).family.counts_bytes:
            return PRODUCTS
        return FAMILIES[self.row.encoder]


def read_measured(name: str, run: str, kept: Sequence[Kept], ids: np.ndarray) -> Measured:
    """Read and resample the evaluations of one point; about a second a head for 6,000 videos.

    Args:
        name, run: as drawn.
        kept: one a head, the first first.
        ids: of all validation videos, ascending, S<w> (N,).

    Raises:
        NotFoundError, CorruptArtifactError: an evaluation is gone or damaged.
        SchemaError: one was measured on other videos.
        DataError: so few videos that a half has none.
    """
    halves: dict[str, dict[int, dict[str, Sampled]]] = {which: {} for which in HALVES}
    masks: dict[str, np.ndarray] = {which: half(ids, which) for which in HALVES}
    if not all(mask.any() for mask in masks.values()):
        raise DataError(f"{len(ids)} validation videos are too few for two halves", where=kept[0].folder)
    for one in kept:
        scores = one.folder / "scores" / one.name
        top, _ = load_scores(scores)
        if len(top) != len(ids):
            raise SchemaError(f"has {len(top)} videos, the baseline has {len(ids)}", where=scores)
        precision = load_query_precision(scores)
        for which, mask in masks.items():
            halves[which][one.number] = sample(top, precision, mask)
    row = read_row(kept[0].folder / f"{kept[0].name}.json")
    videos = {which: int(mask.sum()) for which, mask in masks.items()}
    return Measured(name, run, row, len({one.name for one in kept}), halves, videos)

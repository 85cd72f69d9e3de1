"""The figures the paper printed, from published.toml beside this file; never mixed with measured ones."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class PublishedRow:
    """One model of the paper; figures are fractions, `delta_gap_points` is 100 * (GAP - baseline's GAP)."""

    name: str
    size: int
    gap: float
    map: float
    perr: float
    hit_at_one: float
    source: str
    command: str
    delta_gap_points: float | None = None
    size_saved: float | None = None


@dataclass(frozen=True)
class ExpectedControl:
    """A row that a sceptic asks for: recognised by the stem of its name, its size and its codec."""

    stem: str
    title: str
    codec: str
    each_size: bool
    command: str


@dataclass(frozen=True)
class Published:
    """The paper's baseline (Table 3), the rows of its Table 4, and the controls it lacks."""

    baseline: PublishedRow
    rows: tuple[PublishedRow, ...]
    controls: tuple[ExpectedControl, ...]


@cache
def published() -> Published:
    """The paper's Table 4 with its baseline.

    Source: Tables 2, 3 and 4 of the paper, as printed.
    """
    text = resources.files("compress.reports").joinpath("published.toml").read_text(encoding="utf-8")
    value = tomllib.loads(text)
    return Published(
        baseline=PublishedRow(**value["baseline"]),
        rows=tuple(PublishedRow(**row) for row in value["rows"]),
        controls=tuple(ExpectedControl(**control) for control in value["controls"]),
    )

"""What the paper's Table 4 prints, from tables.toml beside this file; never mixed with measured figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from compress.reports.papers.catalogue import catalogue, tables_toml


@dataclass(frozen=True)
class PublishedRow:
    """One model of the paper; figures are fractions, `delta_gap_points` is 100 * (GAP - baseline's GAP).

    `level` is that of the data it reads, "frame" or "video".
    """

    name: str
    size: int
    gap: float
    map: float
    perr: float
    hit_at_one: float
    source: str
    command: str
    level: str
    delta_gap_points: float | None = None
    size_saved: float | None = None


@dataclass(frozen=True)
class ExpectedControl:
    """A row that a sceptic asks for: recognised by the stem of its name, its size and its codec."""

    stem: str
    encoder: str
    title: str
    codec: str
    each_size: bool
    command: str


@dataclass(frozen=True)
class Published:
    """The paper's baseline (Table 3), the rows of its Table 4, and the controls it lacks.

    `runs` names the row of Table 2 or 3 that each of `rows` was encoded with, by its name.
    """

    baseline: PublishedRow
    rows: tuple[PublishedRow, ...]
    controls: tuple[ExpectedControl, ...]
    runs: dict[str, str]


@cache
def published() -> Published:
    """The paper's Table 4 with its baseline.

    Source: Tables 2, 3 and 4 of the paper, as printed.
    """
    value = tables_toml()["table4"]
    return Published(
        baseline=_row(value["baseline"]),
        rows=tuple(_row(row) for row in value["rows"]),
        controls=tuple(ExpectedControl(**control) for control in value["controls"]),
        runs={row["name"]: row["run"] for row in value["rows"]},
    )


def _row(value: dict[str, Any]) -> PublishedRow:
    """A row of Table 4, whose figures are those of the row of Table 2 or 3 that it names."""
    of_row = next(row for row in catalogue().rows if row.run == value["run"])
    assert of_row.published is not None
    own = {k: v for k, v in value.items() if k != "run"}
    return PublishedRow(**own, level=of_row.level, **asdict(of_row.published))

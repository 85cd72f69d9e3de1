"""Every row that the papers' tables and ours ask for, from tables.toml beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

TABLES = ("2", "3", "qrnn")
"""The tables of trained models, in reading order; Table 4 is one of stored embeddings (`published`)."""


@dataclass(frozen=True)
class PaperFigures:
    """What a paper printed, as fractions; None where it prints nothing."""

    gap: float
    perr: float
    hit_at_one: float
    map: float | None = None


@dataclass(frozen=True)
class CatalogueRow:
    """One model of a table.

    Args:
        table: "2", "3" or "qrnn".
        run: its name in runs/ and in evaluation/models/.
        title: as printed.
        encoder, dim, options, head, epochs, preset: what `compress train` is told; `dim` None leaves it to
            the encoder, `options` are the values of --set.
        level: "frame" or "video".
        tolerance: absolute, on GAP, against the published figure.
        source: where the figures are printed.
        published: None for a row of our own.
    """

    table: str
    run: str
    title: str
    encoder: str
    epochs: int
    preset: str
    head: str
    level: str
    tolerance: float
    source: str
    dim: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    published: PaperFigures | None = None


@dataclass(frozen=True)
class StandIn:
    """What rows of an encoder take instead, on data of `input_dim` numbers that lacks what they ask for."""

    encoder: str
    input_dim: int
    options: Mapping[str, Any]
    note: str


@dataclass(frozen=True)
class FullData:
    """What a row is judged on: at least so many videos to train and to measure on, this many classes."""

    train_videos: int
    num_classes: int
    validate_videos: int


@dataclass(frozen=True)
class Catalogue:
    """The rows in the order of their tables, `titles` by table, and what to do where the data differ."""

    titles: Mapping[str, str]
    rows: tuple[CatalogueRow, ...]
    stand_ins: tuple[StandIn, ...]
    full_data: FullData

    def of(self, table: str) -> tuple[CatalogueRow, ...]:
        """The rows of one table."""
        return tuple(row for row in self.rows if row.table == table)

    def stand_in(self, row: CatalogueRow, input_dim: int) -> StandIn | None:
        """What a row takes instead on features of so many numbers; None where it takes what it says."""
        fitting = (s for s in self.stand_ins if (s.encoder, s.input_dim) == (row.encoder, input_dim))
        return next(fitting, None)


@cache
def catalogue() -> Catalogue:
    """Tables 2 and 3 of the paper, the QRNN paper's row, and ours."""
    value = tables_toml()
    tables: dict[str, dict[str, Any]] = value["tables"]
    defaults = {name: {k: v for k, v in table.items() if k != "title"} for name, table in tables.items()}
    return Catalogue(
        titles={name: tables[name]["title"] for name in TABLES},
        rows=tuple(_row({**defaults[row["table"]], **row}) for row in value["rows"]),
        stand_ins=tuple(StandIn(**stand_in) for stand_in in value["stand_ins"]),
        full_data=FullData(**value["full_data"]),
    )


@cache
def tables_toml() -> dict[str, Any]:
    """tables.toml as it stands."""
    return tomllib.loads(
        resources.files("compress.reports.papers").joinpath("tables.toml").read_text("utf-8")
    )


def _row(value: dict[str, Any]) -> CatalogueRow:
    figures = value.pop("published", None)
    return CatalogueRow(**value, published=None if figures is None else PaperFigures(**figures))

"""Every row that the papers' tables and ours ask for, from tables.toml beside this file.

What the papers printed is never mixed with measured figures.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from compress.command_line import command_argv, command_line, unless

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
        encoder, dim, options, head, epochs, preset: settings of `compress train`; `dim` None leaves it to
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
    """Options that replace those of an encoder's rows on data of `input_dim` features."""

    encoder: str
    input_dim: int
    options: Mapping[str, Any]
    note: str


@dataclass(frozen=True)
class FullData:
    """Rows are judged on this data only: the least numbers of videos, and the number of classes."""

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
        """The options that replace a row's on features of this size; None where its own apply."""
        fitting = (s for s in self.stand_ins if (s.encoder, s.input_dim) == (row.encoder, input_dim))
        return next(fitting, None)


@cache
def catalogue() -> Catalogue:
    """Tables 2 and 3 of the paper, the QRNN paper's row, and ours."""
    value = _tables_toml()
    tables: dict[str, dict[str, Any]] = value["tables"]
    defaults = {name: {k: v for k, v in table.items() if k != "title"} for name, table in tables.items()}
    return Catalogue(
        titles={name: tables[name]["title"] for name in TABLES},
        rows=tuple(_row({**defaults[row["table"]], **row}) for row in value["rows"]),
        stand_ins=tuple(StandIn(**stand_in) for stand_in in value["stand_ins"]),
        full_data=FullData(**value["full_data"]),
    )


@cache
def _tables_toml() -> dict[str, Any]:
    return tomllib.loads(resources.files("compress.papers").joinpath("tables.toml").read_text("utf-8"))


def _row(value: dict[str, Any]) -> CatalogueRow:
    figures = value.pop("published", None)
    return CatalogueRow(**value, published=None if figures is None else PaperFigures(**figures))


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
    value = _tables_toml()["table4"]
    return Published(
        baseline=_table4_row(value["baseline"]),
        rows=tuple(_table4_row(row) for row in value["rows"]),
        controls=tuple(ExpectedControl(**control) for control in value["controls"]),
        runs={row["name"]: row["run"] for row in value["rows"]},
    )


def _table4_row(value: dict[str, Any]) -> PublishedRow:
    """A row of Table 4, whose figures are those of the row of Table 2 or 3 that it names."""
    of_row = next(row for row in catalogue().rows if row.run == value["run"])
    assert of_row.published is not None
    own = {k: v for k, v in value.items() if k != "run"}
    return PublishedRow(**own, level=of_row.level, **asdict(of_row.published))


def row_command(row: CatalogueRow, stand_in: StandIn | None = None, epochs: int | None = None) -> str:
    """`compress train --name ... && compress evaluate --run ...`."""
    options = {
        "name": row.run,
        "encoder": row.encoder,
        "dim": row.dim,
        "preset": unless(row.preset, "best"),
        "epochs": epochs or row.epochs,
        "set": row_settings(row, stand_in),
    }
    return command_line(command_argv("train", options), command_argv("evaluate", {"run": row.run}))


def row_settings(row: CatalogueRow, stand_in: StandIn | None = None) -> tuple[str, ...]:
    """The values of --set; the head among them where `compress train` would take another one."""
    options = {**row.options, **(stand_in.options if stand_in else {})}
    # Without a head named, `identity` is not trained at all.
    head = {} if row.head == "moe" and row.encoder != "identity" else {"head": row.head}
    return tuple(f"{key}={_text(value)}" for key, value in {**head, **options}.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

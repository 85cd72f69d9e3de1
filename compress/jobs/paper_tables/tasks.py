"""What makes each row of the tables: a training, and how its result is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import FeatureSchema
from compress.jobs.names import run_name, store_name
from compress.jobs.train import recipe_changes
from compress.reports import Catalogue, CatalogueRow, StandIn, row_settings


@dataclass(frozen=True)
class TablesRequest:
    """Which rows shall be there, and how they are made.

    Args:
        tables: of "2", "3", "qrnn" and "4".
        rows: their names; none means all of these tables.
        epochs: in place of each row's.
        on_corrupt: what happens to unusable records.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
    """

    tables: tuple[str, ...]
    rows: tuple[str, ...]
    epochs: int | None
    on_corrupt: OnCorrupt
    seed: int
    threads: int
    device: str


@dataclass(frozen=True)
class Training:
    """How the run of a row is trained; see `compress.jobs.train.train_run`."""

    encoder: str
    dim: int | None = None
    name: str | None = None
    preset: str = "best"
    epochs: int | None = None
    settings: tuple[str, ...] = ()

    def changes(self, seed: int) -> dict[str, Any]:
        """What overrides the preset."""
        return recipe_changes(self.settings, seed, {"epochs": self.epochs})


@dataclass(frozen=True)
class Task:
    """One row.

    Args:
        table: "2", "3", "qrnn" or "4".
        title: as the table has it.
        level: of the data that the encoder reads.
        training: what makes the run.
        codec: how the run's embeddings are stored, for a fresh head to judge; None for a row that is measured
            with the head it was trained with.
        answers: the name of the line of Table 4, where that is a printed one.
    """

    table: str
    title: str
    level: str
    training: Training
    codec: str | None = None
    answers: str | None = None

    @property
    def run(self) -> str:
        """The run that is trained."""
        return run_name(self.training.encoder, self.training.dim, self.training.name)

    @property
    def name(self) -> str:
        """Of the row: its run, or its store."""
        return self.run if self.codec is None else store_name(self.run, self.codec)


def model_tasks(
    known: Catalogue, table: str, request: TablesRequest, levels: Mapping[str, FeatureSchema]
) -> list[Task]:
    """The rows of Table 2, 3 or QRNN, with what stands in on these data for what they lack."""
    tasks = []
    for row in known.of(table):
        schema = levels.get(row.level)
        stand_in = None if schema is None else known.stand_in(row, schema.dim)
        tasks.append(Task(table, row.title, row.level, row_training(row, stand_in, request)))
    return tasks


def row_training(row: CatalogueRow, stand_in: StandIn | None, request: TablesRequest) -> Training:
    """The training of a row of the catalogue."""
    return Training(
        encoder=row.encoder,
        dim=row.dim,
        name=row.run,
        preset=row.preset,
        epochs=request.epochs or row.epochs,
        settings=row_settings(row, stand_in),
    )

"""`compress report --run`: which rows are missing, and what each will cost, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import FeatureSchema
from compress.errors import DivergedError, Interrupted, UsageError
from compress.jobs.table_failure import FailedRow, failed_row
from compress.jobs.table_state import Standing, State, schemas, standing
from compress.jobs.tables import Tables
from compress.jobs.train import TrainRequest, overrides
from compress.machine import choose_device
from compress.progress import Note, Reporter, check_interrupt
from compress.reports import Catalogue, CatalogueRow, StandIn, catalogue, row_settings
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.training.timing import Cost


@dataclass(frozen=True)
class TablesRequest:
    """Which rows shall be there, and how they are made.

    Args:
        tables: of "2", "3" and "qrnn".
        rows: names of runs; none means all of these tables.
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
class PlannedRow:
    """One row: how far it is, and what is left of it.

    Args:
        row: of the catalogue.
        standing: how far it is.
        training: what makes its run.
        stand_in: what replaces some of its options on these data.
        cost: of a whole training; None where nothing is left, or where it is not known.
        problem: why it cannot be trained.
    """

    row: CatalogueRow
    standing: Standing
    training: TrainRequest
    stand_in: StandIn | None = None
    cost: Cost | None = None
    problem: FailedRow | None = None

    @property
    def missing(self) -> bool:
        """Whether there is something to do, and data to do it with."""
        return self.standing.state not in (State.MEASURED, State.DOES_NOT_FIT)

    @property
    def seconds(self) -> float | None:
        """What is left, roughly; None where it is not known."""
        if not self.missing:
            return 0.0
        if self.cost is None:
            return None
        if self.standing.state is State.TRAINED:
            return self.cost.validation
        return self.cost.seconds(self.standing.epochs_done) + self.cost.validation


def plan_tables(
    workspace: Workspace, request: TablesRequest, report: Reporter, rows: Catalogue | None = None
) -> list[PlannedRow]:
    """Every row that was asked for, in the order of the tables; the missing ones are timed, seconds each.

    Args:
        workspace: where everything lies.
        request: which rows.
        report: gets progress.
        rows: in place of the catalogue, for tests.

    Raises:
        UsageError: a name that no row has, or a workspace without shards.
        NotFoundError, DataError: the shards are gone or damaged.
        Interrupted: on request.
    """
    known = rows or catalogue()
    chosen = _chosen(known, request)
    levels = schemas(workspace, request.on_corrupt)
    tables = Tables(workspace, (), request.on_corrupt, report)
    planned = []
    for row in chosen:
        schema = levels.get(row.level)
        stand_in = None if schema is None else known.stand_in(row, schema.dim)
        here = standing(workspace, row, levels)
        one = PlannedRow(row, here, _training(row, stand_in, request), stand_in)
        if one.missing and schema is not None:
            check_interrupt()
            report(Note(f"timing {row.run}"))
            one = _timed(one, tables, schema, request)
        planned.append(one)
    return planned


def _chosen(known: Catalogue, request: TablesRequest) -> Sequence[CatalogueRow]:
    offered = [row for table in request.tables for row in known.of(table)]
    names = [row.run for row in offered]
    for name in request.rows:
        if name not in names:
            raise UsageError(f"no row {name!r}", where="--rows", hint="choose from " + ", ".join(names))
    return [row for row in offered if not request.rows or row.run in request.rows]


def _training(row: CatalogueRow, stand_in: StandIn | None, request: TablesRequest) -> TrainRequest:
    return TrainRequest(
        dim=row.dim,
        encoder=row.encoder,
        preset=row.preset,
        epochs=request.epochs or row.epochs,
        batch_size=None,
        learning_rate=None,
        settings=row_settings(row, stand_in),
        name=row.run,
        train=(),
        validate=(),
        num_classes=None,
        fresh=False,
        on_corrupt=request.on_corrupt,
        seed=request.seed,
        threads=request.threads,
        device=request.device,
    )


def _timed(planned: PlannedRow, tables: Tables, schema: FeatureSchema, request: TablesRequest) -> PlannedRow:
    from compress.training.presets import train_config
    from compress.training.timing import measure_cost

    training = planned.training
    try:
        config = train_config(str(training.encoder), training.dim, training.preset, overrides(training))
        cost = measure_cost(
            config,
            tables.table("train", schema),
            tables.table("validate", schema),
            device=choose_device(request.device),
            threads=request.threads,
        )
    except Interrupted:
        raise
    except DivergedError:
        return planned  # the first steps were timed at the full learning rate, without a warm-up
    except Exception as error:
        # Whatever it is (an option that does not exist, a model that does not fit the GPU's memory), training
        # would end in the same way; the other rows do not depend on it.
        return replace(planned, problem=failed_row(planned.row.run, error))
    return replace(planned, cost=cost)

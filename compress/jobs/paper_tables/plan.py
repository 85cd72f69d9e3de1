"""`compress report --run`: which rows are missing, and what each will cost, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from compress.datasets.schema import FeatureSchema
from compress.errors import DivergedError, Interrupted, SchemaError, UsageError
from compress.jobs.data_tables import Tables
from compress.jobs.failures import ITEM_FAILURES
from compress.jobs.paper_tables.failure import FailedRow, failed_row
from compress.jobs.paper_tables.state import Standing, State, standing
from compress.jobs.paper_tables.table4_tasks import store_tasks
from compress.jobs.paper_tables.tasks import TablesRequest, Task, model_tasks
from compress.jobs.sources import schemas
from compress.progress import Note, Reporter, check_interrupt
from compress.reports import Catalogue, catalogue
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.jobs.paper_tables.costs import Costs, RowCost


@dataclass(frozen=True)
class PlannedRow:
    """One row: how far it is, and what is left of it.

    Args:
        task: what makes it.
        standing: how far it is.
        cost: of all of it; None where nothing is left, or where it is not known.
        problem: why it cannot be trained.
    """

    task: Task
    standing: Standing
    cost: RowCost | None = None
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
        trained = self.standing.state is State.TRAINED
        return self.cost.seconds(self.standing.epochs_done, trained=trained)


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
    levels = schemas(workspace, request.on_corrupt)
    chosen = _chosen(workspace, rows or catalogue(), request, levels)
    planned = [_row(task, standing(workspace, task, levels, rows)) for task in chosen]
    return _timed(workspace, planned, request, levels, report)


def _row(task: Task, found: Standing) -> PlannedRow:
    if found.state is not State.ANOTHER_MODEL:
        return PlannedRow(task, found)
    what = f"the run is another model ({found.reason}): choose another workspace or --fresh"
    problem = FailedRow(task.table, task.name, what, SchemaError.exit_code)
    return PlannedRow(task, replace(found, reason=""), problem=problem)


def _chosen(
    workspace: Workspace, known: Catalogue, request: TablesRequest, levels: Mapping[str, FeatureSchema]
) -> Sequence[Task]:
    offered: list[Task] = []
    for table in request.tables:
        if table == "4":
            offered += store_tasks(workspace, known, request)
        else:
            offered += model_tasks(known, table, request, levels)
    names = [task.name for task in offered]
    for name in request.rows:
        if name not in names:
            raise UsageError(f"no row {name!r}", where="--rows", hint="choose from " + ", ".join(names))
    return [task for task in offered if not request.rows or task.name in request.rows]


def _timed(
    workspace: Workspace,
    planned: Sequence[PlannedRow],
    request: TablesRequest,
    levels: Mapping[str, FeatureSchema],
    report: Reporter,
) -> list[PlannedRow]:
    """The plan with the costs of what is missing; a run that two rows share is paid by the first."""
    # Not before: it imports torch, and a wrong name should be answered at once.
    from compress.jobs.paper_tables.costs import Costs

    costs = Costs(Tables(workspace, (), request.on_corrupt, report), levels, request)
    timed, paid = [], set()
    for one in planned:
        if one.missing and one.problem is None:
            check_interrupt()
            report(Note(f"timing {one.task.name}"))
            one = _with_cost(one, costs, one.task.run in paid)
            paid.add(one.task.run)
        timed.append(one)
    return timed


def _with_cost(one: PlannedRow, costs: Costs, paid: bool) -> PlannedRow:
    try:
        return replace(one, cost=costs.of(one.task, paid))
    except Interrupted:
        raise
    except DivergedError:
        return one  # the first steps were timed at the full learning rate, without a warm-up
    except ITEM_FAILURES as error:
        # Whatever it is (an option that does not exist, a model that does not fit the GPU's memory), training
        # would end in the same way; the other rows do not depend on it.
        return replace(one, problem=failed_row(one.task, error))

"""A row of a table that cannot be made, and why."""

from __future__ import annotations

from dataclasses import dataclass

from compress.jobs.failures import reason_and_exit_code
from compress.jobs.paper_tables.tasks import Task


@dataclass(frozen=True)
class FailedRow:
    """The row's table and name, why it failed in one line, and the exit code of that error."""

    table: str
    row: str
    reason: str
    exit_code: int


def failed_row(task: Task, error: Exception) -> FailedRow:
    """What to say about an exception."""
    return FailedRow(task.table, task.name, *reason_and_exit_code(error))

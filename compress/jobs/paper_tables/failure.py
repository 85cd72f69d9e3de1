"""A row of a table that cannot be made, and why."""

from __future__ import annotations

from dataclasses import dataclass

from compress.errors import CompressError
from compress.jobs.paper_tables.tasks import Task

ROW_FAILURES = (CompressError, OSError, RuntimeError, MemoryError)
"""What ends a row and not the others: errors of ours, and a machine's (torch without GPU memory is a
RuntimeError). Anything else is a mistake in the code, and ends the run."""


@dataclass(frozen=True)
class FailedRow:
    """The row's table and name, why it failed in one line, and the exit code of that error."""

    table: str
    row: str
    reason: str
    exit_code: int


def failed_row(task: Task, error: Exception) -> FailedRow:
    """What to say about an exception; one that is not ours is named."""
    if isinstance(error, CompressError):
        return FailedRow(task.table, task.name, str(error), error.exit_code)
    first = next(iter(str(error).splitlines()), "")
    what = f"{type(error).__name__}: {first}"
    return FailedRow(task.table, task.name, what, CompressError.exit_code)

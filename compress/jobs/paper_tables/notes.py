"""What the reports say about rows that a run of the tables could not make."""

from __future__ import annotations

from collections.abc import Sequence

from compress.jobs.paper_tables.failure import FailedRow
from compress.jobs.paper_tables.plan import PlannedRow


def notes(planned: Sequence[PlannedRow], failed: Sequence[FailedRow]) -> dict[str, list[str]]:
    """For each model of Tables 2, 3 and QRNN that does not fit the data, or that failed, why."""
    models = [one for one in planned if one.task.codec is None]
    found = {one.task.run: [f"Not run: {one.standing.reason}."] for one in models if one.standing.reason}
    return found | {one.row: [f"Failed: {one.reason}."] for one in failed if one.table != "4"}


def store_failures(planned: Sequence[PlannedRow], failed: Sequence[FailedRow]) -> list[str]:
    """For each row of Table 4 that does not fit the data, or that failed, a sentence that says so."""
    stores = [one for one in planned if one.task.codec is not None and one.standing.reason]
    found = [f"Not run: {one.task.name}, {one.standing.reason}." for one in stores]
    return found + [f"Failed: {one.row}, {one.reason}." for one in failed if one.table == "4"]

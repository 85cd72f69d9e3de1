"""What the reports say about rows that a run of the tables could not make."""

from __future__ import annotations

from collections.abc import Sequence

from compress.jobs.table_failure import FailedRow
from compress.jobs.table_plan import PlannedRow


def notes(planned: Sequence[PlannedRow], failed: Sequence[FailedRow]) -> dict[str, list[str]]:
    """For each row that does not fit the data, or that failed, a sentence that says why."""
    found = {one.row.run: [f"Not run: {one.standing.reason}."] for one in planned if one.standing.reason}
    return found | {one.run: [f"Failed: {one.reason}."] for one in failed}

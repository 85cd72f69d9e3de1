"""From what is measured of a plan to the trade-off's report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from compress.errors import NotFoundError
from compress.evaluation.fresh_head import rows_by_id
from compress.jobs.tradeoff.commands import tradeoff_command
from compress.jobs.tradeoff.plan import PlannedPoint
from compress.jobs.tradeoff.request import TradeoffRequest
from compress.jobs.tradeoff.run import FailedPoint
from compress.progress import Progress, Reporter, check_interrupt
from compress.reports.tradeoff.measured import Kept, Measured, read_measured
from compress.reports.tradeoff.table import TradeoffTable, tradeoff_table
from compress.reports.tradeoff.writing import write_tradeoff
from compress.store.reader import open_store
from compress.workspace import Workspace


@dataclass(frozen=True)
class ReportedTradeoff:
    """The table, and the files that were written."""

    table: TradeoffTable
    markdown: Path
    json: Path
    html: Path
    svg: Path


def report_tradeoff(
    workspace: Workspace,
    request: TradeoffRequest,
    planned: Sequence[PlannedPoint],
    failed: Sequence[FailedPoint],
    output: Path | None,
    report: Reporter,
    *,
    made: bool,
) -> ReportedTradeoff:
    """Write tradeoff.md, .json, .html and .svg.

    Args:
        workspace: where everything lies.
        request: as the plan was made with.
        planned: as `plan_tradeoff` gives it.
        failed: as `run_tradeoff` gives it.
        output: folder for the files; None means the workspace's reports/.
        report: gets progress.
        made: whether what was missing in the plan has been made, but for `failed`.

    Raises:
        NotFoundError: the baseline is not measured.
        DataError: an evaluation is damaged.
    """
    gone = {failure.name for failure in failed}
    there = [one for one in planned if one.stored.name not in gone and (made or not one.missing)]
    points = {one.point: [other for other in there if other.point == one.point] for one in there}
    if not any(point.name == request.baseline for point in points):
        hint = "`compress tradeoff` without --measured makes what is missing"
        raise NotFoundError(f"the baseline {request.baseline!r} is not measured", hint=hint)
    store = open_store(workspace.store(request.baseline), verify=False)
    ids = store.id_bytes[rows_by_id(store, "validate")]
    measured: list[Measured] = []
    for done, (point, heads) in enumerate(points.items()):
        check_interrupt()
        report(Progress("resampling", done, len(points), "points"))
        kept = [Kept(one.number, one.stored.name, one.folder) for one in heads]
        measured.append(read_measured(point.name, point.run, kept, ids))
    failures = [f"{failure.name} failed: {failure.reason}." for failure in failed]
    missing = len({one.point for one in planned}) - len(points) - len(gone)
    if missing > 0:
        failures.append(f"{missing} planned point{' is' if missing == 1 else 's are'} not measured yet.")
    table = tradeoff_table(measured, request.baseline, failures)
    files = write_tradeoff(
        table,
        output or workspace.reports,
        generated=date.today().isoformat(),
        command=tradeoff_command(request),
    )
    return ReportedTradeoff(table, *files)

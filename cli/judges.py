"""What `compress evaluate` shows of the judges of a store: the figures of each, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.text import table
from compress.evaluation.judges.names import title_of
from compress.evaluation.row_file import read_row
from compress.evaluation.verdicts import (
    UNSEEN,
    Verdict,
    commands_for_verdicts,
    doubt,
    unsettled,
    verdict,
    videos_only,
)
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.evaluation.judges.judged import Judged
    from compress.evaluation.row import Row
    from compress.metrics import Interval

SHOWN = ("gap", "map")


def judges_text(workspace: Workspace, name: str) -> str:
    """The judges of a store that was just measured, and its verdict; `name` is that of the store."""
    row = read_row(workspace.evaluation / f"{name}.json")
    against = None if row.baseline is None else read_row(workspace.evaluation / f"{row.baseline}.json")
    return "\n".join([_judges(row), "", *_verdict(row, against)])


def _judges(row: Row) -> str:
    columns = ["judge"]
    for metric in SHOWN:
        title = metric.upper()
        columns += [title, "95 % interval"]
        columns += [] if row.delta is None else [f"change in {title}", "95 % interval"]
    return table(columns, [[_who(row, judged), *_figures(judged)] for judged in row.judges])


def _who(row: Row, judged: Judged) -> str:
    best = " (best)" if judged == row.best_judge else ""
    return title_of(judged.name) + best + ("" if judged.converged else ", not converged")


def _figures(judged: Judged) -> list[str]:
    found = []
    for metric in SHOWN:
        found += [f"{judged.figures[metric].value:.4f}", _interval(judged.figures[metric])]
        if judged.delta is not None:
            found += [f"{judged.delta[metric].value:+.4f}", _interval(judged.delta[metric], "+")]
    return found


def _interval(found: Interval, sign: str = "") -> str:
    return f"{found.low:{sign}.4f} to {found.high:{sign}.4f}"


def _verdict(row: Row, against: Row | None) -> list[str]:
    """Lines: the verdict on GAP and MAP, what the intervals cover, and the command that gets a verdict."""
    why = unsettled(row) if against is None else doubt(row, against)
    if why is not None:
        again = commands_for_verdicts([row], against or row)
        if why[0] is Verdict.CHOSEN_ON_SEEN:
            again = f"train it with {UNSEEN}, encode it, then {again}"
        return [f"{why[0]}: {why[1]}", f"to get one: {again}"]
    rows = [one for one in (row, against) if one is not None]
    covered = "videos only" if videos_only(*rows) else "videos and the seeds of the judges"
    lines = [f"intervals cover {covered}"]
    if against is None:
        return lines
    said = ", ".join(f"{metric.upper()} {verdict(row, against, metric)}" for metric in SHOWN)
    return [f"against {against.row}, best judge against best judge: {said}", *lines]

"""What `compress report --run` is going to do, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.progress import duration
from cli.text import size, table

if TYPE_CHECKING:
    from compress.jobs.paper_tables.plan import PlannedRow

COLUMNS = ("row", "table", "state", "epochs", "time", "memory for weights")


def plan_text(planned: Sequence[PlannedRow]) -> str:
    """Every row with its state and what is left of it, and the sum."""
    missing = [one for one in planned if one.missing and not one.problem]
    known = [one.seconds for one in missing if one.seconds is not None]
    refused = sum(one.problem is not None for one in planned)
    done = sum(str(one.standing.state) == "measured" for one in planned)
    total = f"{done} of {len(planned)} rows measured, {len(missing)} to do"
    total += f", about {duration(sum(known))} on this machine as busy as now" if known else ""
    unknown = len(missing) - len(known)
    total += f", {'plus ' if known else ''}{unknown} of unknown time" if unknown else ""
    total += f"; {refused} cannot be trained" if refused else ""
    parts = [table(COLUMNS, [_cells(one) for one in planned])]
    parts += [f"{one.task.name}: {one.standing.reason}" for one in planned if one.standing.reason]
    parts += [f"{one.task.name} cannot be trained: {one.problem.reason}" for one in planned if one.problem]
    return "\n".join([*parts, total])


def _cells(one: PlannedRow) -> tuple[str, ...]:
    state, left = one.standing, one.seconds
    return (
        one.task.name,
        one.task.table,
        str(state.state),
        _epochs(one),
        "" if not one.missing else "unknown" if left is None else duration(left),
        size(one.cost.training.weights_bytes) if one.cost else "",
    )


def _epochs(one: PlannedRow) -> str:
    done, epochs = one.standing.epochs_done, one.task.training.epochs
    if epochs is None:
        return "computed"
    return f"{done} of {epochs}" if done else str(epochs)


def plan_facts(planned: Sequence[PlannedRow]) -> list[dict[str, Any]]:
    """The same for a machine; seconds and bytes, null where they are not known."""
    return [
        {
            "row": one.task.name,
            "table": one.task.table,
            "title": one.task.title,
            "state": str(one.standing.state),
            "epochs": one.task.training.epochs,
            "epochs_done": one.standing.epochs_done,
            "seconds": one.seconds,
            "weights_bytes": one.cost.training.weights_bytes if one.cost else None,
            "reason": one.problem.reason if one.problem else one.standing.reason,
        }
        for one in planned
    ]

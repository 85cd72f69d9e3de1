"""What `compress report --run` and `compress tradeoff` are going to make, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.progress import duration
from cli.text import size, table

if TYPE_CHECKING:
    from compress.pipeline.engine import Planned

_HEADINGS = {
    "store": "point",
    "bytes_per_video": "bytes per video",
    "seed": "head seed",
    "seconds": "time",
    "weights_bytes": "memory for weights",
}


def plan_text(planned: Sequence[Planned[Any]], columns: Sequence[str], noun: str) -> str:
    """Every target with its state and what is left of it, then why some cannot be made, and the sum.

    Args:
        planned: the plan.
        columns: keys of `Planned.facts`.
        noun: "rows" or "points".
    """
    missing = [one for one in planned if one.missing and not one.refusal]
    known = [one.seconds for one in missing if one.seconds is not None]
    measured = sum(str(one.status.state) == "measured" for one in planned)
    refused = [one for one in planned if one.refusal]
    total = f"{measured} of {len(planned)} {noun} measured, {len(missing)} to do"
    total += f", about {duration(sum(known))} on this machine as busy as now" if known else ""
    unknown = len(missing) - len(known)
    total += f", {'plus ' if known else ''}{unknown} of unknown time" if unknown else ""
    total += f"; {len(refused)} cannot be made" if refused else ""
    rows = [[_cell(column, one.facts, one.missing) for column in columns] for one in planned]
    lines = [table([_HEADINGS.get(column, column) for column in columns], rows)]
    unfit = [one for one in planned if not one.missing and one.status.reason]
    lines += [f"{one.target.name}: {one.status.reason}" for one in unfit]
    lines += [f"{one.target.name} cannot be made: {one.refusal.reason}" for one in refused if one.refusal]
    return "\n".join([*lines, total])


def _cell(column: str, facts: dict[str, Any], missing: bool) -> Any:
    value = facts[column]
    if column == "seconds":
        return "" if not missing else "unknown" if value is None else duration(value)
    if column == "weights_bytes":
        return "" if value is None else size(value)
    if column == "epochs":
        done = facts["epochs_done"]
        return "computed" if value is None else f"{done} of {value}" if done else str(value)
    return value

"""What `compress tradeoff` is going to do, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.progress import duration
from cli.text import table

if TYPE_CHECKING:
    from compress.jobs.tradeoff.plan import PlannedPoint

COLUMNS = ("point", "dims", "codec", "bytes a video", "head seed", "state", "time")


def plan_text(planned: Sequence[PlannedPoint]) -> str:
    """Every point with its state and what is left of it, and the sum."""
    missing = [one for one in planned if one.missing]
    known = [one.seconds for one in missing if one.seconds is not None]
    total = f"{len(planned) - len(missing)} of {len(planned)} points measured, {len(missing)} to do"
    total += f", about {duration(sum(known))} on this machine as busy as now" if known else ""
    return "\n".join([table(COLUMNS, [_cells(one) for one in planned]), total])


def _cells(one: PlannedPoint) -> tuple[Any, ...]:
    left = "" if not one.missing else "unknown" if one.seconds is None else duration(one.seconds)
    stored = one.stored
    return stored.name, one.dim, stored.codec, one.bytes_per_video, one.seed, str(one.state), left


def plan_facts(planned: Sequence[PlannedPoint]) -> list[dict[str, Any]]:
    """The same for a machine; seconds, null where they are not known."""
    return [
        {
            "point": one.point.name,
            "store": one.stored.name,
            "run": one.run.name,
            "dim": one.dim,
            "codec": one.stored.codec,
            "bytes_per_video": one.bytes_per_video,
            "seed": one.seed,
            "state": str(one.state),
            "seconds": one.seconds,
        }
        for one in planned
    ]

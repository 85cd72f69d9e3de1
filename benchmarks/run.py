"""Rows -> results: prepare, time, and go on with the next, whatever happened."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import freed_memory
from benchmarks.limits import Limits
from benchmarks.machine import gpu_name, this_machine
from benchmarks.measure import interleave
from benchmarks.results import Report, Result
from benchmarks.row import Row, Settings
from compress.errors import CompressError, Interrupted, UnavailableError

Told = Callable[[Row, Result], None]


def run(rows: Sequence[Row], settings: Settings, tell: Told) -> Report:
    """Measure rows one after another.

    Args:
        rows: which.
        settings: how; a folder of its own below `settings.scratch` is given to each row, and removed.
        tell: called with each row and its result.
    """
    machine, limits = this_machine(), Limits(settings.scratch)
    results = []
    for row in rows:
        with tempfile.TemporaryDirectory(prefix=f"{row.name}-", dir=settings.scratch) as scratch:
            results.append(measure(row, replace(settings, scratch=Path(scratch)), limits))
        tell(row, results[-1])
        gc.collect()
    data = f"{settings.data or 'invented'} (videos), {settings.frames or 'invented'} (frames)"
    return Report(machine, settings.quick, data, dict(limits.rates), tuple(results))


def measure(row: Row, settings: Settings, limits: Limits) -> Result:
    """One row. What is missing here, and what is wrong, becomes the result's state and reason."""
    result = Result(row.name, row.path, row.ours, row.rival, row.unit, row.clock, row.goal, "measured")
    if row.needs_gpu and not gpu_name():
        return replace(result, state="not measured", reason="no GPU")
    freed_memory.keep(row.long_run)
    try:
        contest = row.prepare(settings)
        rounds = interleave(contest.ours, contest.rival, settings.rounds, row.clock)
        limit = limits.rate(contest.work.resource) if contest.work else 0.0
    except Interrupted:
        raise
    except UnavailableError as error:
        return replace(result, state="not measured", reason=str(error))
    except CompressError as error:
        return replace(result, state="failed", reason=str(error))
    return replace(
        result,
        units=contest.units,
        checked=contest.checked,
        work=contest.work,
        limit=limit,
        rounds=rounds,
        notes=contest.notes,
    )

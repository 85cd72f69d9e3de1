"""Rows -> results: prepare, time, and go on with the next, whatever happened."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.children import run as run_child
from benchmarks.json_report import parse_result, settings_text
from benchmarks.limits import Limits
from benchmarks.machine import ROOT, gpu_name, this_machine
from benchmarks.measure import interleave
from benchmarks.results import Report, Result
from benchmarks.row import Row, Settings
from benchmarks.untouched import untouched
from compress.errors import CompressError, DataError, Interrupted, UnavailableError
from encoders import keep_freed_memory

Told = Callable[[Row, Result], None]
One = Callable[[Row, Settings], Result]


def run(rows: Sequence[Row], settings: Settings, tell: Told, measure_one: One | None = None) -> Report:
    """Measure rows one after another.

    Args:
        rows: which.
        settings: how; a folder of its own below `settings.scratch` is given to each row, and removed.
        tell: called with each row and its result.
        measure_one: how a row is measured; None: `apart`.

    Returns:
        The results in the order of `rows`.
    """
    machine, limits, results = this_machine(), Limits(settings.scratch), []
    for row in rows:
        with tempfile.TemporaryDirectory(prefix=f"{row.name}-", dir=settings.scratch) as scratch:
            result = (measure_one or apart)(row, replace(settings, scratch=Path(scratch)))
        if result.work is not None:
            result = replace(result, limit=limits.rate(result.work.resource))
        results.append(result)
        tell(row, result)
    data = f"{settings.data or 'invented'} (videos), {settings.frames or 'invented'} (frames)"
    return Report(machine, settings.quick, data, dict(limits.rates), tuple(results))


def apart(row: Row, settings: Settings) -> Result:
    """One row in a process of its own.

    What earlier rows have left in memory would make some allocations cheap and others dear: a scan of the
    same vectors took half the time where they happened to lie in huge pages.
    """
    words = ("-m", "benchmarks.one_row", row.name, settings_text(settings))
    try:
        return parse_result(run_child(words, project=ROOT, threads=1).output)
    except DataError as error:
        return replace(_not_yet(row), state="failed", reason=error.what)


def measure(row: Row, settings: Settings) -> Result:
    """One row in this process, without its limit.

    What is missing here, and what is wrong, becomes the result's state and reason.
    """
    result = _not_yet(row)
    if row.needs_gpu and not gpu_name():
        return replace(result, state="not measured", reason="no GPU")
    if row.long_run:
        keep_freed_memory()
    try:
        contest = row.prepare(settings)
        rounds = interleave(contest.ours, untouched(contest.rival), settings.rounds, row.clock)
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
        rounds=rounds,
        notes=contest.notes,
    )


def _not_yet(row: Row) -> Result:
    return Result(row.name, row.path, row.ours, row.rival, row.unit, row.clock, row.goal, "measured")

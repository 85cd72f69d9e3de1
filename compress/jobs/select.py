"""`compress select`: of the measured stores of a workspace, the smallest that keeps a promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from compress.artifacts.one_state import one_state
from compress.command_line import command_argv, command_line, unless
from compress.errors import CorruptArtifactError, NotFoundError, SchemaError
from compress.evaluation.judges.names import judges_named
from compress.evaluation.promises import Candidate, Promise, Quantity, Scores, choose
from compress.evaluation.row import Row
from compress.evaluation.row_file import read_row
from compress.evaluation.scores import (
    evaluations,
    load_baseline,
    load_opinions,
    load_query_precision,
    load_scores,
    validation_ids,
    why_stale,
    why_unlike,
)
from compress.evaluation.verdicts import commands_for_verdicts, unsettled
from compress.jobs.names import checked
from compress.progress import Reporter, silent
from compress.reports.selection import Selection, write_selection
from compress.workspace import Workspace


@dataclass(frozen=True)
class Selected:
    """What came out, and the files that tell it."""

    selection: Selection
    markdown: Path
    json: Path


def select_store(
    workspace: Workspace,
    *,
    max_gap_drop: float | None = None,
    max_map_drop: float | None = None,
    max_precision_drop: float | None = None,
    heads: Sequence[str] = (),
    confidence: float = 0.95,
    baseline: str = "original",
    output: Path | None = None,
    report: Reporter = silent,
) -> Selected:
    """Choose among all stores that were measured like the baseline, and write what came out.

    Args:
        workspace: whose evaluations are read.
        max_gap_drop, max_map_drop, max_precision_drop: in points, how much each figure may fall; below 0,
            how much it must rise; None: no limit.
        heads: names of judges under each of which GAP and MAP must keep the promise; none for the best judge
            of each store.
        confidence: in [0.5, 1).
        baseline: name of the store that drops are measured against.
        output: folder for select.md and select.json; None means the workspace's reports/.
        report: gets progress and notes.

    Raises:
        UsageError: no limit is given, or an impossible one, or there are too few videos.
        NotFoundError: the baseline was not measured, or no smaller store was.
        SchemaError: the baseline was encoded again since it was measured, or a judge of it has not converged
            or was not asked.
        CorruptArtifactError: an evaluation or its scores are damaged.
    """
    checked(baseline, "--baseline")
    judges = judges_named(heads) if heads else ()
    points: dict[Quantity, float | None]
    points = {"gap": max_gap_drop, "map": max_map_drop, "precision": max_precision_drop}
    drops = {quantity: drop / 100 for quantity, drop in points.items() if drop is not None}
    promise = Promise(drops, confidence)
    selection = one_state(
        lambda: evaluations(workspace.evaluation),
        lambda: _selection(workspace, baseline, promise, judges, report),
    )
    options: dict[str, object] = {f"max_{quantity}_drop": drop for quantity, drop in points.items()}
    options["heads"] = ",".join(judges) or None
    options |= {"confidence": unless(confidence, 0.95), "baseline": unless(baseline, "original")}
    command = command_line(command_argv("select", options))
    folder, today = output or workspace.reports, date.today().isoformat()
    return Selected(selection, *write_selection(selection, folder, generated=today, command=command))


def _selection(
    workspace: Workspace, baseline: str, promise: Promise, judges: tuple[str, ...], report: Reporter
) -> Selection:
    rows = _rows(workspace)
    facts = _baseline_facts(workspace, baseline, rows, "precision" in promise.max_drops)
    original = rows.pop(baseline)
    if why := _why_untold(original, judges, promise):
        raise _useless(workspace, original, judges, why)
    reasons = {
        name: _why_not(workspace, name, row, original, facts, promise, judges) for name, row in rows.items()
    }
    left_out = {name: reason for name, reason in reasons.items() if reason is not None}
    fitting = {name: row for name, row in rows.items() if name not in left_out}
    _refuse_none(workspace, fitting, left_out)
    ids = validation_ids(workspace, [baseline, *fitting], facts["validate"])
    candidates = [_candidate(workspace, name, row.bytes_per_video, judges) for name, row in fitting.items()]
    choice = choose(_scores(workspace, baseline, judges), candidates, ids, promise, report)
    return Selection(choice, original, fitting, left_out, judges)


def _baseline_facts(
    workspace: Workspace, name: str, rows: Mapping[str, Row], with_precision: bool
) -> dict[str, Any]:
    folder = workspace.evaluation / "scores" / name
    command = f"compress evaluate --name {name}"
    facts, again = load_baseline(workspace.evaluation, name, command)[1], f"`{command}` first"
    if name not in rows:
        raise NotFoundError(f"the baseline {name!r} has no row", where=workspace.evaluation, hint=again)
    stale = why_stale(workspace, name, facts)
    if stale is not None:
        raise SchemaError(f"the baseline {name!r} was {stale}", where=workspace.store(name), hint=again)
    if with_precision and load_query_precision(folder) is None:
        raise NotFoundError(
            f"the neighbours of the baseline {name!r} have not been measured query by query",
            where=folder,
            hint=again,
        )
    return facts


def _rows(workspace: Workspace) -> dict[str, Row]:
    return {path.stem: read_row(path) for path in sorted(workspace.evaluation.glob("*.json"))}


def _why_not(
    workspace: Workspace,
    name: str,
    row: Row,
    baseline: Row,
    facts: Mapping[str, Any],
    promise: Promise,
    judges: Sequence[str],
) -> str | None:
    """Why a measured store is no candidate, or None."""
    if row.bytes_per_video >= baseline.bytes_per_video:
        return "takes no fewer bytes than the baseline"
    folder = workspace.evaluation / "scores" / name
    try:
        own = load_scores(folder)[1]
    except NotFoundError:
        return "its scores are gone"
    reason = why_unlike(own, facts) or why_stale(workspace, name, own)
    if reason is None and "precision" in promise.max_drops and load_query_precision(folder) is None:
        return "its neighbours were not measured query by query"
    return reason or _why_untold(row, judges, promise)


def _useless(workspace: Workspace, baseline: Row, judges: Sequence[str], why: str) -> SchemaError:
    """The error about a baseline that proves nothing, with the command that mends it."""
    asked = {one.name for one in baseline.judges}
    again = commands_for_verdicts([], baseline)
    if not asked.issuperset(judges):
        again = f"compress evaluate --name {baseline.row}"
    what, hint = (
        f"the baseline {baseline.row!r} proves nothing: {why}",
        f"`{again}`, then the other stores alike",
    )
    return SchemaError(what, where=workspace.evaluation, hint=hint)


def _why_untold(row: Row, judges: Sequence[str], promise: Promise) -> str | None:
    """Why the judges of a store prove nothing about it, or None; neighbours need no judge."""
    if not {"gap", "map"} & promise.max_drops.keys():
        return None
    if not judges:
        return None if (found := unsettled(row)) is None else found[1]
    known = {one.name: one for one in row.judges}
    for name in judges:
        if name not in known:
            return f"it was not judged by {name}"
        if not known[name].converged:
            return f"its judge {name} has not converged"
    return None


def _refuse_none(workspace: Workspace, fitting: Mapping[str, Row], left_out: Mapping[str, str]) -> None:
    if not fitting:
        reasons = _counted(left_out)
        raise NotFoundError(
            "no smaller store was measured like the baseline" + (f" ({reasons})" if reasons else ""),
            where=workspace.evaluation,
            hint="`compress encode --codec int8` and `compress evaluate`, or `compress tradeoff`, make some",
        )


def _counted(left_out: Mapping[str, str]) -> str:
    """Each reason once: a workspace may hold a hundred stores."""
    names: dict[str, list[str]] = {}
    for name, reason in sorted(left_out.items()):
        names.setdefault(reason, []).append(name)
    more = {reason: f" and {len(them) - 1} more" if them[1:] else "" for reason, them in names.items()}
    return "; ".join(f"{them[0]}{more[reason]}: {reason}" for reason, them in names.items())


def _candidate(workspace: Workspace, name: str, bytes_per_video: int, judges: Sequence[str]) -> Candidate:
    return Candidate(name, bytes_per_video, lambda: _scores(workspace, name, judges))


def _scores(workspace: Workspace, name: str, judges: Sequence[str]) -> Scores:
    folder = workspace.evaluation / "scores" / name
    opinions = load_opinions(folder) if judges else {}
    if missing := [judge for judge in judges if judge not in opinions]:
        raise CorruptArtifactError(f"the scores of {', '.join(missing)} are not here", where=folder)
    asked = {judge: opinions[judge].top for judge in judges}
    return Scores(load_scores(folder)[0], load_query_precision(folder), asked)

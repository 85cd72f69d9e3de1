"""`compress tradeoff`: quality against bytes, of trained encoders and of what needs no training."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.manifest import MANIFEST
from compress.artifacts.one_state import files_state, one_state
from compress.codecs import canonical
from compress.command_line import command_argv, command_line, unless
from compress.datasets.policy import OnCorrupt
from compress.errors import NotFoundError
from compress.evaluation.row_file import SCORES
from compress.evaluation.splits import rows_by_id
from compress.jobs.sources import open_split
from compress.pipeline import engine
from compress.pipeline.costs import Costs
from compress.pipeline.engine import Failure, Planned
from compress.pipeline.maker import FreshHead, Maker
from compress.pipeline.runs import Runs
from compress.pipeline.stores import Shards, StoreTarget
from compress.pipeline.tradeoff_points import CODECS, CONTROLS, StorePoint, choose_points
from compress.progress import Progress, Reporter, check_interrupt, silent
from compress.reports.tradeoff.measured import Kept, Measured, read_measured
from compress.reports.tradeoff.page import write_tradeoff
from compress.reports.tradeoff.table import TradeoffTable, tradeoff_table
from compress.store.reader import open_store
from compress.training.recipes import JUDGE_EPOCHS, PRESETS
from compress.workspace import Workspace

TIMING_SECONDS = 6.0
"""Of timed steps of each training, while a plan is made. In fewer seconds a busy machine times small parts of
batches, of which the step of the optimiser is too large a part."""


@dataclass(frozen=True, kw_only=True)
class TradeoffPoint(StoreTarget):
    """One point, measured with a head of one seed; the store may be of the run trained with that seed."""

    point: StorePoint
    number: int

    @property
    def facts(self) -> dict[str, Any]:
        return {"point": self.point.name, **super().facts}

    @property
    def label(self) -> str:
        return f"{self.name}, head seed {self.seed}"


@dataclass(frozen=True)
class TradeoffPlan:
    """The points in the order in which they are made, the baseline's name, and the command for them.

    `longer` is the command that lets judges train twice as long.
    """

    points: list[Planned[TradeoffPoint]]
    baseline: str
    command: str
    longer: str


@dataclass(frozen=True)
class ReportedTradeoff:
    """The table, and the files that were written."""

    table: TradeoffTable
    markdown: Path
    json: Path
    html: Path
    svg: Path


def plan_tradeoff(
    workspace: Workspace,
    *,
    runs: Sequence[str] = (),
    dims: Sequence[int] = (),
    preset: str = "best",
    codecs: Sequence[str] = CODECS,
    controls: Sequence[str] = CONTROLS,
    sizes: Sequence[int] = (),
    points: Sequence[str] = (),
    baseline: str = "original",
    seeds: int = 1,
    heads: Sequence[str] = (),
    head_epochs: int | None = None,
    head_mixup: float | None = None,
    retrieval: bool = True,
    on_corrupt: OnCorrupt = "fail",
    seed: int = 0,
    threads: int = 0,
    device: str = "auto",
    timed: bool = True,
    report: Reporter = silent,
) -> TradeoffPlan:
    """Every point once per seed: all of the first seed, baseline first, then those of the next.

    Args:
        workspace: where everything lies.
        runs: trained encoders, or `<encoder>-<dim>` to be trained; none means every one of the workspace,
            unless `points` are given.
        dims: sizes to store of each run's embeddings, the first dimensions; none means all that it was
            trained for. Runs that are trained now are trained for these.
        preset: "best" or "paper", of runs that are trained now.
        codecs: of each embedding.
        controls: of `CONTROLS`, what the learned points are compared with, at the same bytes.
        sizes: only points of these bytes per video; none means all. The baseline stays, and among the
            controls the original in float32 and int8.
        points: further stores by name, `<run>[-d<dim>][-<codec>]`.
        baseline: the store that changes are measured against.
        seeds: heads of different seeds for each point; of `<run>-seed1`, ... where there are such runs.
        heads: names of the judges; none for all.
        head_epochs: the most passes of a trained judge; None for the recipe's.
        head_mixup: alpha of their mixup, 0 for none; None searches it.
        retrieval: also measure the nearest neighbours.
        on_corrupt: what happens to unusable records.
        seed: of the first head, >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        timed: measure what the missing points will cost, for some seconds.
        report: gets progress and notes.

    Raises:
        UsageError: no point to measure, an unknown codec or control, or a workspace without shards.
        NotFoundError, DataError: a run or shards are gone or damaged.
        Interrupted: on request.
    """
    maker = Maker(workspace, on_corrupt, seed, threads, device)
    known = Runs(workspace, open_split(workspace, "train", (), on_corrupt).schema, tuple(dims))
    chosen = choose_points(
        known,
        runs=runs,
        dims=dims,
        codecs=codecs,
        controls=controls,
        sizes=sizes,
        points=points,
        baseline=baseline,
    )
    # With several seeds each point is judged by heads of each, so one head per judge and seed is enough.
    each = None if seeds == 1 else 1
    head = FreshHead(baseline, tuple(heads), each, head_epochs, head_mixup, retrieval)
    shards = Shards(maker)

    def target(point: StorePoint, number: int) -> TradeoffPoint:
        stored = point.of_seed(number, known.known)
        run = known.facts(stored.run)
        return TradeoffPoint(
            run=run,
            training=run.training(preset),
            prefix=stored.prefix,
            codec=stored.codec,
            head=head,
            seed=seed + number,
            folder=workspace.evaluation / "seeds" / str(seed + number) if number else workspace.evaluation,
            maker=maker,
            shards=shards,
            point=point,
            number=number,
        )

    targets = [target(point, number) for number in range(seeds) for point in chosen]
    asked: dict[str, object] = {
        "run": runs,
        "dims": _joined(dims),
        "preset": unless(preset, PRESETS[0]),
        "codecs": unless(_joined(map(canonical, codecs)), _joined(CODECS)),
        "controls": unless(_joined(controls) or "none", _joined(CONTROLS)),
        "bytes": _joined(sizes),
        "point": points,
        "baseline": unless(baseline, "original"),
        "seeds": unless(seeds, 1),
        "heads": _joined(heads),
        "head_epochs": head_epochs,
        "head_mixup": head_mixup,
        "no_retrieval": not retrieval,
        "seed": unless(seed, 0),
    }
    command = command_line(command_argv("tradeoff", asked))
    more = 2 * (JUDGE_EPOCHS if head_epochs is None else head_epochs)
    longer = command_line(command_argv("tradeoff", asked | {"head_epochs": more}))
    costs = partial(Costs, maker, report, head, TIMING_SECONDS) if timed else None
    return TradeoffPlan(engine.plan(targets, costs), baseline, command, longer)


def _joined(values: Iterable[object]) -> str | None:
    return ",".join(map(str, values)) or None


def report_tradeoff(
    workspace: Workspace,
    plan: TradeoffPlan,
    failures: Sequence[Failure] = (),
    *,
    made: bool,
    output: Path | None = None,
    report: Reporter = silent,
) -> ReportedTradeoff:
    """Write tradeoff.md, .json, .html and .svg.

    Args:
        workspace: where everything lies.
        plan: as `plan_tradeoff` gives it.
        failures: as `make_missing` gives them.
        made: whether what was missing in the plan has been made, except for the failures.
        output: folder for the files; None means the workspace's reports/.
        report: gets progress.

    Raises:
        NotFoundError: the baseline is not measured.
        DataError: an evaluation is damaged.
    """
    failed = {failure.target.name for failure in failures}
    there = [one.target for one in plan.points if one.target.name not in failed and (made or not one.missing)]
    points = {one.point: [other for other in there if other.point == one.point] for one in there}
    if not any(point.name == plan.baseline for point in points):
        hint = "`compress tradeoff` without --measured makes what is missing"
        raise NotFoundError(f"the baseline {plan.baseline!r} is not measured", hint=hint)
    store = open_store(workspace.store(plan.baseline), verify=False)
    ids = store.id_bytes[rows_by_id(store, "validate")]
    measured = _measured_at_once(points, ids, report)
    sentences = [f"{failure.target.name} failed: {failure.reason}." for failure in failures]
    missing = len({one.target.point for one in plan.points}) - len(points) - len(failed)
    if missing > 0:
        sentences.append(f"{missing} planned point{' is' if missing == 1 else 's are'} not measured yet.")
    if any(one.doubt for one in measured):
        sentences.append(f"To train the judges on: `{plan.longer}`.")
    table = tradeoff_table(measured, plan.baseline, sentences)
    folder, today = output or workspace.reports, date.today().isoformat()
    return ReportedTradeoff(table, *write_tradeoff(table, folder, generated=today, command=plan.command))


def _measured_at_once(
    points: Mapping[StorePoint, Sequence[TradeoffPoint]], ids: np.ndarray, report: Reporter
) -> list[Measured]:
    """Every point, resampled; one that another process measures meanwhile is read once more."""
    found: dict[StorePoint, tuple[Hashable, Measured]] = {}
    while stale := [
        point for point in points if point not in found or found[point][0] != _state(points[point])
    ]:
        for done, point in enumerate(stale):
            check_interrupt()
            report(Progress("resampling", done, len(stale), "points"))
            kept = [Kept(one.number, one.name, one.folder) for one in points[point]]
            look = partial(_state, points[point])
            found[point] = look(), one_state(look, partial(read_measured, point.name, point.run, kept, ids))
    return [found[point][1] for point in points]


def _state(heads: Sequence[TradeoffPoint]) -> Hashable:
    scores = [one.folder / SCORES / one.name / MANIFEST for one in heads]
    return files_state([*scores, *(one.folder / f"{one.name}.json" for one in heads)])

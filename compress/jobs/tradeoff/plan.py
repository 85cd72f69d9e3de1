"""Which points are there, which are missing, and what each will cost, before anything is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from compress.jobs.sources import Tables, open_split
from compress.jobs.tradeoff.costs import Costs
from compress.jobs.tradeoff.grid import bytes_of, grid
from compress.jobs.tradeoff.point import StorePoint
from compress.jobs.tradeoff.request import TradeoffRequest
from compress.jobs.tradeoff.runs import RunFacts, Runs
from compress.jobs.tradeoff.standing import Standings, State, seed_folder
from compress.progress import Note, Reporter, check_interrupt
from compress.workspace import Workspace


@dataclass(frozen=True)
class PlannedPoint:
    """One point, measured with a head of one seed.

    Args:
        point: as drawn.
        stored: what is measured: the same, or of the run that was trained with another seed.
        run: of `stored`.
        dim: numbers a video.
        bytes_per_video: as planned; the store tells exactly.
        number: of the seed, 0 for the first.
        seed: of the head.
        folder: where its evaluation is kept.
        state: how far it is.
        seconds: what is left, roughly; None where it is not known.
    """

    point: StorePoint
    stored: StorePoint
    run: RunFacts
    dim: int
    bytes_per_video: int
    number: int
    seed: int
    folder: Path
    state: State
    seconds: float | None = 0.0

    @property
    def missing(self) -> bool:
        """Whether something is left to do."""
        return self.state is not State.MEASURED


def plan_tradeoff(
    workspace: Workspace, request: TradeoffRequest, report: Reporter, *, timed: bool = True
) -> list[PlannedPoint]:
    """Every point once a seed: all of the first seed, baseline first, then those of the next.

    Args:
        workspace: where everything lies.
        request: which points.
        report: gets progress.
        timed: measure what the missing ones will cost, for some seconds.

    Raises:
        UsageError: no point to measure, or a workspace without shards.
        NotFoundError, DataError: a run or shards are gone or damaged.
        Interrupted: on request.
    """
    schema = open_split(workspace, "train", (), request.on_corrupt).schema
    runs = Runs(workspace, schema, request.dims)
    chosen = grid(request, runs)
    standings = Standings(workspace, runs, request)
    planned = [
        _planned(workspace, request, runs, standings, point, number)
        for number in range(request.seeds)
        for point in chosen
    ]
    if not timed or not any(one.missing for one in planned):
        return planned
    tables = Tables(workspace, (), request.on_corrupt, report)
    return _timed(planned, Costs(workspace, tables, schema, request), report)


def _planned(
    workspace: Workspace,
    request: TradeoffRequest,
    runs: Runs,
    standings: Standings,
    point: StorePoint,
    number: int,
) -> PlannedPoint:
    check_interrupt()
    seed, stored = request.seed + number, point.of_seed(number, runs.known)
    run, folder = runs.facts(stored.run), seed_folder(workspace, number, seed)
    state = standings.of(stored, seed, folder)
    dim = point.prefix or run.dim
    return PlannedPoint(point, stored, run, dim, bytes_of(point, runs), number, seed, folder, state)


def _timed(planned: Sequence[PlannedPoint], costs: Costs, report: Reporter) -> list[PlannedPoint]:
    """With what is left of each; what several of them need is paid by the first."""
    report(Note("timing a fresh head and the encoders"))
    paid: set[str] = set()
    found = []
    for one in planned:
        check_interrupt()
        if one.missing:
            store = f"{one.stored.name}.h5"  # a run may have the same name
            encoded = store in paid or one.state is State.TO_EVALUATE
            seconds = costs.head(one.dim) + costs.intervals
            seconds += 0.0 if encoded else costs.encoding(one.run)
            if one.state is State.TO_TRAIN and one.run.name not in paid:
                seconds += costs.training(one.run)
            one = replace(one, seconds=seconds)
            paid |= {store, one.run.name}
        found.append(one)
    return found

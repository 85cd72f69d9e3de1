"""Which points are drawn: learned ones, and at the same bytes what needs no training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compress.codecs import stored_bytes
from compress.errors import UsageError
from compress.jobs.names import checked
from compress.jobs.tradeoff.point import StorePoint, parse_point
from compress.jobs.tradeoff.request import TradeoffRequest
from compress.jobs.tradeoff.runs import RunFacts, Runs

ORIGINAL = "original"
UNTOUCHED = tuple(StorePoint(ORIGINAL, None, codec) for codec in ("float32", "int8"))


def grid(request: TradeoffRequest, runs: Runs) -> list[StorePoint]:
    """Every point once: the baseline, then by rising bytes a video.

    Raises:
        NotFoundError: a run or a point that there is not.
        UsageError: nothing but the original is left to measure, a prefix longer than its embedding, or a name
            that is not how its store is called.
    """
    baseline = _baseline(request, runs)
    chosen = [parse_point(name, runs.known) for name in request.points]
    if request.runs or not request.points:
        of_runs = learned(request, runs)
        chosen += [*of_runs, *controls(request, runs, of_runs)]
    if request.bytes:
        chosen = [p for p in chosen if bytes_of(p, runs) in request.bytes or p in UNTOUCHED]
    rest = dict.fromkeys(point for point in chosen if point != baseline)
    if not set(rest) - set(UNTOUCHED):
        hint = "`compress train` makes an encoder; see --run, --point, --dims and --bytes"
        raise UsageError("no point to measure beside the original", hint=hint)
    return [baseline, *sorted(rest, key=lambda point: (bytes_of(point, runs), point.name))]


def _baseline(request: TradeoffRequest, runs: Runs) -> StorePoint:
    point = parse_point(request.baseline, runs.known, "--baseline")
    # Its evaluation is looked for by the name that was typed, after all the work.
    if point.name != request.baseline:
        raise UsageError(f"that store is called {point.name}", where=f"--baseline {request.baseline}")
    return point


def learned(request: TradeoffRequest, runs: Runs) -> list[StorePoint]:
    """The points of trained encoders: each run, each of its sizes, each codec."""
    named = [runs.facts(checked(name, "--run")) for name in request.runs]
    chosen = named or runs.learned()
    return [
        StorePoint(run.name, None if dim == run.dim else dim, codec)
        for run in chosen
        for dim in _dims(run, request.dims)
        for codec in request.codecs
    ]


def _dims(run: RunFacts, wanted: Sequence[int]) -> tuple[int, ...]:
    known = (*run.prefixes, run.dim)
    return tuple(dim for dim in known if dim in wanted) if wanted else known


def controls(request: TradeoffRequest, runs: Runs, beside: Sequence[StorePoint]) -> list[StorePoint]:
    """What needs no training, with the sizes and codecs, or else the bytes, of the points `beside`."""
    found: list[StorePoint] = []
    if "original" in request.controls:
        found += UNTOUCHED
    for stem in ("pca", "random"):
        if stem in request.controls:
            found += [
                StorePoint(f"{stem}-{dim}", None, codec)
                for dim, codec in _sizes(beside, runs)
                if runs.known(f"{stem}-{dim}")
            ]
    original = runs.facts(ORIGINAL).dim
    sizes = sorted({bytes_of(point, runs) for point in beside})
    for family in ("pq", "opq"):
        if family in request.controls:
            found += [StorePoint(ORIGINAL, None, f"{family}{size}") for size in sizes if size <= original]
    return found


def _sizes(points: Iterable[StorePoint], runs: Runs) -> list[tuple[int, str]]:
    return sorted({(point.prefix or runs.facts(point.run).dim, point.codec) for point in points})


def bytes_of(point: StorePoint, runs: Runs) -> int:
    """Stored bytes a video of a point.

    Raises:
        UsageError: its prefix is longer than the embedding.
    """
    dim = runs.facts(point.run).dim
    if point.prefix is not None and point.prefix > dim:
        raise UsageError(f"{point.run} has {dim} dimensions only", where=point.name)
    return stored_bytes(point.codec, point.prefix or dim)

"""Which points the trade-off has: learned ones, and beside them at the same bytes what needs no training."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from compress.codecs import canonical, pattern, stored_bytes
from compress.errors import NotFoundError, UsageError
from compress.jobs.names import checked, store_name
from compress.pipeline.runs import Runs

CONTROLS = ("original", "pca", "random", "pq", "opq")
CODECS = ("int8", "int4", "binary")

_CODEC = re.compile(rf"(.+)-({pattern()})")
_PREFIX = re.compile(r"(.+)-d([1-9][0-9]*)")


@dataclass(frozen=True)
class StorePoint:
    """A point: one store, by the name that `compress encode` gives it."""

    run: str
    prefix: int | None
    codec: str

    @property
    def name(self) -> str:
        """The store's name."""
        return store_name(self.run, self.codec, self.prefix)

    def of_seed(self, number: int, known: Callable[[str], bool]) -> StorePoint:
        """The same of the run trained with another seed, `<run>-seed<number>`, where there is one."""
        other = f"{self.run}-seed{number}"
        return replace(self, run=other) if number and known(other) else self


ORIGINAL = tuple(StorePoint("original", None, codec) for codec in ("float32", "int8"))
"""The original features, which stay whatever bytes are asked for."""


def parse_point(name: str, known: Callable[[str], bool], option: str = "--point") -> StorePoint:
    """The point that a store's name stands for.

    Raises:
        UsageError: a name that cannot be a file's.
        NotFoundError: no run fits.
    """
    checked(name, option)
    tries = [(name, "float32")]
    if found := _CODEC.fullmatch(name):
        tries.append((found[1], canonical(found[2])))
    for rest, codec in tries:
        if known(rest):
            return StorePoint(rest, None, codec)
    for rest, codec in tries:
        part = _PREFIX.fullmatch(rest)
        if part and known(part[1]):
            return StorePoint(part[1], int(part[2]), codec)
    raise NotFoundError(
        "no run fits this store's name",
        where=f"{option} {name}",
        hint="write <run>[-d<dim>][-<codec>], of a run that `compress train` made",
    )


def choose_points(
    known: Runs,
    *,
    runs: Sequence[str] = (),
    dims: Sequence[int] = (),
    codecs: Sequence[str] = CODECS,
    controls: Sequence[str] = CONTROLS,
    sizes: Sequence[int] = (),
    points: Sequence[str] = (),
    baseline: str = "original",
) -> list[StorePoint]:
    """Every point once: the baseline, then by rising bytes per video. Arguments as of `plan_tradeoff`.

    Raises:
        NotFoundError: a run or a point that does not exist.
        UsageError: nothing but the original is left to measure, a prefix longer than its embedding, a name
            that is not how its store is called, or an unknown codec or control.
    """
    for control in controls:
        if control not in CONTROLS:
            hint = f"choose from {', '.join(CONTROLS)}, none"
            raise UsageError(f"no control {control!r}", where="--controls", hint=hint)
    first = _baseline(baseline, known)
    chosen = [parse_point(name, known.known) for name in points]
    if runs or not points:
        of_runs = _learned(known, runs, dims, tuple(map(canonical, codecs)))
        chosen += [*of_runs, *_controls(known, controls, of_runs)]
    if sizes:
        chosen = [point for point in chosen if bytes_of(point, known) in sizes or point in ORIGINAL]
    rest = dict.fromkeys(point for point in chosen if point != first)
    if not set(rest) - set(ORIGINAL):
        hint = "`compress train` makes an encoder; see --run, --point, --dims and --bytes"
        raise UsageError("no point to measure beside the original", hint=hint)
    return [first, *sorted(rest, key=lambda point: (bytes_of(point, known), point.name))]


def bytes_of(point: StorePoint, known: Runs) -> int:
    """Stored bytes per video.

    Raises:
        UsageError: the prefix is longer than the embedding.
    """
    dim = known.facts(point.run).dim
    if point.prefix is not None and point.prefix > dim:
        raise UsageError(f"{point.run} has {dim} dimensions only", where=point.name)
    return stored_bytes(point.codec, point.prefix or dim)


def _baseline(name: str, known: Runs) -> StorePoint:
    point = parse_point(name, known.known, "--baseline")
    # Its evaluation is looked for by the name that was typed, after all the work.
    if point.name != name:
        raise UsageError(f"that store is called {point.name}", where=f"--baseline {name}")
    bytes_of(point, known)
    return point


def _learned(
    known: Runs, names: Sequence[str], dims: Sequence[int], codecs: Sequence[str]
) -> list[StorePoint]:
    """Each run, each of its sizes, each codec."""
    chosen = [known.facts(checked(name, "--run")) for name in names] or known.learned()
    return [
        StorePoint(run.name, None if dim == run.dim else dim, codec)
        for run in chosen
        for dim in (*run.prefixes, run.dim)
        if not dims or dim in dims
        for codec in codecs
    ]


def _controls(known: Runs, controls: Sequence[str], learned: Sequence[StorePoint]) -> list[StorePoint]:
    """PCA and random projections at the learned points' sizes and codecs, product codes at their bytes."""
    found: list[StorePoint] = [*ORIGINAL] if "original" in controls else []
    stored = sorted({(point.prefix or known.facts(point.run).dim, point.codec) for point in learned})
    for stem in ("pca", "random"):
        if stem in controls:
            found += [
                StorePoint(f"{stem}-{dim}", None, codec)
                for dim, codec in stored
                if known.known(f"{stem}-{dim}")
            ]
    original = known.facts("original").dim
    sizes = sorted({bytes_of(point, known) for point in learned})
    for family in ("pq", "opq"):
        if family in controls:
            found += [StorePoint("original", None, f"{family}{size}") for size in sizes if size <= original]
    return found

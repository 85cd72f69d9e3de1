"""Which points `compress tradeoff` draws, and what they are called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compress.codecs import Codec, stored_bytes
from compress.errors import CompressError, NotFoundError, UsageError
from compress.pipeline.runs import RunFacts
from compress.pipeline.tradeoff_points import CODECS, StorePoint, bytes_of, choose_points, parse_point


class KnownRuns:
    """Runs by name; what can be computed has 100 dimensions at most."""

    def __init__(self, *runs: RunFacts) -> None:
        self._runs = {run.name: run for run in runs}

    def known(self, name: str) -> bool:
        stem, _, dim = name.partition("-")
        computed = stem in ("pca", "random") and dim.isdigit() and int(dim) <= 100
        return name in self._runs or name == "original" or computed

    def facts(self, name: str) -> RunFacts:
        if name in self._runs:
            return self._runs[name]
        if not self.known(name):
            raise NotFoundError(f"no finished run {name!r}")
        return RunFacts(name, "pca", 100 if name == "original" else int(name.partition("-")[2]))

    def learned(self) -> list[RunFacts]:
        return [run for run in self._runs.values() if run.learned]


NESTED = RunFacts("mrl", "linear", 64, (16, 32), learned=True, model_sha256="m")
RUNS: Any = KnownRuns(NESTED, RunFacts("odd-d16", "linear", 20, learned=True, model_sha256="o"))


def drawn(**changes: Any) -> list[str]:
    return [point.name for point in choose_points(RUNS, **changes)]


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("original", StorePoint("original", None, "float32")),
        ("original-pq64", StorePoint("original", None, "pq64")),
        ("mrl-d16", StorePoint("mrl", 16, "float32")),
        ("mrl-d16-int8", StorePoint("mrl", 16, "int8")),
        ("mrl-rabitq4", StorePoint("mrl", None, "rabitq4")),
        ("pca-32-binary", StorePoint("pca-32", None, "binary")),
        ("odd-d16", StorePoint("odd-d16", None, "float32")),
        ("odd-d16-d8-int4", StorePoint("odd-d16", 8, "int4")),
    ],
)
def test_a_store_is_called_as_its_point(name: str, point: StorePoint) -> None:
    assert parse_point(name, RUNS.known) == point
    assert point.name == name


@pytest.mark.parametrize("name", ["nothing", "mrl-int7", "mrl-d0", "pca-200-int8", "a/b", ""])
def test_a_name_that_no_run_fits_is_refused(name: str) -> None:
    with pytest.raises(CompressError):
        parse_point(name, RUNS.known)


@pytest.mark.parametrize("dim", [1, 7, 8, 24, 33])
@pytest.mark.parametrize(
    "name", ["float32", "float16", "int8", "int4", "binary", "pq3", "opq3", "rq2", "rabitq", "rabitq4"]
)
def test_planned_bytes_are_those_of_the_codec(name: str, dim: int) -> None:
    if name in ("pq3", "opq3") and dim < 3:
        pytest.skip("more bytes than dimensions")
    sample = np.random.default_rng(0).standard_normal((300, dim)).astype(np.float32)
    assert stored_bytes(name, dim) == Codec.fit(name, sample).bytes_per_video


def test_a_nested_run_is_drawn_at_each_of_its_sizes_and_codecs() -> None:
    found = drawn(runs=("mrl",), controls=())
    assert found[0] == "original"
    assert set(found[1:]) == {
        *(f"mrl-{codec}" for codec in CODECS),
        *(f"mrl-d{dim}-{codec}" for dim in (16, 32) for codec in CODECS),
    }


def test_controls_have_the_sizes_and_codecs_or_else_the_bytes_of_what_was_trained() -> None:
    found = drawn(runs=("mrl",), dims=(16, 64), codecs=("int8",))
    assert set(found) == {
        "original", "original-int8", "mrl-d16-int8", "mrl-int8", "pca-16-int8", "pca-64-int8",
        "random-16-int8", "random-64-int8", "original-pq16", "original-pq64", "original-opq16",
        "original-opq64",
    }  # fmt: skip


def test_the_baseline_comes_first_then_points_by_rising_bytes() -> None:
    found = drawn(runs=("mrl",))
    assert found[0] == "original"
    sizes = [bytes_of(parse_point(name, RUNS.known), RUNS) for name in found[1:]]
    assert sizes == sorted(sizes)
    assert len(found) == len(set(found))


def test_bytes_leave_points_of_these_sizes_and_the_original() -> None:
    found = drawn(runs=("mrl",), sizes=(16,), controls=("original", "pca"))
    assert set(found) == {
        "original", "original-int8", "mrl-d16-int8", "mrl-d32-int4", "pca-16-int8", "pca-32-int4",
    }  # fmt: skip


def test_points_alone_are_drawn_alone_and_runs_are_added() -> None:
    assert drawn(points=("mrl-d16-int8",)) == ["original", "mrl-d16-int8"]
    found = drawn(points=("pca-8-int8",), runs=("mrl",), codecs=("int8",), controls=())
    assert set(found) == {"original", "pca-8-int8", "mrl-d16-int8", "mrl-d32-int8", "mrl-int8"}


@pytest.mark.parametrize(
    "changes",
    [
        {"runs": ("gone",)},
        {"points": ("gone-int8",)},
        {"points": ("mrl-d65-int8",)},
        {"sizes": (5000,)},
        {"runs": ("mrl",), "dims": (8,)},
        {"baseline": "gone"},
        {"baseline": "original-float32", "runs": ("mrl",)},
        {"baseline": "original-rabitq1", "runs": ("mrl",)},
        {"runs": ("../mrl",)},
    ],
)
def test_what_cannot_be_drawn_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((UsageError, NotFoundError)):
        drawn(**changes)


def test_a_run_of_another_seed_stands_in_where_there_is_one() -> None:
    runs = KnownRuns(NESTED, replace(NESTED, name="mrl-seed1"))
    point = StorePoint("mrl", 16, "int8")
    assert [point.of_seed(number, runs.known).run for number in range(3)] == ["mrl", "mrl-seed1", "mrl"]


def test_codecs_and_controls_are_checked_and_codecs_have_one_name() -> None:
    found = drawn(runs=("mrl",), codecs=("int8", "rabitq1"), controls=(), dims=(64,))
    assert found == ["original", "mrl-rabitq", "mrl-int8"]
    with pytest.raises(UsageError, match="no control"):
        drawn(controls=("pca", "lda"))
    with pytest.raises(UsageError, match="unknown codec"):
        drawn(codecs=("int3",))

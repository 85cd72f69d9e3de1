"""A report of known figures."""

from __future__ import annotations

from benchmarks.machine import Machine
from benchmarks.measure import Rounds
from benchmarks.results import Report, Result
from benchmarks.row import Goal, Work

MACHINE = Machine(
    cpu="Example CPU",
    cores=2,
    flags=("avx2",),
    memory=8_000_000_000,
    gpu="",
    system="Linux 6.1 x86_64",
    versions={"python": "3.11.7", "torch": "2.13.0"},
    date="2026-11-22T21:00:00+00:00",
    commit="0123456789ab",
    load=0.5,
)
MEASURED = Result(
    name="read-videos",
    path="Read",
    ours="ours",
    rival="theirs",
    unit="videos",
    clock="cpu",
    goal=Goal("ratio", 8.0),
    state="measured",
    units=1000.0,
    checked="everything exactly equal",
    work=Work(4e6, "memory copy", "1,000 videos x 4,000 B"),
    limit=8e9,
    rounds=Rounds(ours=(0.001, 0.002, 0.001), rival=(0.01, 0.02, 0.012)),
    notes=("in the page cache",),
)
ABSENT = Result(
    name="gpu-encode",
    path="GPU",
    ours="ours",
    rival="theirs",
    unit="videos",
    clock="wall",
    goal=Goal("share", 0.4),
    state="not measured",
    reason="no GPU",
)
REPORT = Report(MACHINE, False, "invented", {"memory copy": 8e9}, (MEASURED, ABSENT))

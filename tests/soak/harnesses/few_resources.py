"""Commands with little address space or few open files: done, or refused in one line."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.soak.children import Child, Ended
from tests.soak.counts import Counts, Until
from tests.soak.trials import Trials
from tests.soak.workspaces import live

PROMISES = ("R13", "R14")
_MEGABYTE = 1 << 20


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    trials = Trials(live(folder), random)
    while not until():
        step, kind = random.choice(trials.history.steps), random.choice(["RLIMIT_AS", "RLIMIT_NOFILE"])
        trials.begin(step)
        limit = _address_space(random) if kind == "RLIMIT_AS" else _open_files(random)
        ended = Child([*step.words, "--quiet"], trials.history.at, limit).wait()
        faults = _wrong(ended) + trials.finish(step)
        counts.tried("R13", f"{step.command}: {kind}", faults, f"{kind}: {' '.join(step.words)}")
    return counts


def _address_space(random: Random) -> Callable[[], None]:
    more = random.choice([0, 1, 4, 16, 64]) * _MEGABYTE

    def limit() -> None:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + more, held + more))

    return limit


def _open_files(random: Random) -> Callable[[], None]:
    more = random.randint(0, 8)

    def limit() -> None:
        most = max(map(int, os.listdir("/proc/self/fd"))) + more
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    return limit


def _wrong(ended: Ended) -> list[str]:
    return [] if ended.clean else [f"exit {ended.code}: {ended.last_line}"]

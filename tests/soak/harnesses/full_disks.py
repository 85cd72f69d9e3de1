"""Full, failing and read-only disks: tmpfs at eleven fill levels, limits of files, faults at any step."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.soak.children import Child, Ended
from tests.soak.counts import Counts, Until
from tests.soak.mounts import can_mount, mounted, remount
from tests.soak.trials import Trials
from tests.soak.workspaces import Step, live

PROMISES = ("R8", "R9")
_LEVELS = 11
_PAGE, _ROOM = 4096, 1 << 26


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    trials = Trials(live(folder), random)
    ways: dict[str, Callable[[Step], tuple[str, list[str]]]] = {
        "a file may not grow": lambda step: _small_files(trials, step),
        "a fault at a step of a commit": lambda step: _faults(trials, step),
    }
    reason = can_mount()
    if reason:
        counts.skipped["full tmpfs, read-only tmpfs"] = reason
    else:
        ways["full tmpfs"] = lambda step: _full(trials, step)
        ways["read-only tmpfs"] = lambda step: _read_only(trials, step)
    while not until():
        way, step = random.choice(sorted(ways)), random.choice(trials.history.steps)
        kind, faults = ways[way](step)
        promise = "R9" if "fault" in way else "R8"
        counts.tried(promise, f"{step.command}: {kind}", faults, f"{way}: {' '.join(step.words)}")
    return counts


def _small_files(trials: Trials, step: Step) -> tuple[str, list[str]]:
    most = trials.random.choice([0, 100, 1000, 5000, 20_000, 100_000, 400_000])

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    trials.begin(step)
    ended = Child([*step.words, "--quiet"], trials.history.at, limit).wait()
    return "RLIMIT_FSIZE", _wrong(ended) + trials.finish(step)


def _faults(trials: Trials, step: Step) -> tuple[str, list[str]]:
    kind = trials.random.choice(["enospc", "eio"])
    at, forever = trials.random.randint(1, 40), trials.random.choice(["", "+"])
    trials.begin(step)
    ended = Child(
        [*step.words, "--quiet"], trials.history.at, environment={"COMPRESS_FAULT": f"{kind}@{at}{forever}"}
    ).wait()
    # A fault may also hit what is only kept to save time, and then the command succeeds.
    return kind, _wrong(ended) + trials.finish(step)


def _full(trials: Trials, step: Step) -> tuple[str, list[str]]:
    level = trials.random.randrange(_LEVELS)
    trials.choose_readers(step)
    before, after = _pages(step.before), _pages(step.after)
    with mounted(trials.history.at, f"size={_ROOM}"):
        trials.put(step)
        room = before + max(0, after - before) * level // (_LEVELS - 1) + trials.random.randrange(4)
        with remount(trials.history.at, f"size={max(room, 1) * _PAGE}", f"size={_ROOM}"):
            ended = trials.start(step).wait()
        return f"tmpfs, level {level}", _wrong(ended) + trials.finish(step)


def _read_only(trials: Trials, step: Step) -> tuple[str, list[str]]:
    trials.choose_readers(step)
    with mounted(trials.history.at, f"size={_ROOM}"):
        trials.put(step)
        with remount(trials.history.at, "ro", "rw"):
            ended = trials.start(step).wait()
        return "read-only", _wrong(ended) + trials.finish(step)


def _wrong(ended: Ended) -> list[str]:
    if ended.code in (0, 74) and ended.clean:
        return []
    return [f"exit {ended.code}, 74 is expected: {ended.last_line}"]


def _pages(folder: Path) -> int:
    """Of a tmpfs: each file, folder and link takes whole pages."""
    sizes = [path.lstat().st_size for path in folder.rglob("*")]
    return sum(-(-size // _PAGE) for size in sizes)

"""Two writers of one thing and eight readers at once: one writes, the other is told; nobody sees a mix."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from random import Random

from tests.soak.children import Child, Ended
from tests.soak.counts import Counts, Until
from tests.soak.trials import Trials
from tests.soak.workspaces import Step, Words, answer_of, judge, live

PROMISES = ("R3", "R10")
_READERS = 8
_SUCCEEDED, _LOCKED = 0, 75


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    trials = Trials(live(folder), random)
    while not until():
        step = random.choice(trials.history.steps)
        faults = _round(trials, step)
        repeat = f"two writers, {_READERS} readers: {' '.join(step.words)}"
        counts.tried("R10", f"{step.command}: two writers, {_READERS} readers", faults, repeat)
        counts.trials["R3"] += step.command == "index"
        counts.kinds["reads while somebody wrote"] += _READERS
    return counts


def _round(trials: Trials, step: Step) -> list[str]:
    random, at = trials.random, trials.history.at
    chosen = trials.choose_readers(step, most=3)
    asked = [random.choice(sorted(chosen)) for _ in range(_READERS)]
    trials.put(step)
    writers = [trials.start(step)]
    time.sleep(random.uniform(0, step.seconds) * random.choice([0, 1]))
    writers.append(trials.start(step))
    reading: list[tuple[str, Child, Path]] = []
    for number, name in enumerate(asked):
        time.sleep(random.uniform(0, step.seconds / _READERS))
        to = at.with_name(f"read-{number}")
        shutil.rmtree(to, ignore_errors=True)
        words = [word.replace("../read", f"../{to.name}") for word in chosen[name][0]]
        reading.append((name, Child(_quiet(words), at), to))
    faults = [fault for writer in writers for fault in _wrong_end(writer.wait())]
    for name, child, to in reading:
        ended = child.wait()
        faults += judge(name, ended, answer_of(ended, to), chosen[name][1])
    if any("exit" in fault for fault in faults):
        return faults
    return faults + trials.rerun(step)


def _quiet(words: Words) -> Words:
    return words if "--json" in words else [*words, "--quiet"]


def _wrong_end(ended: Ended) -> list[str]:
    if ended.clean and ended.code in (_SUCCEEDED, _LOCKED):
        return []
    return [f"a writer: exit {ended.code}: {ended.last_line}"]

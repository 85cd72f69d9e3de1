"""Commands killed or stopped at random moments: SIGKILL, SIGTERM, SIGINT once and twice, SIGSTOP, SIGCONT."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from random import Random

from tests.soak.children import Child, Ended
from tests.soak.counts import Counts, Until
from tests.soak.trials import Trials
from tests.soak.workspaces import Step, live

PROMISES = ("R1", "R2", "R3", "R15", "R18")
_STRIKES = (
    "SIGKILL",
    "SIGKILL",
    "SIGKILL",
    "SIGTERM",
    "SIGINT",
    "SIGINT twice",
    "stopped, continued, SIGKILL",
)
_SECONDS_TO_STOP = 5.0


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    trials = Trials(live(folder), random)
    while not until():
        trial(trials, random, counts)
    return counts


def trial(trials: Trials, random: Random, counts: Counts) -> None:
    """One command, killed at least once, and what follows."""
    step, how = random.choice(trials.history.steps), random.choice(_STRIKES)
    trials.begin(step)
    faults: list[str] = []
    landed = 0
    while not landed or random.random() < 0.25:  # some are killed several times in a row
        child = trials.start(step)
        time.sleep(0.02 + step.seconds * random.uniform(0, 1.05))
        if child.poll():  # it was faster than this time
            child.wait()
            break
        faults += _strike(child, how, random)
        landed += 1
    if not landed:
        counts.kinds["ended before it was killed"] += 1
        return
    faults += trials.finish(step)
    what = " ".join(step.words)
    counts.tried(_promise(step, how), f"{step.command}: {how}", faults, what)
    counts.trials["R15"] += 1  # the bytes were compared with those of an undisturbed run
    counts.kinds["kills that landed"] += landed


def _promise(step: Step, how: str) -> str:
    return step.promise if "KILL" in how else "R18"


def _strike(child: Child, how: str, random: Random) -> list[str]:
    """Do it; what is wrong with how the command ended."""
    if how.startswith("stopped"):
        child.signal(signal.SIGSTOP)
        time.sleep(random.uniform(0, 0.05))
        child.signal(signal.SIGCONT)
        time.sleep(random.uniform(0, 0.05))
    if "KILL" in how:
        child.signal(signal.SIGKILL)
        child.wait()
        return []
    number, computed = signal.Signals[how.split()[0]], child.cpu_seconds()
    child.signal(number)
    if how.endswith("twice"):
        time.sleep(random.uniform(0, 0.02))
        child.signal(number)
    ended = child.wait()
    return wrong_end(ended, number, ended.cpu_seconds - computed)


def wrong_end(ended: Ended, number: signal.Signals, seconds: float) -> list[str]:
    """What is wrong with the end of a command that was asked to stop, and computed so many seconds since."""
    faults = []
    # 0: it had done its work already; the signal itself: it came before `run` began, or after it.
    if ended.code not in (0, 128 + number, -number):
        faults.append(f"exit {ended.code} after {number.name}: {ended.last_line}")
    if "Traceback" in ended.err and ended.code != -number:
        faults.append(f"a traceback after {number.name}")
    if seconds > _SECONDS_TO_STOP:
        faults.append(f"{seconds:.1f} s of work after {number.name}")
    return faults

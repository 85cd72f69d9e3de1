"""Power cuts: an ext4 in a file, which is shut down at a random moment without its log, and mounted again.

What a command that ended had written must be there; what a command was writing is old or new. What it had
removed may be back (a lock, an older index): nothing is lost by that, and the next command removes it again.
`test_power_cuts_lose_what_is_not_synced` shows that the same without fsync loses.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.soak.children import Child
from tests.soak.counts import Counts, Until
from tests.soak.mounts import can_mount, cut_power, make_disk, mounted
from tests.soak.trials import Trials
from tests.soak.workspaces import Step, live

PROMISES = ("R1", "R2", "R3")
_MEGABYTES = 48
# Without the mercy of ext4 to programs that rename and do not sync; the log is written rarely or often.
_OPTIONS = "loop,noauto_da_alloc,commit={}"


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    reason = can_mount("ext4")
    if reason:
        counts.skipped["power cuts on an ext4"] = reason
        return counts
    trials = Trials(live(folder), random)
    while not until():
        step = random.choice(trials.history.steps)
        at_the_end = random.random() < 0.4
        faults = cut(trials, step, at_the_end)
        when = "after it reported success" if at_the_end else "while it ran"
        counts.tried(step.promise, f"{step.command}: power cut {when}", faults, " ".join(step.words))
    return counts


def cut(trials: Trials, step: Step, at_the_end: bool, before: Callable[[], None] | None = None) -> list[str]:
    """One power cut, at a random moment of a command or right after its end; what is wrong then.

    Args:
        before: called in the process of the command, such as to take fsync away from it.
    """
    at, image = trials.history.at, trials.history.at.with_name("disk.image")
    trials.choose_readers(step)
    make_disk(image, _MEGABYTES)
    options = _OPTIONS.format(trials.random.choice([1, 5, 300]))
    with mounted(at, options, "ext4", str(image)):
        trials.put(step)
        os.sync()
        child = Child([*step.words, "--quiet"], at, before)
        if at_the_end:
            ended = child.wait()
            if ended.code != 0:
                return [f"undisturbed: exit {ended.code}: {ended.last_line}"]
        else:
            time.sleep(step.seconds * trials.random.uniform(0, 1))
        cut_power(at)
        child.signal(signal.SIGKILL)
        child.wait()
    with mounted(at, options, "ext4", str(image)):
        lost = [fault for fault in trials.compare(step) if at_the_end and not fault.startswith("left over")]
        return [f"lost, though reported done: {fault}" for fault in lost] + trials.finish(step)

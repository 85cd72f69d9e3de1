"""A collection whose writers are killed at random: a reader finds the old videos or the new ones, whole."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from random import Random

import numpy as np

from compress.collection import Collection
from compress.errors import CompressError
from tests.soak.children import Child
from tests.soak.counts import Counts, Until
from tests.soak.harnesses.kills import wrong_end

PROMISES = ("R1", "R18", "R22")
_DIM, _LONGEST = 8, 0.25
_WAYS = ("SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "undisturbed")
Videos = dict[str, np.ndarray]


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts, at = Counts(), folder / f"collection-{random.randrange(10**6)}"
    made = Child(["collection", "create", at, "--codec", "float32", "--quiet"], folder).wait()
    if made.code:
        counts.tried("R1", "create", [f"exit {made.code}: {made.last_line}"])
        return counts
    kept: Videos = {}
    ever: Videos = {}
    names = iter(range(10**9))
    while not until():
        fresh = [f"v{next(names):07d}-{random.randrange(10**9)}" for _ in range(20)]
        kept = _trial(random, at, kept, ever, fresh, counts)
    return counts


def _trial(
    random: Random, at: Path, before: Videos, ever: Videos, fresh: list[str], counts: Counts
) -> Videos:
    """One writer, perhaps killed; the videos that are there afterwards. `ever` are all that there were."""
    kind, words, after = _chosen(random, at, before, fresh)
    ever |= before
    how = random.choice(_WAYS)
    child = Child(["collection", kind.split()[0], at, *words, "--quiet"], at.parent)
    faults: list[str] = []
    if how == "undisturbed":
        if (ended := child.wait()).code:
            faults.append(f"exit {ended.code}: {ended.last_line}")
    else:
        time.sleep(random.uniform(0, _LONGEST))
        number, computed = signal.Signals[how], child.cpu_seconds()
        child.signal(number)
        ended = child.wait()
        if how != "SIGKILL":
            faults += wrong_end(ended, number, ended.cpu_seconds - computed)
    found, wrong = _read(at, before if ended.code else after, after)
    told = f"collection {kind}, {len(words)} words, of {len(before)} videos"
    promise = "R18" if how in ("SIGTERM", "SIGINT") else "R1"
    counts.tried(promise, f"collection {kind}: {how}", faults + wrong, told)
    if kind == "compact" and ended.code == 0:
        counts.tried("R22", "collection compact: done", traces(at, ever, found))
    return found


def _chosen(random: Random, at: Path, before: Videos, fresh: list[str]) -> tuple[str, list[str], Videos]:
    """A command, its words, and the videos after it."""
    kind = random.choice(["add", "add", "add --replace", "delete", "compact"])
    some = random.sample(sorted(before), min(len(before), random.randint(1, 9)))
    if kind == "compact":
        return kind, [], before
    if kind == "delete" and some:
        return kind, some, {name: row for name, row in before.items() if name not in some}
    new = fresh[: random.randint(1, len(fresh))] + (some if kind == "add --replace" else [])
    rows = np.random.default_rng(random.randrange(10**9)).standard_normal((len(new), _DIM), dtype=np.float32)
    path = at.parent / "new.npz"
    np.savez(path, ids=np.array(new), features=rows)
    more = ["--replace"] if kind == "add --replace" else []
    return kind if more else "add", [str(path), *more], before | dict(zip(new, rows, strict=True))


def _read(at: Path, before: Videos, after: Videos) -> tuple[Videos, list[str]]:
    """What a reader finds now, and what is wrong with it: it must be one of the two states, whole."""
    looked = Child(["collection", "verify", at, "--json"], at.parent).wait()
    faults = [] if looked.code == 0 else [f"verify: exit {looked.code}: {looked.last_line}"]
    try:
        collection = Collection.open(at)
        ids = collection.ids()
        found = dict(zip(ids, collection.embeddings(ids), strict=True)) if ids else {}
    except CompressError as error:
        return before, [*faults, f"a reader: {error}"]
    if not any(_same(found, state) for state in (before, after)):
        faults.append(f"neither the {len(before)} videos before nor the {len(after)} after, but {len(found)}")
    if found:
        name = min(found)
        near = collection.search(found[name], k=1)[0][0]
        if near.video_id not in found or near.score < 0.999:
            faults.append(f"{name} does not find itself, but {near.video_id} at {near.score}")
    return found, faults


def traces(at: Path, ever: Videos, found: Videos) -> list[str]:
    """Of which videos that are no longer there a file still holds the id or the numbers, in words."""
    files = b"".join(path.read_bytes() for path in at.iterdir())
    gone = {name: row for name, row in ever.items() if name not in found}
    return [
        f"traces of {name}" for name, row in gone.items() if name.encode() in files or row.tobytes() in files
    ]


def _same(found: Videos, state: Videos) -> bool:
    return found.keys() == state.keys() and all(np.array_equal(found[name], state[name]) for name in found)

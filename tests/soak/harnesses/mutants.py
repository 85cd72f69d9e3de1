"""Every file of a finished workspace, damaged: by accident (found, or nothing changes) and by a hostile hand.

A damaged file that makes a reader give another answer without an error is a loss, of R11. A re-sealed one may
change the answer (a checksum is no signature), but no file may crash the program, hang it or fill the memory.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.soak.children import Ended
from tests.soak.counts import Counts, Until
from tests.soak.damage import mutate, mutate_and_seal
from tests.soak.workspaces import Answer, History, Words, ask, copy, live, readers

PROMISES = ("R4", "R5", "R11", "R13")
_MOST_SECONDS, _MOST_BYTES = 10.0, 1 << 30
# What a person writes carries no checksum: there, a change means what it says.
_BY_HAND = (".toml", ".csv")


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    history = live(folder)
    copy(history.finished, history.at)
    known: dict[str, Answer] = {}
    targets = _targets(history.at)
    while not until():
        _trial(history, random, targets, known, counts)
    return counts


def _targets(at: Path) -> dict[str, list[str]]:
    """Files by kind, so that each kind gets its share."""
    found: dict[str, list[str]] = {}
    for path in sorted(at.rglob("*")):
        name = path.relative_to(at).as_posix()
        if path.is_file() and _reading(name, at):
            top = name.split("/")[0] if "/" in name else ""
            found.setdefault(
                f"{top}/*{path.suffix}" if path.name != "manifest.json" else f"{top}/manifest", []
            ).append(name)
    return found


def _reading(name: str, at: Path) -> list[Words]:
    """Commands that read a file of a workspace; none for what is only written (reports, labels)."""
    parts = name.split("/")
    every = readers(at)
    pages = [every["report"], every["select"]]
    if name == "compress.toml":
        return [every["report"], ["data", "inspect", "train*.tfrecord", "--json"]]
    if name == "vocabulary.csv":
        return [words for key, words in every.items() if key.startswith("search")]
    if parts[0] == "evaluation":
        return pages
    if parts[0] == "embeddings":
        store = parts[1].partition(".")[0]
        search = [[*words, "--verify"] for key, words in every.items() if key == f"search {store}"]
        return [*search, ["data", "inspect", "/".join(parts[:2]), "--json"]]
    if parts[0] == "runs" and (len(parts) == 3 or parts[2] == "model"):
        run = parts[1]
        encode = ["encode", "--name", run, "--output", "../read/x.h5"]
        return [["data", "inspect", f"runs/{run}", "--json"], encode]
    if name.endswith(".tfrecord"):
        return [["data", "inspect", name, "--json"]]
    return []


def _trial(
    history: History, random: Random, targets: dict[str, list[str]], known: dict[str, Answer], counts: Counts
) -> None:
    kind = random.choice(sorted(targets))
    name = random.choice(targets[kind])
    words = random.choice(_reading(name, history.at))
    key = " ".join(words)
    if key not in known:
        known[key] = ask(words, history.at)[1]
    path, seed = history.at / name, random.randrange(1 << 30)
    before = path.read_bytes()
    chance = Random(seed)
    sealed = mutate_and_seal(path, chance) if random.random() < 0.4 else ""
    how = sealed or mutate(path, chance)
    if not sealed and path.read_bytes() == before:
        return
    ended, answer = ask(words, history.at)
    faults = _faults(ended)
    promise = "R13"
    if not sealed and path.suffix not in _BY_HAND:
        promise = {"runs": "R4", "frames": "R5"}.get(name.split("/")[0], "R11")
        promise = "R5" if path.suffix == ".tfrecord" else promise
        counts.trials["R13"] += 1
        if ended.code == 0 and answer != known[key]:
            faults.append("another answer, and no error")
    repeat = f"{name} changed ({how}, Random({seed})), then compress {' '.join(words)}"
    counts.tried(promise, f"{kind}: {how}", faults, repeat)
    copy(history.finished, history.at)


def _faults(ended: Ended) -> list[str]:
    faults = [] if ended.clean else [f"exit {ended.code}: {ended.last_line}"]
    if ended.cpu_seconds > _MOST_SECONDS:
        faults.append(f"{ended.cpu_seconds:.0f} s of work")
    if ended.bytes > _MOST_BYTES:
        faults.append(f"{ended.bytes >> 20} MiB of memory")
    return faults

"""What a soak counts: for each promise how often it was tried, and every time that it did not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# The reliability goals of the project, in one line each.
PROMISES = {
    "R1": "A command that is killed loses nothing that was committed; run again, it ends in the same bytes",
    "R2": "A training that is killed goes on to the same bits",
    "R3": "Of an index that is built again, a reader sees the old one or the new one, never a mix",
    "R4": "A damaged or foreign checkpoint is never taken for a whole one",
    "R5": "A flipped bit or a cut in a shard is told with its file, byte and record",
    "R6": "After a damaged record, only what carries its own checksum is read; nothing is guessed",
    "R7": "Wrong values in a record (NaN, labels, sizes, ids) never reach a store, a loss or an index",
    "R8": "A full disk is one clear line and exit code 74; with space, the same command ends as usual",
    "R9": "An I/O error at any step of a commit: the same",
    "R10": "Two writers never mix; readers meanwhile see one complete state",
    "R11": "A changed bit in anything that is kept is found when it is read",
    "R12": "A hostile file runs no code, reads no other file, writes nowhere else",
    "R13": "A damaged or hostile file never crashes, hangs or fills the memory of the program",
    "R14": "Memory is bounded, whatever the number of videos",
    "R15": "The same inputs and seed give the same bytes",
    "R16": "An embedding does not depend on the videos beside it in a batch",
    "R17": "Metrics are those of their definitions",
    "R18": "Ctrl-C and SIGTERM stop within 5 seconds, and the same command goes on",
    "R19": "The service refuses what is hostile and stays up",
    "R20": "What earlier versions wrote is read; what later ones write is refused by name",
    "R21": "Nothing in the source can run code out of a file",
    "R22": "After `compress collection compact`, no file holds the id or the numbers of a deleted video",
}

Until = Callable[[], bool]
"""Asked between two trials: whether it is time to stop."""

_KEPT_LOSSES = 50


@dataclass
class Counts:
    """Trials and losses, by promise.

    Args:
        trials: how often each promise was tried.
        kinds: how often each kind of trial was made, such as "encode killed by SIGKILL".
        losses: every time that a promise did not hold (the first 50 in words).
        lost: the same as numbers.
        skipped: kinds of trials that this machine does not allow, and why.
    """

    trials: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    losses: list[dict[str, str]] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)

    def tried(self, promise: str, kind: str, faults: list[str], repeat: str = "") -> None:
        """Note one trial and what was wrong in it; `repeat` says how to see it again."""
        self.trials[promise] += 1
        self.kinds[kind] += 1
        if faults:
            self.lost[promise] += 1
            if len(self.losses) < _KEPT_LOSSES:
                what = "; ".join(faults)[:1000]
                self.losses.append({"promise": promise, "kind": kind, "what": what, "repeat": repeat})

    def add(self, other: Counts) -> None:
        """Take the counts of another soak as well."""
        for name in ("trials", "kinds", "lost"):
            getattr(self, name).update(getattr(other, name))
        self.losses += other.losses[: _KEPT_LOSSES - len(self.losses)]
        self.skipped.update(other.skipped)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        tables = {name: dict(sorted(getattr(self, name).items())) for name in ("trials", "lost", "kinds")}
        return {**tables, "losses": self.losses, "skipped": self.skipped}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Counts:
        """What `to_json` gave."""
        trials, kinds, lost = (Counter(value[name]) for name in ("trials", "kinds", "lost"))
        return cls(trials, kinds, list(value["losses"]), lost, dict(value["skipped"]))

"""The dated JSON of a soak: what was counted, for how long, of which commit, on which machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.soak.counts import PROMISES, Counts
from tests.soak.registry import HARNESSES

ROOT = Path(__file__).resolve().parents[2]
_COMMAND = "python -m tests.soak --only {} --turn {}"


@dataclass
class _Turns:
    turns: int
    seconds: float
    counts: Counts


class Account:
    """All turns of one day and commit; `open` goes on where an earlier call ended."""

    def __init__(self, path: Path, commit: str) -> None:
        self.path, self.commit = path, commit
        self._harnesses: dict[str, _Turns] = {}

    @classmethod
    def open(cls, folder: Path) -> Account:
        """The account of today at this commit in a folder; another commit gets another file."""
        commit, today = commit_here(), datetime.now(UTC).date().isoformat()
        account = cls(folder / f"{today}-{commit[:12]}.json", commit)
        if account.path.is_file():
            for name, value in json.loads(account.path.read_text(encoding="utf-8"))["harnesses"].items():
                turns = _Turns(value["turns"], value["seconds"], Counts.from_json(value))
                account._harnesses[name] = turns
        return account

    @property
    def seconds(self) -> float:
        """How long all turns took together."""
        return sum(each.seconds for each in self._harnesses.values())

    @property
    def lost(self) -> bool:
        """Whether any promise did not hold once."""
        return any(each.counts.lost for each in self._harnesses.values())

    def spent(self, name: str) -> float:
        """Seconds of one harness."""
        return self._harnesses[name].seconds if name in self._harnesses else 0.0

    def note(self, name: str, play: Callable[[int], Counts]) -> None:
        """Play one turn of a harness, and keep what it counted."""
        known = self._harnesses.setdefault(name, _Turns(0, 0.0, Counts()))
        known.turns += 1
        began = time.monotonic()
        counts = play(known.turns)
        for loss in counts.losses:
            loss["turn"] = _COMMAND.format(name, known.turns)
        known.counts.add(counts)
        known.seconds += time.monotonic() - began
        self._write()

    def line(self, name: str) -> str:
        """Where a harness stands."""
        each = self._harnesses[name]
        tried, lost = each.counts.trials.total(), each.counts.lost.total()
        return f"{name}: {tried} trials, {lost} lost, {each.seconds / 60:.1f} min"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each promise: what it says, how often it was tried and lost, and by which command."""
        rows = []
        for promise, says in PROMISES.items():
            by = [name for name, module in HARNESSES.items() if promise in module.PROMISES]
            known = [self._harnesses[name].counts for name in by if name in self._harnesses]
            row: dict[str, Any] = {"id": promise, "promise": says}
            row["trials"] = sum(counts.trials[promise] for counts in known)
            row["lost"] = sum(counts.lost[promise] for counts in known)
            row["commands"] = [f"python -m tests.soak --only {name}" for name in by]
            rows.append(row)
        return rows

    def table(self) -> str:
        """The rows as text."""
        return "\n".join(
            f"{row['id']:4}{row['trials']:9,}{row['lost']:6,} lost  {row['promise']}" for row in self.rows()
        )

    def _write(self) -> None:
        value = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": self.commit,
            "command": "make soak",
            "minutes": round(self.seconds / 60, 1),
            "machine": machine(),
            "promises": self.rows(),
            "harnesses": {
                name: {"turns": each.turns, "seconds": round(each.seconds, 1), **each.counts.to_json()}
                for name, each in sorted(self._harnesses.items())
            },
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        half = self.path.with_suffix(".json.tmp")
        half.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(half, self.path)


def commit_here() -> str:
    """The commit of this checkout; with -changed where files differ from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "HEAD") or "unknown")[:12] + ("-changed" if changed else "")


def machine() -> dict[str, Any]:
    """What it ran on."""
    import torch

    system = f"{platform.system()} {platform.release()}"
    return {
        "system": system,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }

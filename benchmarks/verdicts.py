"""`python -m benchmarks verdicts`: how often is a verdict right, where what is lost is known?

Videos are drawn anew for each repetition: features of a few classes and noise. Once nothing is lost (the
features are turned, which loses nothing), once about 5 points of GAP are lost (noise is added). The verdict
on 2,000 other videos should be "holds" or "within noise" where nothing is lost, and "falls short" where 5
points are.

A repetition takes about a minute, 100 of all sizes hours: with `--json` each is kept, and a second run goes
on.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arguments import Parser, positive
from benchmarks.table import columns
from compress.artifacts.atomic import write_bytes
from compress.errors import UsageError
from compress.evaluation.judge import Judgement, judge
from compress.evaluation.judges.names import judges_named
from compress.evaluation.verdicts import Verdict
from compress.evaluation.verdicts import judge as verdict_on

SIZES = (500, 2_000, 10_000)
TEST_VIDEOS, DIMS, CLASSES = 2_000, 24, 8
NOISE = {"nothing": 0.0, "5 points": 1.0}
"""Standard deviation of the noise that is added, by what it loses."""
RIGHT = {
    "nothing": {Verdict.HOLDS, Verdict.WITHIN_NOISE},
    "5 points": {Verdict.FALLS_SHORT},
}


def videos(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 (count, DIMS) and labels bool (count, CLASSES), at least one per video."""
    directions = np.random.default_rng(1).normal(size=(CLASSES, DIMS))
    draws = np.random.default_rng([2, seed])
    labels = draws.random((count, CLASSES)) < 0.15
    labels[np.arange(count), draws.integers(CLASSES, size=count)] = True
    features = labels @ directions + 1.5 * draws.normal(size=(count, DIMS))
    return features.astype(np.float32), labels


def repetition(size: int, seed: int, heads: Sequence[str]) -> dict[str, Any]:
    """The verdicts of one repetition by what is lost, with the changes of GAP that they are about."""
    begun = time.process_time()
    X, Y = videos(size, 2 * seed)
    X_test, Y_test = videos(TEST_VIDEOS, 2 * seed + 1)
    draws = np.random.default_rng([3, seed])
    turn = np.linalg.qr(draws.normal(size=(DIMS, DIMS)))[0]

    def judged(rows: np.ndarray, test: np.ndarray) -> Judgement:
        return judge(rows, Y, test, Y_test, heads=heads, seed=0, threads=1, device="cpu")

    before = judged(X, X_test)
    found: dict[str, Any] = {"videos": size, "seed": seed, "gap": before.gap.value}
    for lost, noise in NOISE.items():
        changed = [
            ((rows + noise * draws.normal(size=rows.shape)) @ turn).astype(np.float32) for rows in (X, X_test)
        ]
        after = judged(changed[0], changed[1])
        if before.converged and after.converged:
            change = after.minus(before).gap
            found[lost] = {"verdict": str(verdict_on(change)), "change": change.value}
        else:
            found[lost] = {"verdict": str(Verdict.NOT_CONVERGED), "change": None}
    return found | {"cpu_seconds": round(time.process_time() - begun, 1)}


def main(words: Sequence[str]) -> int:
    """Run the simulation; the exit code is 1 where fewer than 95 % are right."""
    parser = Parser(prog="python -m benchmarks verdicts", description=__doc__)
    parser.add_argument("--repetitions", type=positive, default=100)
    parser.add_argument("--sizes", type=positive, nargs="+", default=list(SIZES), help="training videos")
    parser.add_argument("--heads", nargs="*", default=[], help="judges to ask, none for all")
    parser.add_argument(
        "--json", type=Path, help="keeps each repetition; those that it has are not made again"
    )
    asked = parser.parse_args(words)
    heads = list(judges_named(asked.heads))
    kept = _kept(asked.json, heads)
    have = {(one["videos"], one["seed"]) for one in kept}
    for seed in range(asked.repetitions):
        for size in asked.sizes:
            if (size, seed) in have:
                continue
            kept.append(repetition(size, seed, heads))
            said = ", ".join(f"{lost} lost: {kept[-1][lost]['verdict']}" for lost in NOISE)
            print(f"{size:,} videos, repetition {seed + 1}: {said}", file=sys.stderr, flush=True)
            if asked.json:
                text = json.dumps({"heads": heads, "repetitions": kept}, indent=1)
                write_bytes(asked.json, f"{text}\n".encode())
    asked_for = [one for one in kept if one["videos"] in asked.sizes and one["seed"] < asked.repetitions]
    rows, good = _summary(asked_for, asked.sizes)
    print("\n".join(columns(rows)))
    return 0 if good else 1


def _kept(path: Path | None, heads: list[str]) -> list[dict[str, Any]]:
    """The repetitions of an earlier run; UsageError if it asked other judges."""
    if path is None or not path.exists():
        return []
    found = json.loads(path.read_text())
    if found["heads"] != heads:
        raise UsageError(
            f"it has verdicts of {', '.join(found['heads'])}", where=str(path), hint="name another file"
        )
    return list(found["repetitions"])


def _summary(kept: Sequence[dict[str, Any]], sizes: Sequence[int]) -> tuple[list[tuple[str, ...]], bool]:
    """A line of titles and one for each size and loss, and whether 95 % are right in each."""
    rows: list[tuple[str, ...]] = [("videos", "lost", "right", "mean change", "verdicts")]
    good = True
    for size in sizes:
        for lost, right in RIGHT.items():
            found = [one[lost] for one in kept if one["videos"] == size]
            counts = Counter(one["verdict"] for one in found)
            correct = sum(counts[verdict] for verdict in right)
            good &= correct >= 0.95 * len(found)
            changes = [one["change"] for one in found if one["change"] is not None]
            mean = f"{100 * float(np.mean(changes)):+.2f} points" if changes else ""
            said = ", ".join(f"{count} {name}" for name, count in counts.most_common())
            rows.append((f"{size:,}", lost, f"{correct} of {len(found)}", mean, said))
    return rows, good

"""`python -m benchmarks verdicts`: how often is a verdict right, where what is lost is known?

Videos are drawn anew for each repetition: features of a few classes and noise. Once nothing is lost (the
features are turned, which loses nothing), once about 5 points of GAP are lost (noise is added). The verdict
on 2,000 other videos should be "holds" or "within noise" where nothing is lost, and "falls short" where 5
points are.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.arguments import Parser, positive
from benchmarks.table import columns
from compress.artifacts.atomic import write_bytes
from compress.evaluation.judge import judge
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


def one(size: int, lost: str, seed: int, heads: Sequence[str]) -> tuple[Verdict, float]:
    """The verdict of one repetition, and the change of GAP that it is about."""
    X, Y = videos(size, 2 * seed)
    X_test, Y_test = videos(TEST_VIDEOS, 2 * seed + 1)
    draws = np.random.default_rng([3, seed])
    turn = np.linalg.qr(draws.normal(size=(DIMS, DIMS)))[0]
    changed = [
        ((rows + NOISE[lost] * draws.normal(size=rows.shape)) @ turn).astype(np.float32)
        for rows in (X, X_test)
    ]
    before = judge(X, Y, X_test, Y_test, heads=heads, seed=0, threads=1, device="cpu")
    after = judge(changed[0], Y, changed[1], Y_test, heads=heads, seed=0, threads=1, device="cpu")
    if not (before.converged and after.converged):
        return Verdict.NOT_COMPARED, float("nan")
    difference = after.minus(before).gap
    return verdict_on(difference), difference.value


def main(words: Sequence[str]) -> int:
    """Run the simulation; the exit code is 1 where fewer than 95 % are right."""
    parser = Parser(prog="python -m benchmarks verdicts", description=__doc__)
    parser.add_argument("--repetitions", type=positive, default=100)
    parser.add_argument("--sizes", type=positive, nargs="+", default=list(SIZES), help="training videos")
    parser.add_argument("--heads", nargs="*", default=[], help="judges to ask, none for all")
    parser.add_argument("--json", type=Path, help="where all verdicts are kept")
    asked = parser.parse_args(words)
    rows, kept, good = [], [], True
    for size in asked.sizes:
        for lost, right in RIGHT.items():
            begun = time.process_time()
            found = [one(size, lost, seed, asked.heads) for seed in range(asked.repetitions)]
            counts = Counter(str(verdict) for verdict, _ in found)
            share = sum(verdict in right for verdict, _ in found) / len(found)
            good &= share >= 0.95
            changes = [change for _, change in found]
            seconds = (time.process_time() - begun) / len(found)
            rows.append(
                (
                    f"{size:,}",
                    lost,
                    f"{100 * share:.0f} %",
                    f"{100 * float(np.nanmean(changes)):+.2f} points",
                    ", ".join(f"{count} {name}" for name, count in counts.most_common()),
                    f"{seconds:.0f} s",
                )
            )
            kept.append({"videos": size, "lost": lost, "right": share, "counts": counts, "changes": changes})
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    titles = ("videos", "lost", "right", "mean change", "verdicts", "CPU time each")
    print("\n".join(columns([titles, *rows])))
    if asked.json:
        write_bytes(asked.json, (json.dumps(kept, indent=1) + "\n").encode())
    return 0 if good else 1

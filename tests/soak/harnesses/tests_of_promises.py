"""Promises that a soak adds nothing to: the tests that hold them; each test is one trial."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

from tests.soak.counts import Counts, Until

ROOT = Path(__file__).resolve().parents[3]
TESTS = {
    "R7": ["tests/datasets/test_policy.py", "tests/datasets/test_examples.py", "tests/cli/test_bad_input.py"],
    "R12": ["tests/hostile", "tests/store/test_hostile.py", "tests/architecture/test_unsafe_primitives.py"],
    "R14": ["tests/encoding/test_memory.py", "tests/test_growing_array.py"],
    "R15": ["tests/encoding/test_workers.py", "tests/training/test_resume.py"],
    "R16": ["tests/encoders/test_every_encoder.py", "tests/encoders/test_every_frame_encoder.py"],
    "R17": ["tests/metrics"],
    "R19": ["-m", "", "tests/serve/test_requests.py"],
    "R20": ["tests/test_older_artifacts.py"],
    "R21": ["tests/architecture/test_unsafe_primitives.py"],
}
PROMISES = tuple(TESTS)
_OUTCOME = re.compile(r"(\d+) (passed|failed|error)")


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    for promise in random.sample(PROMISES, len(PROMISES)):
        if until():
            break
        _run_tests(promise, folder, counts)
    return counts


def _run_tests(promise: str, folder: Path, counts: Counts) -> None:
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "--basetemp",
        str(folder / "t"),
    ]
    # A test that makes stores must not meet the settings of the soak.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COMPRESS_")}
    ended = subprocess.run(
        [*words, *TESTS[promise]], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    outcome = {word: int(number) for number, word in _OUTCOME.findall(ended.stdout.strip().splitlines()[-1])}
    passed, failed = outcome.get("passed", 0), outcome.get("failed", 0) + outcome.get("error", 0)
    counts.trials[promise] += passed + failed
    counts.kinds[f"{promise}: tests passed"] += passed
    if failed or not passed:
        failures = re.findall(r"^(?:FAILED|ERROR) .*", ended.stdout, re.M)
        counts.lost[promise] += max(failed, 1)
        command = f"python -m pytest {' '.join(TESTS[promise])}"
        counts.losses.append(
            {"promise": promise, "kind": "tests", "what": "; ".join(failures)[:1000], "repeat": command}
        )

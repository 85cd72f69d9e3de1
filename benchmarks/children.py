"""One command in a process of its own: what it took, and how much memory at most."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from compress.errors import DataError

_LOOK_EVERY = 0.02  # seconds
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "COMPRESS_THREADS")


@dataclass(frozen=True)
class Used:
    """What a command used.

    Args:
        wall, cpu: seconds; cpu of all its threads and children.
        peak: bytes resident at most, with the pages of mapped files, which the system takes back when it
            needs them.
        anonymous: bytes at most that are no file's, seen by looking every 20 ms; 0 where the system does not
            tell (it is Linux that does).
        told: what it wrote on stderr.
        output: what it wrote on stdout.
    """

    wall: float
    cpu: float
    peak: int
    anonymous: int
    told: str
    output: str


def run(words: Sequence[str], *, project: Path, threads: int) -> Used:
    """Run a Python module or program text of a checkout, and wait for it.

    Args:
        words: what follows `python`, such as ("-m", "cli", "encode").
        project: the checkout whose packages are used; it is also the current folder.
        threads: what it may use; 0: as many as it likes.

    Raises:
        DataError: it failed; the last line it told says why.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told:
        started = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, *words], cwd=project, env=_environment(project, threads), stdout=out, stderr=told
        )
        anonymous = 0
        while True:
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
            if ended:
                break
            anonymous = max(anonymous, _anonymous_bytes(child.pid))
            time.sleep(_LOOK_EVERY)
        child.returncode = os.waitstatus_to_exitcode(status)  # wait4 has taken it from Popen
        wall = time.monotonic() - started
        texts = [_text(file) for file in (told, out)]
    if child.returncode:
        last = next(iter(reversed(texts[0].strip().splitlines())), f"exit code {child.returncode}")
        raise DataError(f"failed: {last}", where=" ".join(words)[:200])
    cpu = usage.ru_utime + usage.ru_stime
    return Used(wall, cpu, usage.ru_maxrss * _RSS_UNIT, anonymous, *texts)


def _environment(project: Path, threads: int) -> Mapping[str, str]:
    chosen = {**os.environ, "PYTHONPATH": str(project)}
    for name in THREADS:
        chosen.pop(name, None)
    return chosen | ({name: str(threads) for name in THREADS} if threads else {})


def _anonymous_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has just ended, or the system has no /proc
        return 0
    lines = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")

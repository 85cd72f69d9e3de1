"""Numbered fault points, so that a test can break every commit step in turn (SQLite's anomaly loops).

Inert unless the environment says `COMPRESS_FAULT=<kill|enospc|eio>@<k>`: the k-th commit step of the process
(from 1) then kills the process, or fails as a full or broken disk does. `enospc@3+` fails at step 3 and at
every later one.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from compress.errors import ConfigError

VARIABLE = "COMPRESS_FAULT"
_PLAN = re.compile(r"(kill|enospc|eio)@([1-9][0-9]*)(\+?)")
_ERRNO = {"enospc": errno.ENOSPC, "eio": errno.EIO}

_steps = 0
_logs: list[list[str]] = []


def armed() -> bool:
    """Whether a fault is asked for; writers then tear a write in two, so that a kill leaves half of it."""
    return VARIABLE in os.environ


def fault_point(name: str) -> None:
    """Count one commit step; die or fail here when COMPRESS_FAULT names this step.

    Args:
        name: what happens next ("write", "fsync", "rename", ...), for the log of a test.

    Raises:
        OSError: ENOSPC or EIO, as planned.
        ConfigError: COMPRESS_FAULT is not `<kill|enospc|eio>@<k>`.
    """
    global _steps
    _steps += 1
    for log in _logs:
        log.append(name)
    plan = os.environ.get(VARIABLE)
    if plan is not None:
        _fail_if_planned(plan, name)


def reset_steps() -> None:
    """Count from 1 again (a test that breaks several runs in one process)."""
    global _steps
    _steps = 0


@contextmanager
def recorded_steps() -> Iterator[list[str]]:
    """The names of the commit steps made inside the `with`, in order."""
    log: list[str] = []
    _logs.append(log)
    try:
        yield log
    finally:
        # By identity: two nested logs may hold equal names.
        _logs[:] = [other for other in _logs if other is not log]


def _fail_if_planned(plan: str, name: str) -> None:
    match = _PLAN.fullmatch(plan)
    if match is None:
        raise ConfigError(f"{VARIABLE}={plan!r} is not <kill|enospc|eio>@<k>", hint=f"unset {VARIABLE}")
    kind, step, forever = match[1], int(match[2]), bool(match[3])
    if _steps != step and not (forever and _steps > step):
        return
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(_ERRNO[kind], f"{os.strerror(_ERRNO[kind])} (injected at step {_steps}, {name})")

"""Run a function in a forked child under COMPRESS_FAULT, so that a kill takes the child and not the test."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from typing import TypeVar

from compress.artifacts.disk import FAULT_VARIABLE, reset_steps
from compress.errors import CompressError, NotFoundError

KILLED, SUCCEEDED, CRASHED = -signal.SIGKILL, 0, 1


Found = TypeVar("Found")


def complete_or_none(read: Callable[[], Found]) -> Found | None:
    """What a reader finds between a kill and the rerun: something complete, or a clear "not there yet"."""
    try:
        return read()
    except NotFoundError:
        return None


def run_under_fault(work: Callable[[], object], fault: str | None = None) -> int:
    """The exit code of the child: 0, that of a CompressError, 1 for any other exception, -9 when killed."""
    child = os.fork()
    if child == 0:
        code = CRASHED
        try:
            code = _run(work, fault)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run(work: Callable[[], object], fault: str | None) -> int:
    reset_steps()
    if fault is not None:
        os.environ[FAULT_VARIABLE] = fault
    try:
        work()
    except CompressError as error:
        return error.exit_code
    return SUCCEEDED

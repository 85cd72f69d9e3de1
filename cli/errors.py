"""What went wrong, in one line and one exit code; no traceback unless COMPRESS_DEBUG is set.

compress/errors.py lists the exit codes of our own errors. Besides, 2 is a command line that cannot be read,
130 Ctrl-C, 141 a reader that went away (`compress ... | head`), 70 a bug of ours.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from cli.session import as_json, say
from cli.typed import advice
from compress.errors import (
    NO_MEMORY,
    CompressError,
    ConfigError,
    CorruptShardError,
    StorageError,
    UnavailableError,
    UsageError,
    lacks_memory,
    told_in_options,
)
from compress.foreign_text import visible

BROKEN_PIPE = 141


@dataclass(frozen=True)
class Failure:
    """How an exception ends the program: its line, its exit code, and its facts for --json."""

    line: str
    exit_code: int
    facts: dict[str, Any]


class InternalError(CompressError):
    """A bug of ours: an exception that nobody raised on purpose."""


class _Stopped(CompressError):
    exit_code = 130


def failure(error: BaseException) -> Failure:
    """What to say about any exception."""
    ours = _ours(error)
    facts: dict[str, Any] = {
        "kind": type(ours).__name__,
        "what": ours.what,
        "where": ours.where,
        "hint": ours.hint,
    }
    facts["exit_code"] = ours.exit_code
    if isinstance(ours, CorruptShardError):
        facts |= {"path": str(ours.path), "offset": ours.offset, "record": ours.record}
    with told_in_options():
        line = f"error: {_one_line(str(ours))}"
    if isinstance(ours, InternalError):
        line = f"internal {line} (set COMPRESS_DEBUG=1 for the traceback)"
    return Failure(line, ours.exit_code, facts)


def tell(error: BaseException, *, in_json: bool) -> int:
    """Print what `failure` says, on stderr and with --json also on stdout; returns the exit code."""
    if isinstance(error, BrokenPipeError):
        # Python flushes stdout at exit, which would complain once more: let it flush into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    said = failure(error)
    if os.environ.get("COMPRESS_DEBUG"):
        traceback.print_exception(error)
    if in_json:
        with suppress(OSError):  # stdout may be what failed
            say(as_json({"error": said.facts}))
    with suppress(OSError):  # stderr may be a file on a full disk; the exit code still says what happened
        print(said.line, file=sys.stderr, flush=True)
    return said.exit_code


def _ours(error: BaseException) -> CompressError:
    if isinstance(error, CompressError):
        return error
    if isinstance(error, click.ClickException):
        return _from_click(error)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return _Stopped("stopped")
    if isinstance(error, OSError) and error.strerror:
        return StorageError(error.strerror, where=str(error.filename or ""))
    if lacks_memory(error):
        return UnavailableError(NO_MEMORY)
    return InternalError(_one_line(f"{type(error).__name__}: {error}"))


def _from_click(error: click.ClickException) -> CompressError:
    message = error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = message[:1].lower() + message[1:]
    if context is None:
        return UsageError(message)
    name = error.param.name if isinstance(error, click.BadParameter) and error.param else None
    if name and context.get_parameter_source(name) is ParameterSource.ENVIRONMENT:
        return ConfigError(message)
    help = f"see `{context.command_path} --help`"
    said = advice(error, context) if isinstance(error, click.UsageError) else ""
    return UsageError(message, hint=f"{said}; {help}" if said else help)


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))

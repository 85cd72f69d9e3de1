"""What ends one item of a long list and not the others, and what is told of it."""

from __future__ import annotations

from compress.errors import CompressError

ITEM_FAILURES = (CompressError, OSError, RuntimeError, MemoryError)
"""Errors of ours, and a machine's (torch without GPU memory is a RuntimeError). Anything else is a mistake in
the code, and ends the run."""


def reason_and_exit_code(error: Exception) -> tuple[str, int]:
    """One line about an exception, and its exit code; one that is not ours is named."""
    if isinstance(error, CompressError):
        return str(error), error.exit_code
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}", CompressError.exit_code

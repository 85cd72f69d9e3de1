"""A row of a table that cannot be made, and why."""

from __future__ import annotations

from dataclasses import dataclass

from compress.errors import CompressError


@dataclass(frozen=True)
class FailedRow:
    """The row's run, why it failed in one line, and the exit code of that error."""

    run: str
    reason: str
    exit_code: int


def failed_row(run: str, error: Exception) -> FailedRow:
    """What to say about an exception; one that is not ours is named."""
    if isinstance(error, CompressError):
        return FailedRow(run, str(error), error.exit_code)
    first = next(iter(str(error).splitlines()), "")
    return FailedRow(run, f"{type(error).__name__}: {first}", CompressError.exit_code)

"""What can go wrong, as one small tree; the CLI turns each class into one line and one exit code::

    CompressError                 70  (base; never raised itself)
    ├── UsageError                 2  options that do not fit together, or lack what they need
    │   ├── OutOfRangeError        2  a row that does not exist
    │   └── UnknownNameError       2  a name that a mapping does not hold
    ├── DataError                 65  what was read is not what it claims to be
    │   ├── CorruptShardError     65  a checksum of a shard does not match, or the shard ends early
    │   ├── CorruptArtifactError  65  a checksum of a store, checkpoint or index does not match
    │   │   └── MarkedStoreError  65  a store that another program opened for writing, otherwise whole
    │   ├── NewerVersionError     65  written by a newer version of compress
    │   ├── RecordError           67  a record holds NaN, wrong dims, bad labels, a bad id
    │   └── SchemaError           68  data and model, or two inputs, do not fit together
    ├── NotFoundError             66  no such file, pattern, run, store, index or video id
    ├── DivergedError             71  training produced numbers that are not finite
    ├── UnconfirmedError          72  nothing that was measured was shown to keep a promise
    ├── UnavailableError          69  this machine lacks something that was asked for (a GPU, a package)
    ├── StorageError              74  the disk refused: full, read-only, I/O error
    ├── LockedError               75  another process is writing the same artifact, or has it open for that
    ├── ConfigError               78  compress.toml or an environment variable is wrong
    └── Interrupted          130/143  Ctrl-C or SIGTERM; everything done so far is kept and resumable

A message says what happened, where (file, record, byte offset) and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Reader:
    types_options = False


@contextmanager
def told_in_options() -> Iterator[None]:
    """Within, errors name options of the command line; elsewhere the arguments of Python that do the same."""
    before, _Reader.types_options = _Reader.types_options, True
    try:
        yield
    finally:
        _Reader.types_options = before


# Options that functions of `import compress` have as arguments, as they are written in Python.
_ARGUMENTS = {
    "any-dim": "any_dim=True",
    "device": 'device="{}"',
    "factory": 'factory="{}"',
    "metric": 'metric="{}"',
    "nested": "nested_dims=({},)",
    "on-codes": "on_codes=True",
    "set": "{}",
}
_OPTION = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)(?![\w-])(?: ([\w.=]+))?")


def in_python(text: str) -> str:
    """A message in which options are the arguments of a call, where there are such; not in `commands`.

    Example:
        >>> in_python("use --device cpu, or cut it with --any-dim")
        'use device="cpu", or cut it with any_dim=True'
    """

    def argument(option: re.Match[str]) -> str:
        form, value = _ARGUMENTS.get(option[1]), option[2]
        if form is None or ("{}" in form and value is None):
            return option[0]
        after = f" {value}" if value and "{}" not in form else ""
        return form.format(value) + after

    parts = text.split("`")
    return "`".join(part if at % 2 else _OPTION.sub(argument, part) for at, part in enumerate(parts))


class CompressError(Exception):
    """Base of every error this project raises on purpose.

    Args:
        what: what happened, one clause, no full stop.
        where: file, record, offset or option it happened at; empty when there is no place.
        hint: what the user can do about it; empty when there is nothing.
    """

    exit_code = 70

    def __init__(self, what: str, *, where: str | Path = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, str(where), hint
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        text = f"{place}{self.what}{hint}"
        return text if _Reader.types_options else in_python(text)


class UsageError(CompressError):
    exit_code = 2


class OutOfRangeError(UsageError, IndexError):
    pass


class UnknownNameError(UsageError, KeyError):
    pass


class DataError(CompressError):
    exit_code = 65


class CorruptShardError(DataError):
    """A shard fails its CRC or ends early. `offset` is the byte at which the bad record starts."""

    def __init__(
        self, what: str, *, where: str | Path = "", offset: int, record: int, hint: str = ""
    ) -> None:
        self.path, self.offset, self.record = Path(where), offset, record
        super().__init__(what, where=f"{where}: record {record} at byte {offset}", hint=hint)


class CorruptArtifactError(DataError):
    pass


class NewerVersionError(DataError):
    pass


class MarkedStoreError(CorruptArtifactError):
    pass


class RecordError(DataError):
    exit_code = 67


class SchemaError(DataError):
    exit_code = 68


class NotFoundError(CompressError):
    exit_code = 66


class DivergedError(CompressError):
    exit_code = 71


class UnconfirmedError(CompressError):
    """Not raised, as nothing went wrong: a command that shows what came out ends with its exit code."""

    exit_code = 72


class UnavailableError(CompressError):
    exit_code = 69


class StorageError(CompressError):
    exit_code = 74


class LockedError(CompressError):
    exit_code = 75


class ConfigError(CompressError):
    exit_code = 78


class Interrupted(CompressError):
    """Raised at a safe point after SIGINT (exit code 130) or SIGTERM (143)."""

    def __init__(self, what: str, *, signal_number: int = 2, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.exit_code = 128 + signal_number


ITEM_FAILURES = (CompressError, OSError, RuntimeError, MemoryError)
"""What ends one item of a long list and not the others: our errors, and a machine's (torch without GPU memory
raises RuntimeError). Anything else is a mistake in the code, and ends the whole."""


NO_MEMORY = "this machine has not enough memory for that"


def lacks_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's own error, or what torch and FAISS raise in its place."""
    text = str(error) if isinstance(error, RuntimeError) else ""
    return isinstance(error, MemoryError) or any(words in text for words in _OUT_OF_MEMORY)


_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "bad_alloc")  # torch on a CPU, on a GPU; FAISS


def reason_and_exit_code(error: Exception) -> tuple[str, int]:
    """One line about an exception, and its exit code; one that is not ours is named."""
    if isinstance(error, CompressError):
        return str(error), error.exit_code
    if lacks_memory(error):
        return NO_MEMORY, UnavailableError.exit_code
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}", CompressError.exit_code

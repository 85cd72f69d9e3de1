"""The guard at each library's door: what is the file's fault, and what is not."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from compress.doors.guard import each_guarded, guarded
from compress.errors import CorruptArtifactError, DataError, NotFoundError, UnavailableError


class PanicException(BaseException):
    """As a library in Rust raises it."""


@pytest.mark.parametrize(
    "raised",
    [
        KeyError("a"),
        RecursionError("deep"),
        AssertionError(),
        OSError(errno.EINVAL, "seek"),
        PanicException("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_library_raises_is_one_line_about_the_file(raised: BaseException):
    with (
        pytest.raises(DataError, match=r"f\.bin: is damaged or not a table \(") as caught,
        guarded("f.bin", "a table"),
    ):
        raise raised
    assert (caught.value.exit_code, "\n" in str(caught.value)) == (65, False)


@pytest.mark.parametrize(
    "raised",
    [KeyboardInterrupt(), SystemExit(1), NotFoundError("gone"), OSError(errno.EIO, "bad disk")],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_the_files_fault_passes(raised: BaseException):
    with pytest.raises(type(raised)), guarded("f.bin", "a table"):
        raise raised


def test_memory_that_a_file_claims_is_told_from_that_of_the_machine(tmp_path: Path):
    path = tmp_path / "f.arrow"
    path.write_bytes(b"small")
    with pytest.raises(DataError, match="claims 99,999,999,999 bytes"), guarded(path, "a table"):
        raise MemoryError("malloc of size 99999999999 failed")
    with pytest.raises(UnavailableError, match="not enough memory"), guarded(path, "a table"):
        raise MemoryError


def test_the_error_may_be_that_of_an_artifact_and_have_a_hint():
    found = guarded("f", "a table", error=CorruptArtifactError, hint="make it again")
    with pytest.raises(CorruptArtifactError, match="make it again"), found:
        raise ValueError("x" * 1000)


def test_an_iterator_is_guarded_at_each_step():
    def numbers():
        yield 1
        raise IndexError("9")

    found = each_guarded("f", "a table", numbers)
    assert next(found) == 1
    with pytest.raises(DataError, match="9"):
        next(found)

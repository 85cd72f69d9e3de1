"""HDF5 files of others, read in a process of their own (`compress.doors.hdf5_child`).

HDF5 does not come to an end with some damaged files and crashes on others; it then answers no signal. So a
process with limits reads the structure of a file, and whatever has to be unpacked. Numbers that lie in the
file as they are in memory are read from the file itself. One process serves all files; it starts with the
first and ends with this program.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts import disk
from compress.doors.claims import check_at_once, check_claim
from compress.errors import DataError, LockedError, UnavailableError
from compress.progress import check_interrupt

_CHILD = Path(__file__).with_name("hdf5_child.py")
_PIPE_BYTES, _PIPE_SIZE = 1 << 20, 1031  # F_SETPIPE_SZ of Linux
_SECONDS_BETWEEN_LOOKS = 0.2
_LONGEST_LINE = 1 << 28

ReadRows = Callable[[str, int, int], np.ndarray]


@dataclass(frozen=True)
class Dataset:
    """A dataset of a file.

    Args:
        shape: of its array.
        dtype: numpy's; object for texts of any length. None: it cannot be read.
        words: its type for people, or why it cannot be read.
        is_text: it holds texts.
        chunk: bytes of a chunk; 0 where there are none.
        offset: where the numbers lie in the file as they are in memory; None where HDF5 has to read them.
    """

    shape: tuple[int, ...]
    dtype: np.dtype | None
    words: str
    is_text: bool = False
    chunk: int = 0
    offset: int | None = None

    @property
    def row_bytes(self) -> int:
        """Bytes of one row, or of the value where there are no axes."""
        size = self.dtype.itemsize if self.dtype else 0
        return size * int(np.prod(self.shape[1:], dtype=object))

    @property
    def bytes(self) -> int:
        """Bytes of all rows."""
        return self.row_bytes * (self.shape[0] if self.shape else 1)


@contextmanager
def opened_hdf5(path: Path) -> Iterator[tuple[Mapping[str, Dataset], ReadRows]]:
    """Open a file: its datasets by their paths, and a function (path, first row, row after the last) -> rows.

    Of a dataset without axes, the function gives the value whatever rows are asked for.

    Raises:
        DataError: damaged, not an HDF5 file, or it claims what it cannot hold; by the function as well.
        LockedError: another process has it open for writing.
        NotFoundError, StorageError: it cannot be read.
        UnavailableError: the process cannot be started.
    """
    with disk.reading(path), path.open("rb") as file:
        facts = os.fstat(file.fileno())
        opened = _Opened(path, file.fileno(), facts)
        try:
            yield opened.datasets, opened.read
        finally:
            opened.close()


class _Opened:
    """One file in the process, which another one may have to open again after a crash."""

    _numbers = itertools.count()

    def __init__(self, path: Path, descriptor: int, facts: os.stat_result) -> None:
        self._path, self._descriptor, self._facts = path, descriptor, facts
        self._number, self._reader = next(self._numbers), _reader()
        self.datasets = self._open()

    def read(self, name: str, start: int, stop: int) -> np.ndarray:
        found = self.datasets[name]
        if found.dtype is None:
            raise DataError(f"'{name}' holds {found.words}, which cannot be read", where=self._path)
        rows = (stop - start) if found.shape else 1
        check_at_once(self._path, f"'{name}'", rows * found.row_bytes, self._facts.st_size)
        if found.offset is not None:
            return self._from_file(found, found.offset, start, rows)
        if self._reader is not _reader():
            self._reader = _reader()
            self._open()
        head, pieces = self._reader.ask(self._path, ["read", self._number, name, start, stop])
        expected = [rows, *found.shape[1:]] if found.shape else []
        try:
            array = _array(head, pieces)
            fits = list(array.shape) == expected
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            raise DataError(f"is damaged: '{name}' is not what it was", where=self._path)
        return array

    def close(self) -> None:
        if self._reader.is_alive:
            self._reader.ask(self._path, ["close", self._number])

    def _open(self) -> dict[str, Dataset]:
        head, _ = self._reader.ask(self._path, ["open", self._number, str(self._path.absolute())])
        if head["inode"] != [self._facts.st_dev, self._facts.st_ino]:
            raise DataError("was replaced while it was opened", where=self._path, hint="try again")
        found = {each["name"]: _dataset(each) for each in head["datasets"]}
        for name, dataset in found.items():
            check_claim(self._path, f"'{name}'", max(dataset.bytes, dataset.chunk), self._facts.st_size)
            if dataset.offset is not None and dataset.offset + dataset.bytes > self._facts.st_size:
                raise DataError(f"is damaged: '{name}' lies behind its end", where=self._path)
        return found

    def _from_file(self, found: Dataset, offset: int, start: int, rows: int) -> np.ndarray:
        array = np.empty((rows, *found.shape[1:]) if found.shape else (), dtype=found.dtype)
        view, at = memoryview(array.reshape(-1).view(np.uint8).data), offset + start * found.row_bytes
        while len(view):
            read = os.preadv(self._descriptor, [view], at)
            if not read:
                raise DataError("was cut off while it was read", where=self._path)
            view, at = view[read:], at + read
        return array


def _dataset(facts: Mapping[str, Any]) -> Dataset:
    shape = tuple(facts["shape"])
    if "unread" in facts:
        return Dataset(shape, None, facts["unread"])
    dtype = np.dtype(facts["dtype"])
    return Dataset(shape, dtype, facts["words"], facts["text"], facts["chunk"], facts["offset"])


def _array(head: Mapping[str, Any], pieces: list[bytearray]) -> np.ndarray:
    if "texts" not in head:
        return np.frombuffer(pieces[0], dtype=np.dtype(head["dtype"])).reshape(head["shape"])
    lengths, data = np.frombuffer(pieces[0], dtype="<i8"), bytes(pieces[1])
    ends = np.cumsum(lengths).tolist()
    texts = np.empty(len(ends), dtype=object)
    texts[:] = [data[start:stop] for start, stop in zip([0, *ends[:-1]], ends, strict=True)]
    return texts.reshape(head["shape"])


class _Reader:
    """The process, which answers one request after the other."""

    def __init__(self) -> None:
        # The same h5py as here, from whatever folder it comes.
        folders = os.pathsep.join(folder for folder in sys.path if folder)
        quiet = {"HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **quiet, "PYTHONPATH": folders},
            bufsize=0,
        )
        self._lock, self._waiting = threading.Lock(), bytearray()
        self.pid, self.is_alive = os.getpid(), True
        with suppress(OSError):  # pipes of this size are Linux's
            fcntl.fcntl(self._answers, _PIPE_SIZE, _PIPE_BYTES)
        try:
            self._line()
        except EOFError:
            what = f"the process that reads HDF5 did not start (exit code {self._process.returncode})"
            raise UnavailableError(what, hint="`compress doctor` says whether h5py is sound") from None

    @property
    def _answers(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def ask(self, path: Path, request: list[Any]) -> tuple[dict[str, Any], list[bytearray]]:
        """The answer to a request about a file, and the bytes behind it."""
        with self._lock:
            try:
                assert self._process.stdin is not None
                with suppress(BrokenPipeError):
                    self._process.stdin.write(json.dumps(request).encode() + b"\n")
                head = self._line()
                pieces = [self._bytes(size) for size in head.get("sizes", ())]
            except EOFError:
                raise DataError(self._why_ended(), where=path) from None
            except BaseException:  # the rest of the answer is still to come: nobody can be told it
                self.stop()
                raise
        if head.get("locked"):
            what = "is in use: another process has it open for writing"
            raise LockedError(what, where=path, hint="close it there, or wait until it is written")
        if "error" in head:
            if head.get("errno") in (errno.ENOENT, errno.EACCES, errno.EIO, errno.EPERM):
                raise OSError(head["errno"], os.strerror(head["errno"]), str(path))
            what = " ".join(str(head["error"]).split())
            raise DataError(f"is damaged or not an HDF5 file ({what})", where=path)
        return head, pieces

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.is_alive = False
        if self.pid == os.getpid():
            self._process.kill()
            self._process.communicate()

    def _line(self) -> dict[str, Any]:
        while b"\n" not in self._waiting:
            if len(self._waiting) > _LONGEST_LINE:
                raise EOFError
            self._waiting += self._some(_PIPE_BYTES)
        line, _, self._waiting = self._waiting.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _bytes(self, size: int) -> bytearray:
        data = bytearray(size)
        view, taken = memoryview(data), min(size, len(self._waiting))
        view[:taken] = self._waiting[:taken]
        self._waiting = self._waiting[taken:]
        while taken < size:
            self._wait()
            read = os.readv(self._answers, [view[taken:]])
            if not read:
                self._ended()
            taken += read
        return data

    def _some(self, most: int) -> bytes:
        self._wait()
        data = os.read(self._answers, most)
        if not data:
            self._ended()
        return data

    def _wait(self) -> None:
        while not select.select([self._answers], [], [], _SECONDS_BETWEEN_LOOKS)[0]:
            check_interrupt()

    def _ended(self) -> None:
        self.is_alive = False
        self._process.communicate()
        raise EOFError

    def _why_ended(self) -> str:
        code = self._process.returncode
        if code == -signal.SIGXCPU:
            return "is damaged: HDF5 does not come to an end with it"
        return f"is damaged: HDF5 crashes on it (exit code {code})"


class _Shared:
    lock = threading.Lock()
    reader: _Reader | None = None


def _reader() -> _Reader:
    """The process of this program; a new one where there is none, or it ended, or this program was forked."""
    with _Shared.lock:
        found = _Shared.reader
        if found is None or not found.is_alive or found.pid != os.getpid():
            found = _Shared.reader = _Reader()
        return found


@atexit.register
def stop_reader() -> None:
    """End the process, if there is one."""
    if _Shared.reader is not None and _Shared.reader.is_alive:
        _Shared.reader.stop()

"""The process that reads HDF5 files of others; `compress.doors.hdf5` starts it, as a program of its own.

HDF5 may not come to an end with a damaged file, or crash on it. Here that ends this process only: every step
has a limit of its own for the processor's time and for memory. Requests and answers are lines of JSON, with
raw bytes behind an answer; nothing is unpickled on the other side. It needs h5py and numpy, nothing of ours.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import h5py
import numpy as np

# deflate, shuffle, fletcher32, szip, nbit, scaleoffset and h5py's lzf; others would load a plugin.
FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000})
STEP_SECONDS, BYTES_PER_SECOND = 2, 20_000_000
STEP_BYTES = 512 << 20
_DATASETS_OPEN = 64
Answer = tuple[dict[str, Any], list[bytes | memoryview]]


class Files:
    """The files that are open, by a number that the other side chose."""

    def __init__(self) -> None:
        self._files: dict[int, h5py.File] = {}
        self._datasets: dict[tuple[int, str], h5py.Dataset] = {}

    def open(self, number: int, path: str) -> Answer:
        """Open a file; the answer says which file it is, and lists its datasets."""
        limit_step(0)
        file = h5py.File(path, "r")
        self._files[number] = file
        facts = os.stat(path)
        found = list(_datasets(file, "", {_address(file)}))
        return {"inode": [facts.st_dev, facts.st_ino], "datasets": found}, []

    def close(self, number: int) -> Answer:
        """Close a file, if it is open."""
        limit_step(0)
        self._datasets = {key: found for key, found in self._datasets.items() if key[0] != number}
        if number in self._files:
            self._files.pop(number).close()
        return {}, []

    def read(self, number: int, name: str, start: int, stop: int) -> Answer:
        """The rows [start, stop) of a dataset; one without axes whole."""
        if len(self._datasets) > _DATASETS_OPEN:
            self._datasets.clear()
        found = self._datasets.setdefault((number, name), self._files[number][name])
        limit_step(_touched(found, start, stop))
        rows = found[start:stop] if found.shape else found[()]
        if h5py.check_string_dtype(found.dtype) is None or found.dtype.kind != "O":
            array = np.ascontiguousarray(rows)
            return {"dtype": array.dtype.str, "shape": np.shape(rows)}, [array.reshape(-1).view("u1").data]
        texts = [np.asarray(text).item() for text in np.asarray(rows, dtype=object).reshape(-1)]
        texts = [text if isinstance(text, bytes) else str(text).encode() for text in texts]
        lengths = np.array([len(text) for text in texts], dtype="<i8")
        return {"texts": len(texts), "shape": np.shape(rows)}, [lengths.data, b"".join(texts)]


def _datasets(group: h5py.Group, prefix: str, seen: set[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    """Every dataset of a group; a link is not followed, as it may lead into another file."""
    for name in group:
        limit_step(0)
        path = prefix + name
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            yield _unread(path, "a link; copy the data into the file")
            continue
        found = group[name]
        if isinstance(found, h5py.Group) and _address(found) in seen:
            yield _unread(path, "a group that has another name, too")
        elif isinstance(found, h5py.Group) and not len(found):
            yield _unread(path, "an empty group")
        elif isinstance(found, h5py.Group):
            seen.add(_address(found))
            yield from _datasets(found, f"{path}/", seen)
        elif isinstance(found, h5py.Dataset):
            yield _described(path, found)


def _address(group: h5py.Group) -> tuple[int, int]:
    facts = h5py.h5o.get_info(group.id)
    return int(facts.fileno), int(facts.addr)


def _described(path: str, found: h5py.Dataset) -> dict[str, Any]:
    # Creation properties first: asking for the shape of a virtual dataset makes HDF5 open other files.
    properties = found.id.get_create_plist()
    if properties.get_external_count() or properties.get_layout() == h5py.h5d.VIRTUAL:
        return _unread(path, "data in other files; copy them into the file;")
    if found.shape is None:
        return _unread(path, "empty")
    shape = [int(size) for size in found.shape]
    filters = {properties.get_filter(number)[0] for number in range(properties.get_nfilters())}
    if not filters <= FILTERS:
        plugin = min(filters - FILTERS)
        return _unread(path, f"compressed by a plugin (filter {plugin}); compress with gzip or lzf;", shape)
    try:
        is_text = h5py.check_string_dtype(found.dtype) is not None
    except TypeError as error:
        return _unread(path, str(error), shape)
    if found.dtype.kind == "O" and not is_text:
        return _unread(path, str(found.dtype), shape)
    chunk = int(np.prod(found.chunks, dtype=object)) * found.dtype.itemsize if found.chunks else 0
    facts: dict[str, Any] = {"name": path, "shape": shape, "dtype": found.dtype.str, "chunk": chunk}
    return {**facts, "text": is_text, "words": str(found.dtype), "offset": _offset(found)}


def _unread(path: str, why: str, shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": path, "unread": why, "shape": shape or []}


def _offset(found: h5py.Dataset) -> int | None:
    """Where the numbers are, if they lie in one piece in the file as they are in memory."""
    properties = found.id.get_create_plist()
    if properties.get_layout() != h5py.h5d.CONTIGUOUS or properties.get_nfilters():
        return None
    if found.dtype.kind not in "iuf" or not found.id.get_type().equal(h5py.h5t.py_create(found.dtype)):
        return None
    offset = found.id.get_offset()
    return None if offset is None else int(offset)


def _touched(found: h5py.Dataset, start: int, stop: int) -> int:
    """How many bytes HDF5 has to unpack for some rows."""
    if not found.chunks:
        row = int(np.prod(found.shape[1:], dtype=object)) * found.dtype.itemsize
        return row * (stop - start)
    rows, *others = found.chunks
    across = [-(-size // step) for size, step in zip(found.shape[1:], others, strict=True)]
    chunks = (-(-stop // rows) - start // rows) * int(np.prod(across, dtype=object))
    return chunks * int(np.prod(found.chunks, dtype=object)) * found.dtype.itemsize


def limit_step(size: int) -> None:
    """Give the next step its time of the processor and its memory: enough for `size` bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = STEP_SECONDS + size // BYTES_PER_SECOND + int(used.ru_utime + used.ru_stime)
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_AS, _AT_START + STEP_BYTES + 3 * size)


def _limit(kind: int, wanted: int) -> None:
    _, most = resource.getrlimit(kind)
    resource.setrlimit(kind, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def _address_space() -> int:
    try:
        with open("/proc/self/statm") as facts:
            return int(facts.read().split()[0]) * resource.getpagesize()
    except OSError:  # not Linux, which alone keeps to RLIMIT_AS
        return 1 << 40


_AT_START = _address_space()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests, one after the other, until the other side closes."""
    files = Files()
    steps: dict[str, Callable[..., Answer]] = {"open": files.open, "close": files.close, "read": files.read}
    _send(answers, {"ready": os.getpid()}, [])
    for line in requests:
        name, *values = json.loads(line)
        try:
            head, pieces = steps[name](*values)
        except BlockingIOError:
            head, pieces = {"locked": True}, []
        except MemoryError:
            head, pieces = {"error": "it takes more memory than such a file should"}, []
        except Exception as error:  # goes to the first process, which raises it as damage of that file
            head, pieces = {"error": f"{error}" or type(error).__name__}, []
            if isinstance(error, OSError) and error.errno is not None:
                head["errno"] = error.errno
        _send(answers, head, pieces)


def _send(answers: BinaryIO, head: dict[str, Any], pieces: list[bytes | memoryview]) -> None:
    sizes = [len(memoryview(piece).cast("B")) for piece in pieces]
    answers.write(json.dumps({**head, "sizes": sizes}).encode() + b"\n")
    for piece in pieces:
        answers.write(piece)
    answers.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the first process answers
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for _ in range(h5py.h5pl.size()):  # folders of plugins: shared libraries
        h5py.h5pl.remove(0)
    serve(sys.stdin.buffer, sys.stdout.buffer)

"""One function over many items in several processes; one that crashes costs only the item it worked on."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from compress.errors import CompressError, UnavailableError
from compress.machine import use_threads

Item = TypeVar("Item")
Result = TypeVar("Result")
_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Crashed:
    """In place of a result whose process ended: FFmpeg crashed, or the memory was full."""

    exit_code: int | None


@dataclass
class _Worker(Generic[Item]):
    process: BaseProcess
    connection: Connection
    item: Item | None = None
    started: bool = False


def in_processes(
    start: Callable[[], Callable[[Item], Result]],
    items: Sequence[Item],
    *,
    workers: int,
    threads: int,
    pause: Callable[[], None],
) -> Iterator[tuple[Item, Result | Crashed]]:
    """Each item with its result, as they become ready.

    Args:
        start: called once in each process; returns the function that is applied to items. Like the items and
            the results, it must be something that pickle can send to a process.
        items: what to work on.
        workers: processes; 0 means this process, where a crash is the end.
        threads: CPU threads of each process.
        pause: called several times a second; an exception of it stops everything.

    Raises:
        UnavailableError: a process ended before it began to work.
        CompressError: what `start` or its function raises.
    """
    if workers < 1:
        work = start()
        for item in items:
            yield item, work(item)
            pause()
        return
    waiting, running = deque(items), [_begin(start, threads) for _ in range(min(workers, len(items)))]
    try:
        while running:
            ready = wait([worker.connection for worker in running], timeout=_SECONDS_BETWEEN_LOOKS)
            for worker in [each for each in running if each.connection in ready]:
                result: Result | Crashed | None = _answer(worker)
                if result is not None and worker.item is not None:
                    yield worker.item, result
                if isinstance(result, Crashed):
                    running.remove(worker)
                    if waiting:
                        running.append(_begin(start, threads))
                elif waiting:
                    worker.item = waiting.popleft()
                    with suppress(ConnectionError):  # it ended meanwhile: the next look at it says so
                        worker.connection.send(worker.item)
                else:
                    worker.connection.close()
                    running.remove(worker)
            pause()
    finally:
        for worker in running:
            worker.process.terminate()


def _begin(start: Callable[[], Callable[[Item], Result]], threads: int) -> _Worker[Item]:
    context = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, threads), daemon=True)
    process.start()
    theirs.close()
    with suppress(ConnectionError):
        ours.send(start)
    return _Worker(process, ours)


def _answer(worker: _Worker[Item]) -> Any:
    """The result that waits; None when the process says that it has started."""
    try:
        result = worker.connection.recv()
    except (EOFError, ConnectionError):
        worker.process.join()
        if not worker.started:
            what = f"a process ended while it started (exit code {worker.process.exitcode})"
            raise UnavailableError(what, hint="use fewer processes: --workers 1") from None
        return Crashed(worker.process.exitcode)
    if isinstance(result, CompressError):
        raise result
    if not worker.started:
        worker.started = True
        return None
    return result


def _serve(connection: Connection, threads: int) -> None:
    """What a process does; heavy modules are imported when `start` arrives, after the settings."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the first process answers
    use_threads(threads)
    try:
        work = connection.recv()()
    except CompressError as error:
        connection.send(error)
        return
    connection.send(None)
    while True:
        try:
            item = connection.recv()
        except EOFError:
            return
        try:
            connection.send(work(item))
        except CompressError as error:
            connection.send(error)

"""Inference by several threads: each core computes a batch of its own, results come in order.

One batch on all cores is slow if other programs use them too: every operation waits for its slowest part.
Torch releases Python's lock, so threads are enough; they share the weights.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TypeVar

import torch

from compress.errors import UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2  # items per worker: one in work, one waiting


def workers_for(device: str) -> int:
    """The number of workers for a device: one per thread of torch; 0 (no extra thread) for a single one.

    A GPU gets one, so that the next batch is read and sent while it computes.
    """
    if torch.device(device).type != "cpu":
        return 1
    threads = torch.get_num_threads()
    return threads if threads > 1 else 0


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result, None, None]:
    """function(item) for every item, in order; an error is raised where its result would have come.

    With any number of workers `function` has one thread of torch, so results are equal to the bit. Modes of
    torch (inference_mode, autocast) belong to a thread: `function` must enter them itself.

    Args:
        function: called by several threads at once.
        items: read by a thread of its own, at most `2 * workers` ahead of the results that were taken.
        workers: 0: nothing is read ahead, everything runs in the calling thread.

    Returns:
        A generator. Close it (contextlib.closing) unless all results are taken: it waits for the items in
        work, and drops those that wait.

    Raises:
        UsageError: workers < 0.
    """
    if workers < 0:
        raise UsageError(f"the number of workers cannot be {workers}")
    return _threaded(function, items, workers) if workers else _inline(function, items)


def _inline(function: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result, None, None]:
    with _threads_kept():
        _compute_alone()
        for item in items:
            yield function(item)


def _threaded(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result, None, None]:
    line: SimpleQueue[Future[Result] | None] = SimpleQueue()
    places, stopped = threading.Semaphore(_AHEAD * workers), threading.Event()

    def feed() -> None:
        try:
            waiting = iter(items)
            while places.acquire() and not stopped.is_set():
                try:
                    item = next(waiting)
                except StopIteration:
                    line.put(None)
                    return
                line.put(pool.submit(function, item))
                del item  # frees its memory while waiting for a place
        except BaseException as error:
            failed: Future[Result] = Future()
            failed.set_exception(error)
            line.put(failed)

    with _threads_kept(), ThreadPoolExecutor(workers, "worker", initializer=_compute_alone) as pool:
        reader = threading.Thread(target=feed, name="reader", daemon=True)
        reader.start()
        try:
            while (place := line.get()) is not None:
                yield place.result()
                del place
                places.release()
        finally:
            stopped.set()
            places.release()
            reader.join()
            pool.shutdown(cancel_futures=True)


def _compute_alone() -> None:
    # torch.set_num_threads sets the calling thread and the default of later threads. A thread takes the
    # default at its first query or operation, and would overwrite what was set before: so query first.
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@contextmanager
def _threads_kept() -> Iterator[None]:
    """Context: afterwards torch's number of threads is as before, for this thread and later ones."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)

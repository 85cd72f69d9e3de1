"""Searches that wait are answered by one call: reading all codes once serves every query among them."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.collection import Collection, Match

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import Histogram

MOST_QUERIES = 64
"""In one call."""
_Job = tuple[np.ndarray, int, "Future[list[list[Match]]]"]


class Scans:
    """One thread for searches without a filter, and two for everything else that takes long.

    Args:
        collection: is searched.
        batches: counts the queries of each call.
    """

    def __init__(self, collection: Collection, batches: Histogram) -> None:
        self._collection, self._batches = collection, batches
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._others = ThreadPoolExecutor(2, "filter")
        self._thread = threading.Thread(target=self._answer, name="scan", daemon=True)
        self._thread.start()

    def search(self, vectors: np.ndarray, k: int) -> Future[list[list[Match]]]:
        """The k most similar videos of each vector (q, dim)."""
        found: Future[list[list[Match]]] = Future()
        self._waiting.put((vectors, k, found))
        return found

    def alone(self, function: Callable[[], Any]) -> Future[Any]:
        """function() in another thread."""
        return self._others.submit(function)

    def close(self) -> None:
        """Answer what waits, then stop."""
        self._waiting.put(None)
        self._thread.join()
        self._others.shutdown(wait=False, cancel_futures=True)

    def _answer(self) -> None:
        ended = False
        while not ended:
            jobs = [self._waiting.get()]
            while sum(len(job[0]) for job in jobs if job) < MOST_QUERIES and not self._waiting.empty():
                jobs.append(self._waiting.get())
            ended = None in jobs
            alike: dict[tuple[int, int], list[_Job]] = {}
            for job in jobs:
                # A future that was cancelled has nobody who waits for it any more.
                if job is not None and job[2].set_running_or_notify_cancel():
                    alike.setdefault((job[1], job[0].shape[1]), []).append(job)
            for group in alike.values():
                self._together(group)

    def _together(self, jobs: list[_Job]) -> None:
        vectors = np.concatenate([job[0] for job in jobs])
        try:
            found = self._collection.search(vectors, jobs[0][1], raw=False)
        except Exception as error:
            if len(jobs) == 1:
                jobs[0][2].set_exception(error)
                return
            for job in jobs:  # one of them is to blame
                self._together([job])
            return
        self._batches.observe(len(vectors))
        start = 0
        for own, _, future in jobs:
            future.set_result(found[start : start + len(own)])
            start += len(own)

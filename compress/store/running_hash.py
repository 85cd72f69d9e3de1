"""The sha256 of a store, computed while its blocks are written, so that finishing it reads nothing again."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor


class RunningHash:
    """sha256 of everything written so far; hashes in a thread of its own while the disk works.

    Args:
        start: the first bytes.
    """

    def __init__(self, start: bytes) -> None:
        self._sha256 = hashlib.sha256(start)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-sha256")

    def start(self, data: memoryview) -> Future[hashlib._Hash]:
        """Begin to hash the next bytes, which must not change until the result is there; see `advance`."""
        return self._thread.submit(_continued, self._sha256, data)

    def advance(self, started: Future[hashlib._Hash]) -> None:
        """Count those bytes in, now that they are written. Without this call they never happened."""
        self._sha256 = started.result()

    def finish(self, end: bytes) -> str:
        """sha256 (hex) of all, `end` being the last bytes."""
        return _continued(self._sha256, memoryview(end)).hexdigest()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def _continued(before: hashlib._Hash, data: memoryview) -> hashlib._Hash:
    after = before.copy()
    after.update(data)
    return after

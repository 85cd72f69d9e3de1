"""Which files were hashed in the last hours, so that a search does not hash gigabytes each time.

A file counts as unchanged when its inode, size, mtime and ctime are the same as when it was hashed, at most
`HOURS` ago. A change through the file system changes the ctime, which no program can set back. Damage beneath
the file system leaves no trace there: the next full hash finds it, within `HOURS`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from compress.artifacts.sealed import read_sealed, write_sealed
from compress.errors import CorruptArtifactError, NotFoundError, StorageError

HOURS = 24
_VALID_NS = HOURS * 3_600_000_000_000
# A second change in the same tick of the file system's clock leaves the times as they are, so a file that was
# changed just before it was hashed is hashed again the next time (git does the same).
_TICK_NS = 2_000_000_000

Entry = tuple[int, int, int, str, int]


class HashedFiles:
    """Remembers hashed files in one small JSON file; a missing or damaged one means nothing is remembered.

    Args:
        path: of the JSON file.
        trust: False hashes every file once more, and remembers that.
    """

    def __init__(self, path: Path, trust: bool = True) -> None:
        self._path, self._trust = path, trust
        self._entries = _read(path)
        self._changed = False

    def holds(self, facts: os.stat_result, sha256: str, compute: Callable[[], str]) -> bool:
        """Whether a file has this sha256 (hex): as remembered, or else by `compute`, which hashes it now.

        `facts` are those of the open file, taken before it is read.
        """
        started = time.time_ns()
        if self._trust and self._knows(facts, sha256, started):
            return True
        if compute() != sha256:
            # A failing disk leaves the times as they were: what was remembered is no longer trusted.
            self._changed |= self._entries.pop(_key(facts), None) is not None
            return False
        if max(facts.st_ctime_ns, facts.st_mtime_ns) < started - _TICK_NS:
            self._entries[_key(facts)] = (*_version(facts), sha256, started)
            self._changed = True
        return True

    def save(self) -> None:
        """Keep what was learned, and forget what is too old; StorageError when the disk refuses."""
        if self._changed:
            now = time.time_ns()
            fresh = {key: entry for key, entry in self._entries.items() if _is_valid(entry, now)}
            write_sealed(self._path, fresh)
            self._changed = False

    def _knows(self, facts: os.stat_result, sha256: str, now: int) -> bool:
        entry = self._entries.get(_key(facts))
        return entry is not None and entry[:4] == (*_version(facts), sha256) and _is_valid(entry, now)


Verify = bool | HashedFiles


def matches(verify: Verify, facts: os.stat_result, sha256: str, compute: Callable[[], str]) -> bool:
    """Whether a file has this sha256; `verify` True hashes it, False trusts it; see `HashedFiles.holds`."""
    if isinstance(verify, HashedFiles):
        return verify.holds(facts, sha256, compute)
    return not verify or compute() == sha256


def _key(facts: os.stat_result) -> str:
    return f"{facts.st_dev}:{facts.st_ino}"


def _version(facts: os.stat_result) -> tuple[int, int, int]:
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _is_valid(entry: Entry, now: int) -> bool:
    return 0 <= now - entry[4] < _VALID_NS


def _read(path: Path) -> dict[str, Entry]:
    # Only a cache: when it is missing or damaged, files are hashed and it is written again.
    try:
        found = read_sealed(path, "")
    except (NotFoundError, CorruptArtifactError, StorageError):
        return {}
    return {key: tuple(entry) for key, entry in found.items() if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and [type(item) for item in entry] == [int, int, int, str, int]

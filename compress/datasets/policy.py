"""What happens to an unusable record: stop, skip it, or skip it and keep its bytes (quarantine)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from compress.artifacts.atomic import replacing
from compress.artifacts.disk import append
from compress.errors import DataError, StorageError, UsageError

OnCorrupt = Literal["fail", "skip", "quarantine"]
QUARANTINE_LOG = "quarantine.jsonl"


@dataclass(frozen=True)
class SkippedRecord:
    """A part of a shard that was left out.

    Args:
        shard: the file.
        record: number of the record in the file, from 0.
        offset: byte at which the record starts.
        num_bytes: bytes left out, framing included.
        reason: what is wrong with it.
        rest_of_shard: nothing after `offset` could be read, an unknown number of records.
        quarantined: the file that keeps the bytes, if any.
    """

    shard: Path
    record: int
    offset: int
    num_bytes: int
    reason: str
    rest_of_shard: bool = False
    quarantined: Path | None = None


class Policy:
    """Decides about unusable records; remembers each one left out once, however often it is read.

    Args:
        on_corrupt: "fail" raises the error, "skip" leaves the record out, "quarantine" also copies it.
        quarantine: folder for the copies; needed for, and only for, "quarantine".
    """

    def __init__(self, on_corrupt: OnCorrupt = "fail", quarantine: Path | None = None) -> None:
        if on_corrupt not in get_args(OnCorrupt):
            raise UsageError(f"unknown on-corrupt policy {on_corrupt!r}", hint="use fail, skip or quarantine")
        if (on_corrupt == "quarantine") != (quarantine is not None):
            raise UsageError("the policy 'quarantine' and a quarantine folder go together")
        self.on_corrupt, self.quarantine = on_corrupt, quarantine
        self._skipped: dict[tuple[Path, int], SkippedRecord] = {}

    @property
    def skipped(self) -> list[SkippedRecord]:
        """Everything left out so far, by shard and offset."""
        return [self._skipped[key] for key in sorted(self._skipped)]

    def without_record(self) -> Policy:
        """A policy that fails or skips like this one but records nothing, for looking ahead."""
        return Policy("fail" if self.on_corrupt == "fail" else "skip")

    def leave_out(self, skipped: SkippedRecord, error: DataError, raw: Callable[[], Iterable[bytes]]) -> None:
        """Raise `error`, or leave the record out as the policy says.

        Args:
            skipped: what is about to be left out.
            error: with file, record and offset.
            raw: gives the bytes on disk, in pieces.
        """
        if self.on_corrupt == "fail":
            raise error
        key = (skipped.shard, skipped.offset)
        if key in self._skipped:
            return
        kept = None if self.quarantine is None else _keep(self.quarantine, skipped, raw())
        self._skipped[key] = replace(skipped, quarantined=kept)


def _keep(folder: Path, skipped: SkippedRecord, pieces: Iterable[bytes]) -> Path:
    # Two shards of the same name in different folders must not overwrite each other's records.
    shard = hashlib.sha256(str(skipped.shard.resolve()).encode()).hexdigest()[:8]
    target = folder / f"{skipped.shard.name}-{shard}.{skipped.offset}.bin"
    line = {**asdict(skipped), "shard": str(skipped.shard), "quarantined": target.name}
    try:
        with replacing(target) as unfinished, unfinished.open("wb") as copy:
            for piece in pieces:
                copy.write(piece)
        _append_once(folder / QUARANTINE_LOG, json.dumps(line, sort_keys=True))
    except OSError as error:
        raise StorageError(f"cannot quarantine a record: {error}", where=folder) from error
    return target


def _append_once(log: Path, line: str) -> None:
    # A second run over the same shard finds the same records, which are logged already.
    if log.exists() and line in log.read_text(encoding="utf-8").splitlines():
        return
    append(log, line.encode() + b"\n")


FAIL = Policy()

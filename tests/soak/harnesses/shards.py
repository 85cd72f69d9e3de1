"""Shards with one flipped bit or cut: told with byte and record; `skip` keeps the untouched records."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from random import Random

from compress.datasets.formats.framing import frame, read_records
from compress.datasets.policy import Policy
from compress.errors import CorruptShardError
from tests.soak.counts import Counts, Until

PROMISES = ("R5", "R6")
_LENGTH_BYTES, _BATCH = 12, 200


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    folder.mkdir(parents=True, exist_ok=True)
    while not until():
        for _ in range(_BATCH):
            _trial(random, folder / "shard.tfrecord", counts)
    return counts


def _trial(random: Random, shard: Path, counts: Counts) -> None:
    records = [random.randbytes(random.randrange(0, 200)) for _ in range(random.randint(1, 12))]
    framed = [frame(record) for record in records]
    starts = [0, *accumulate(map(len, framed))]
    whole = b"".join(framed)
    at = random.randrange(1, len(whole))
    cut = random.random() < 0.3
    if cut:
        damaged = whole[:at]
        if at in starts:  # looks whole; the number of records is known to the run that saw them all
            return
    else:
        changed = bytearray(whole)
        changed[at] ^= 1 << random.randrange(8)
        damaged = bytes(changed)
    shard.write_bytes(damaged)
    hit = bisect_right(starts, at) - 1
    in_length = cut or at - starts[hit] < _LENGTH_BYTES
    kept = records[:hit] if in_length else records[:hit] + records[hit + 1 :]
    where = f"byte {at} of {[len(record) for record in records]}"
    counts.tried("R5", "cut" if cut else "flipped bit", _told(shard, starts[hit], hit, records[:hit]), where)
    policy = Policy("skip")
    read = [record.data for record in read_records(shard, policy)]
    faults = [] if read == kept else [f"{len(read)} records kept, {len(kept)} were untouched"]
    if len(policy.skipped) != 1 or policy.skipped[0].rest_of_shard != in_length:
        faults.append(f"said to be left out: {policy.skipped}")
    counts.tried("R6", "left out", faults, where)


def _told(shard: Path, offset: int, record: int, before: list[bytes]) -> list[str]:
    read = []
    try:
        for each in read_records(shard):
            read.append(each.data)
    except CorruptShardError as error:
        told = (error.path, error.offset, error.record)
        if told != (shard, offset, record):
            return [f"told as {told}, it is record {record} at byte {offset}"]
        return [] if read == before else ["records before the damage were changed"]
    return ["not found"]

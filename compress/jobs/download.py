"""The official way to download YouTube-8M. This project itself never touches the network."""

from __future__ import annotations

from dataclasses import dataclass

from compress.errors import UsageError

SCRIPT = "data.yt8m.org/download.py"
# Source: research.google.com/youtube8m/download.html; release 2 is that of May 2018, 3844 shards a split.
SPLITS = ("train", "validate", "test")


@dataclass(frozen=True)
class Downloads:
    """Shell commands to run by hand, one a split, and what to type afterwards."""

    commands: list[str]
    next: str


def download_commands(level: str, part: str) -> Downloads:
    """The commands for one level of the 2018 release.

    Args:
        level: "video" (31 GB in all) or "frame" (1.5 TB in all).
        part: "1/100" for the first of 100 equal parts of the shards, "1/1" for everything.

    Raises:
        UsageError: `part` is not I/N with 1 <= I <= N.
    """
    first, _, second = part.partition("/")
    if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
        raise UsageError(
            f"not a part: {part!r}", where="--part", hint="write 1/100 for the first of 100 parts"
        )
    shard = "" if int(second) == 1 else f"shard={int(first)},{int(second)} "
    commands = [
        f"mkdir -p {level}/{split} && (cd {level}/{split} && "
        f"curl {SCRIPT} | {shard}partition=2/{level}/{split} mirror=us python)"
        for split in SPLITS
    ]
    train, validate = (f"'{level}/{split}/*.tfrecord'" for split in SPLITS[:2])
    return Downloads(commands, f"compress init --train {train} --validate {validate}")

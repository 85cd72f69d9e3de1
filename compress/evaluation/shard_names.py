"""Where the videos of a row came from, in words that fit into a report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def short(pattern: str) -> str:
    """The last three parts of a path: enough to recognise shards, and no machine's folders in a report."""
    return "/".join(Path(pattern).parts[-3:])


def in_words(patterns: Iterable[str]) -> str:
    """All patterns, short, each once: "train/*.tfrecord and validate/*.tfrecord"."""
    return " and ".join(dict.fromkeys(map(short, patterns)))

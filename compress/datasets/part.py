"""A part of the videos of some files, by a hash of the id: those for training, or those to measure on."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from compress.artifacts import disk
from compress.datasets.record import Block
from compress.errors import DataError
from compress.limits import within

Side = Literal["train", "validate"]
# A key of our own, so that other hashes of ids (the halves of an evaluation, the order of a sample) are
# independent of the split.
_PERSON = b"compress split"
_BYTES = 8


@dataclass(frozen=True)
class Part:
    """One side of a split.

    Which side a video is on depends on its id, the fraction and the groups alone: not on its file, on other
    videos, or on the machine. Videos of a group are on the side of the group's name.

    Args:
        side: "train" or "validate".
        fraction: of the videos that are on the side "validate", in (0, 1).
        groups: name of the group of each id that is in one.

    Raises:
        UsageError: a fraction that is not in its range.
    """

    side: Side
    fraction: float
    groups: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        within("validate_fraction", self.fraction, "--validate-fraction")

    def holds(self, ids: np.ndarray) -> np.ndarray:
        """Which of the ids, S<w> (n,), are on this side, bool (n,).

        Example:
            >>> part = Part("validate", 0.5)
            >>> part.holds(np.array([b"a", b"b", b"c", b"d"])).tolist()
            [True, False, False, True]
        """
        drawn = places(self.groups.get(name, name) for name in ids.tolist())
        return (drawn < self.fraction) == (self.side == "validate")

    def identity(self) -> str:
        """What tells this part from others of the same files, for a fingerprint."""
        groups = hashlib.sha256(
            b"\n".join(b"%s\0%s" % pair for pair in sorted(self.groups.items()))
        ).hexdigest()
        return f"{self.side} {self.fraction!r} {groups if self.groups else ''}"


def places(names: Iterable[bytes]) -> np.ndarray:
    """A number in [0, 1) for each name, float64 (n,): those below the fraction are for "validate"."""
    digests = b"".join(hashlib.blake2b(name, digest_size=_BYTES, person=_PERSON).digest() for name in names)
    return np.frombuffer(digests, dtype=">u8") / 2.0**64


def take(block: Block, kept: np.ndarray) -> Block:
    """The videos of a block that are kept, bool (n,)."""
    of_labels = np.repeat(kept, block.num_labels)
    frames = block.num_frames
    return Block(
        ids=block.ids[kept],
        num_labels=block.num_labels[kept],
        classes=block.classes[of_labels],
        rows=block.rows[kept if frames is None else np.repeat(kept, frames)],
        num_frames=None if frames is None else frames[kept],
    )


def groups_csv(groups: Mapping[bytes, bytes]) -> bytes:
    """The file that `read_groups` reads back, as UTF-8: a line `id,group` for each id, in their order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "group"))
    writer.writerows((name.decode(), group.decode()) for name, group in sorted(groups.items()))
    return text.getvalue().encode()


def read_groups(path: Path) -> dict[bytes, bytes]:
    """The group of each id.

    Raises:
        NotFoundError: no such file.
        DataError: it is no such table.
    """
    with disk.reading(path, "no such file of groups"):
        data = path.read_bytes()
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
        if rows[:1] != [["id", "group"]]:
            raise ValueError("the first line is not id,group")
        return {name.encode(): group.encode() for name, group in rows[1:]}
    except (ValueError, csv.Error) as error:
        raise DataError(f"is not a table of ids and groups ({error})", where=path) from error

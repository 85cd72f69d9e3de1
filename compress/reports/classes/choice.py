"""Which rows of a table are shown by class frequency, and which of them the others are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from compress.reports.row import Role


@dataclass(frozen=True)
class KeptRow:
    """A measured row or model whose scores may have been kept.

    Args:
        name, title, role: what it is.
        fingerprint: of the validation videos that it was measured on.
        scores: folder of the kept scores.
        again: the command that keeps them.
    """

    name: str
    title: str
    role: Role
    fingerprint: str
    scores: Path
    again: str


@dataclass(frozen=True)
class ClassChoice:
    """What a table shows by class frequency.

    Args:
        rows: in the order of the plots; the first one decides which videos the others must share.
        reference: name of the row that the others are compared with; None compares nothing.
        subject: name of the row whose classes are named; None names none.
        why: in a sentence, why these rows.
    """

    rows: tuple[KeptRow, ...] = ()
    reference: str | None = None
    subject: str | None = None
    why: str = ""

"""A choice together with the rows of the stores it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compress.evaluation.promises import Choice
from compress.evaluation.row import Row

_ENCODE = "compress encode "


@dataclass(frozen=True)
class Selection:
    """What is told.

    Args:
        choice: what came out of both halves.
        baseline: row of the store that the promise is about.
        rows: of the candidates, by name.
        left_out: of measured stores that were no candidates, why, by name.
    """

    choice: Choice
    baseline: Row
    rows: Mapping[str, Row]
    left_out: Mapping[str, str]

    @property
    def chosen(self) -> Row | None:
        """Row of the store that was chosen, or None."""
        return None if self.choice.chosen is None else self.rows[self.choice.chosen.expected.name]

    @property
    def encode_command(self) -> str | None:
        """What to type to get the store of the chosen row; None without one, or where nobody knows."""
        parts = [] if self.chosen is None else self.chosen.command.split(" && ")
        return next((part for part in parts if part.startswith(_ENCODE)), None)

    @property
    def times_smaller(self) -> float | None:
        """By how much the chosen store is smaller than the baseline."""
        return None if self.chosen is None else self.baseline.bytes_per_video / self.chosen.bytes_per_video

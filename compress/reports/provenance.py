"""Where a report came from; passed in, so that two reports of the same rows differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """`generated`: a date as the caller writes it; `command`: what made the report; `versions` by package."""

    generated: str
    command: str
    versions: Mapping[str, str]

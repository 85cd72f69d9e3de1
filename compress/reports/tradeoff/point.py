"""One point of the trade-off, and what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compress.metrics import Interval
from compress.reports.row import Role

Figures = Mapping[str, Interval]
"""By metric, of `sampled.METRICS`; what was not measured is missing."""


@dataclass(frozen=True)
class Rival:
    """The best of what needs no training, of no more bytes, and how far a point is ahead of it.

    Args:
        name: of the rival.
        bytes_per_video: of the rival.
        ahead: point minus rival on the confirmation half, paired.
    """

    name: str
    bytes_per_video: int
    ahead: Interval


@dataclass(frozen=True)
class Half:
    """Figures on one half of the videos, and their differences from the baseline's (none for that)."""

    videos: int
    figures: Figures
    delta: Figures


@dataclass(frozen=True)
class Point:
    """One store.

    Args:
        name: of the store.
        title: in words.
        role: "baseline", "encoder" or "control".
        family: what it is drawn with: the run of an encoder without its size, or a kind of control.
        dim, codec, bytes_per_video: as stored.
        heads: how many of different seeds its figures are the mean of.
        encoders: how many of different seeds these were trained on.
        spread: by metric, half the range of the heads' figures on the confirmation half.
        confirmation, selection: the two halves.
        rivals: by metric, among everything that needs no training; encoders only.
        of_families: by family of control and by metric, its best of no more bytes; encoders only.
        command: measures it again.
        notes: what its row has to say.
    """

    name: str
    title: str
    role: Role
    family: str
    dim: int
    codec: str
    bytes_per_video: int
    heads: int
    encoders: int
    spread: Mapping[str, float]
    confirmation: Half
    selection: Half
    rivals: Mapping[str, Rival]
    of_families: Mapping[str, Mapping[str, Rival]]
    command: str
    notes: tuple[str, ...]

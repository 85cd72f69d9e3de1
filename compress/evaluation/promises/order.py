"""Which stores are tried, and in which order: decided on the selection half alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compress.evaluation.promises.change import Change
from compress.evaluation.promises.promise import Promise, Quantity


@dataclass(frozen=True)
class Expected:
    """What the selection half says of a store.

    Args:
        name, bytes_per_video: of the store.
        changes: of each quantity, on the selection half.
        margin: the smallest of their distances from what is allowed, in standard errors.
    """

    name: str
    bytes_per_video: int
    changes: Mapping[Quantity, Change]
    margin: float


def expected(
    name: str, bytes_per_video: int, changes: Mapping[Quantity, Change], promise: Promise
) -> Expected:
    """A store with its margin."""
    margin = min(changes[quantity].margin(-drop) for quantity, drop in promise.max_drops.items())
    return Expected(name, bytes_per_video, changes, margin)


def sequence(stores: Sequence[Expected]) -> list[Expected]:
    """From the safest store on, always to fewer bytes.

    Left out is a store that takes no fewer bytes than a safer one: it would never be preferred, and every
    test that may fail before the smallest store is reached makes it less likely to be reached.
    """
    path: list[Expected] = []
    for store in sorted(stores, key=lambda one: (-one.margin, one.bytes_per_video, one.name)):
        if not path or store.bytes_per_video < path[-1].bytes_per_video:
            path.append(store)
    return path

"""A point of the trade-off: one store, by the name that `compress encode` gives it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from compress.codecs import canonical, pattern
from compress.errors import NotFoundError
from compress.jobs.names import checked, store_name

_CODEC = re.compile(rf"(.+)-({pattern()})")
_PREFIX = re.compile(r"(.+)-d([1-9][0-9]*)")


@dataclass(frozen=True)
class StorePoint:
    """What is stored.

    Args:
        run: whose embeddings.
        prefix: only the first so many numbers of each; None for all.
        codec: how they are stored.
    """

    run: str
    prefix: int | None
    codec: str

    @property
    def name(self) -> str:
        """Of the store."""
        return store_name(self.run, self.codec, self.prefix)

    def of_seed(self, number: int, known: Callable[[str], bool]) -> StorePoint:
        """The same of the run trained with another seed, `<run>-seed<number>`, where there is one."""
        other = f"{self.run}-seed{number}"
        return replace(self, run=other) if number and known(other) else self


def parse_point(name: str, known: Callable[[str], bool], option: str = "--point") -> StorePoint:
    """The point that a store's name means.

    Args:
        name: `<run>[-d<dim>][-<codec>]`.
        known: whether there is, or can be, a run of a name.
        option: where it was typed.

    Raises:
        UsageError: a name that cannot be a file's.
        NotFoundError: no run fits.
    """
    checked(name, option)
    tries = [(name, "float32")]
    if found := _CODEC.fullmatch(name):
        tries.append((found[1], canonical(found[2])))
    for rest, codec in tries:
        if known(rest):
            return StorePoint(rest, None, codec)
    for rest, codec in tries:
        part = _PREFIX.fullmatch(rest)
        if part and known(part[1]):
            return StorePoint(part[1], int(part[2]), codec)
    raise NotFoundError(
        "no run fits this store's name",
        where=f"{option} {name}",
        hint="<run>[-d<dim>][-<codec>], of a run that `compress train` made",
    )

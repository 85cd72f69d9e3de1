"""The names of the judges, and what they are in words: all that a report needs of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compress.errors import UsageError

TITLES: Mapping[str, str] = {
    "moe": "mixture of experts",
    "logistic": "logistic regression",
    "mlp": "network of one hidden layer",
    "ridge": "ridge regression",
    "knn": "k nearest neighbours",
}
"""Every judge by name, in the order of reports."""


def judges_named(names: Iterable[str]) -> tuple[str, ...]:
    """The names in the order of `TITLES`, each once; none means all. UsageError for an unknown name."""
    wanted = list(names)
    for name in wanted:
        if name not in TITLES:
            raise UsageError(f"no judge {name!r}", where="--heads", hint=f"choose from {', '.join(TITLES)}")
    return tuple(name for name in TITLES if not wanted or name in wanted)


def title_of(name: str) -> str:
    """A judge in words; the name itself for one that this version does not have."""
    return TITLES.get(name, name)

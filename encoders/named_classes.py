"""A table from name to (class, config class); encoders and heads each have one."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

B = TypeVar("B")
S = TypeVar("S")


class NamedClasses(Generic[B]):
    """Classes by name.

    Args:
        kind: what they are, for messages ("encoder").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, tuple[type[B], type[Any]]] = {}

    def register(self, name: str, config_class: type[Any]) -> Callable[[type[S]], type[S]]:
        """Class decorator; a name that is taken raises ValueError."""

        def add(member: type[S]) -> type[S]:
            if name in self._entries:
                taken = self._entries[name][0].__name__
                raise ValueError(f"{self.kind} {name!r} is registered twice: {taken} and {member.__name__}")
            self._entries[name] = (member, config_class)  # type: ignore[assignment]
            return member

        return add

    def names(self) -> list[str]:
        """Registered names, sorted."""
        return sorted(self._entries)

    def find(self, name: str) -> tuple[type[B], type[Any]]:
        """(class, config class) of `name`; ValueError listing the names when there is none."""
        if name not in self._entries:
            close = difflib.get_close_matches(name, self.names(), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"no {self.kind} {name!r}; there are {', '.join(self.names())}{hint}")
        return self._entries[name]

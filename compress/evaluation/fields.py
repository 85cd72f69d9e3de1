"""Checked access to the fields of a JSON object; errors name the file and the field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from compress.errors import CorruptArtifactError


def again(path: Path) -> str:
    """How to measure the row of a file anew, for the message about a damaged one."""
    if path.parent.name == "models":
        command = " ".join(["compress evaluate", *(f"--run {run}" for run in path.stem.split("+"))])
    else:
        command = f"compress evaluate --name {path.stem}"
    return f"measure it again with `{command}`, or remove the file"


class Fields:
    """A JSON object of `path`, found at the dotted `place` inside it (empty at the top)."""

    def __init__(self, value: Any, path: Path, place: str = "") -> None:
        self.path, self.place = path, place
        if not isinstance(value, Mapping):
            self.refuse("", f"should be an object, is {type(value).__name__}")
        self.value: Mapping[str, Any] = value

    def refuse(self, name: str, problem: str) -> NoReturn:
        """Raise CorruptArtifactError for the field `name`."""
        field = ".".join(part for part in (self.place, name) if part) or "the file"
        raise CorruptArtifactError(f"{field} {problem}", where=self.path, hint=again(self.path))

    def get(self, name: str) -> Any:
        """The field as it stands; missing is refused."""
        if name not in self.value:
            self.refuse(name, "is missing")
        return self.value[name]

    def text(self, name: str) -> str:
        """Printable text."""
        # Control characters would reach a terminal or break the XML of a report.
        value = self.get(name)
        if not isinstance(value, str) or not value.isprintable():
            self.refuse(name, f"should be printable text, is {value!r}")
        return value

    def optional_text(self, name: str) -> str | None:
        """As `text`; None when missing or null."""
        return None if self.value.get(name) is None else self.text(name)

    def integer(self, name: str, least: int = 0) -> int:
        """A whole number, `least` or more."""
        value = self.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self.refuse(name, f"should be a whole number of at least {least}, is {value!r}")
        return value

    def optional_integer(self, name: str, least: int = 0) -> int | None:
        """As `integer`; None when missing or null."""
        return None if self.value.get(name) is None else self.integer(name, least)

    def integers(self) -> dict[str, int]:
        """Whole numbers under names of any kind."""
        return {name: self.integer(name) for name in sorted(self.value)}

    def flag(self, name: str) -> bool:
        """true or false."""
        value = self.get(name)
        if not isinstance(value, bool):
            self.refuse(name, f"should be true or false, is {value!r}")
        return value

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number in [low, high]."""
        value = self.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            self.refuse(name, f"should be a finite number, is {value!r}")
        if not low <= value <= high:
            self.refuse(name, f"should lie in [{low:g}, {high:g}], is {value!r}")
        return float(value)

    def optional_number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """As `number`; None when missing or null."""
        return None if self.value.get(name) is None else self.number(name, low, high)

    def inside(self, name: str) -> Fields:
        """The object held by a field."""
        place = f"{self.place}.{name}" if self.place else name
        return Fields(self.get(name), self.path, place)

    def optional_inside(self, name: str) -> Fields | None:
        """As `inside`; None when missing or null."""
        return None if self.value.get(name) is None else self.inside(name)

    def optional_objects(self, name: str) -> tuple[Fields, ...]:
        """A list of objects; empty when missing or null."""
        values = self.value.get(name)
        if values is None:
            return ()
        if not isinstance(values, list):
            self.refuse(name, "should be a list of objects")
        place = f"{self.place}.{name}" if self.place else name
        return tuple(Fields(value, self.path, f"{place}[{number}]") for number, value in enumerate(values))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of printable texts."""
        values = self.get(name)
        if not isinstance(values, list) or not all(isinstance(v, str) and v.isprintable() for v in values):
            self.refuse(name, "should be a list of printable texts")
        return tuple(values)

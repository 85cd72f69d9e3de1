"""Names of codecs: in `--codec`, compress.toml and the attribute of a store.

A name is a family and, for some families, a number: `int8`, `pq64`, `rabitq4`. The families are those of the
classes that register themselves (see `compress.codecs.base.Codec`).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from compress.errors import UsageError

BYTES = "bytes per video"


@dataclass(frozen=True)
class Family:
    """The names of one kind of codec.

    Args:
        name: "pq".
        symbol: of the number in help texts, "M"; "" when names have no number.
        unit: what the number counts, such as `BYTES`.
        most: the largest number.
        default: the number that may be left out; 0 when every name has one.
    """

    name: str
    symbol: str = ""
    unit: str = ""
    most: int = 0
    default: int = 0

    @property
    def counts_bytes(self) -> bool:
        """Whether the number in its names is the bytes per video."""
        return self.unit == BYTES

    @property
    def form(self) -> str:
        """For help texts: "int8", "pq<M>", "rabitq[B]"."""
        if not self.symbol:
            return self.name
        return f"{self.name}[{self.symbol}]" if self.default else f"{self.name}<{self.symbol}>"

    @property
    def pattern(self) -> str:
        """A regular expression, without groups, for its names."""
        if not self.symbol:
            return self.name
        number = rf"[1-9][0-9]{{0,{len(str(self.most)) - 1}}}"
        return f"{self.name}(?:{number})?" if self.default else f"{self.name}{number}"


@dataclass(frozen=True)
class CodecSpec:
    """A parsed codec name; `number` is 0 when the family has none."""

    family: Family
    number: int = 0

    @property
    def name(self) -> str:
        """Its canonical form, as in stores and file names."""
        return self.family.name + (str(self.number) if self.number != self.family.default else "")


FAMILIES: dict[str, Family] = {}


def forms() -> str:
    """Every codec in one line, for help texts and hints."""
    families = sorted(FAMILIES.values(), key=lambda family: (bool(family.symbol), family.name))
    numbers = {family.symbol: family.unit for family in families if family.symbol}
    meaning = ", ".join(f"{symbol} {unit}" for symbol, unit in sorted(numbers.items()))
    return f"{', '.join(family.form for family in families)} ({meaning})"


def pattern() -> str:
    """A regular expression, without groups, for file names that end in a codec."""
    return f"(?:{'|'.join(family.pattern for family in FAMILIES.values())})"


def parse_codec(text: str) -> CodecSpec:
    """The codec that `text` names; UsageError for an unknown one or a number out of range."""
    if not isinstance(text, str):
        raise UsageError(f"a codec is named by a str, not {text!r}", hint=f"choose one of {forms()}")
    found = re.fullmatch(rf"({'|'.join(FAMILIES)})([1-9][0-9]*)?", text)
    family = FAMILIES[found[1]] if found else None
    if found is None or family is None or bool(family.symbol) < bool(found[2]):
        raise UsageError(f"unknown codec {text!r}", hint=_hint(text))
    number = int(found[2] or family.default)
    if family.symbol and not number:
        raise UsageError(f"codec {text!r} lacks a number", hint=f"give the {family.unit}: {text}64")
    if number > family.most:
        raise UsageError(f"codec {text} would take more than {family.most} {family.unit}")
    return CodecSpec(family, number)


def canonical(text: str) -> str:
    """The canonical name of the codec `text`; UsageError for an unknown one."""
    return parse_codec(text).name


def _hint(text: str) -> str:
    close = difflib.get_close_matches(text, FAMILIES, n=1)
    hint = f"choose one of {forms()}"
    return f"did you mean {close[0]!r}? {hint}" if close else hint
